import type { Route } from './call.ts';

const VERSION = String.raw`20\d\d-(?:03|09)(?:-beta)?`;

// Paths with a date for a version, and the two that HubSpot writes the other way round, are the same calls.
const FORMS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^/crm/objects/${VERSION}/([^/]+/[^/]+/associations/)`, 'u'), '/crm/v4/objects/$1'],
  [new RegExp(`^/crm/objects/(?:${VERSION}|v3)/`, 'u'), '/crm/v3/objects/'],
  [new RegExp(`^/crm/associations/(?:${VERSION}|v4)/`, 'u'), '/crm/v4/associations/'],
  [new RegExp(`^/crm/properties/(?:${VERSION}|v3)/`, 'u'), '/crm/v3/properties/'],
  [new RegExp(`^/crm/(owners|pipelines)/${VERSION}(?=/|$)`, 'u'), '/crm/v3/$1'],
  [new RegExp(`^/crm-object-schemas/(?:${VERSION}|v3)/schemas`, 'u'), '/crm/v3/schemas'],
  [new RegExp(`^/account-info/${VERSION}/`, 'u'), '/account-info/v3/'],
  [new RegExp(`^/oauth/${VERSION}/token(?=/introspect$|$)`, 'u'), '/oauth/v1/token'],
];

export interface Canonical {
  readonly path: string;
  /** Whether the version was a date. */
  readonly dated: boolean;
}

/** The path in the form that routes have. */
export const canonical = (path: string): Canonical => {
  const trimmed = path.length > 1 ? path.replace(/\/$/u, '') : path;
  const form = FORMS.find(([pattern]) => pattern.test(trimmed));
  return {
    path: form ? trimmed.replace(form[0], form[1]) : trimmed,
    dated: new RegExp(`/${VERSION}(?:/|$)`, 'u').test(trimmed),
  };
};

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a call. */
export const router = (routes: readonly Route[]): ((method: string, path: string) => Match | undefined) => {
  const compiled = routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/:(\w+)/gu, '(?<$1>[^/]+)')}$`, 'u'),
  }));
  return (method, path) => {
    for (const { route, pattern } of compiled) {
      const found = route.method === method ? pattern.exec(path) : null;
      if (!found) continue;
      const entries = Object.entries(found.groups ?? {});
      return {
        route,
        params: Object.fromEntries(entries.map(([name, text]) => [name, decodeURIComponent(text)])),
      };
    }
    return undefined;
  };
};
