import { setTimeout } from 'node:timers/promises';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import type { Faults } from './access/faults.ts';
import type { Limits } from './access/limits.ts';
import { type OAuth, unauthenticated } from './access/oauth.ts';
import { checkScopes, scopeOf } from './access/scopes.ts';
import type { Account, Write } from './account/account.ts';
import { type ObjectType, objectType } from './account/object-types.ts';
import { HubspotError, missingScopes, notInSandbox } from './errors.ts';
import { associationRoutes } from './routes/associations.ts';
import { batchRoutes } from './routes/batch.ts';
import { Call } from './routes/call.ts';
import { mergeRoutes } from './routes/merge.ts';
import { objectRoutes } from './routes/objects.ts';
import { propertyRoutes } from './routes/properties.ts';
import { canonical, type Match, router } from './routes/router.ts';
import { searchRoutes } from './routes/search.ts';
import { settingsRoutes } from './routes/settings.ts';

export interface ApiParts {
  readonly account: Account;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly oauth: OAuth;
  readonly accessToken: string;
  readonly scopes: readonly string[];
  /** How long an answer takes under the fault `slow`, in milliseconds. */
  readonly slowness: number;
  readonly write: Write;
}

const HTML = '<!doctype html><html lang="en"><title>HubSpot</title><h1>We will be right back</h1></html>';

/** Answers the calls of HubSpot's API. */
export const api = (parts: ApiParts): ((request: SandboxRequest) => Promise<SandboxAnswer>) => {
  const { faults } = parts;
  const find = router([
    ...objectRoutes,
    ...batchRoutes,
    ...searchRoutes,
    ...mergeRoutes,
    ...associationRoutes,
    ...propertyRoutes,
    ...settingsRoutes(parts.limits),
  ]);
  return async (request) => {
    const objects = objectsIn(find, request);
    if (faults.meets('slow', objects)) await setTimeout(parts.slowness, undefined, { ref: false });
    if (faults.meets('html', objects)) return { status: 200, body: HTML };
    try {
      return answer(parts, find, objects, request);
    } catch (error) {
      if (!(error instanceof HubspotError)) throw error;
      return { status: error.status, headers: error.headers, body: error.body() };
    }
  };
};

type Find = ReturnType<typeof router>;

/** The objects that a request is about, as far as the account has them. */
const objectsIn = (find: Find, { method, path }: SandboxRequest): readonly string[] => {
  const match = find(method, canonical(path).path);
  try {
    return match === undefined ? [] : typesIn(match).map(({ name }) => name);
  } catch (error) {
    if (error instanceof HubspotError) return [];
    throw error;
  }
};

const answer = (
  parts: ApiParts,
  find: Find,
  objects: readonly string[],
  request: SandboxRequest,
): SandboxAnswer => {
  const { faults, limits } = parts;
  checkService(parts, objects);
  const { path, dated } = canonical(request.path);
  const tokens = path.startsWith('/oauth/');
  if (tokens) return answerTokens(parts, { ...request, path });
  authenticate(parts, request);
  if (faults.meets('daily-limit', objects)) throw limits.exhausted();
  if (faults.meets('rate-limited', objects)) throw limits.throttled();
  const headers = limits.count(path.endsWith('/search'));
  const match = find(request.method, path);
  if (!match) throw notInSandbox(request.method, request.path);
  checkAccess(parts, match, typesIn(match));
  parts.account.properties.hide(faults.missingFields(objects));
  const call = new Call(parts.account, request, match.params, dated);
  try {
    const made = parts.write(() => match.route.handle(call));
    if (match.route.access === 'write' && faults.meets('lost-response', objects))
      return { ...made, hangUp: true };
    return { ...made, headers: { ...headers, ...made.headers } };
  } catch (error) {
    if (!(error instanceof HubspotError)) throw error;
    return { status: error.status, headers: { ...headers, ...error.headers }, body: error.body() };
  } finally {
    parts.account.properties.hide(new Map());
  }
};

const checkService = ({ faults }: ApiParts, objects: readonly string[]): void => {
  if (faults.meets('down', objects)) throw new HubspotError(503, 'Service Unavailable');
  if (faults.meets('migration'))
    throw new HubspotError(477, 'Migration in progress', {}, { 'Retry-After': '3600' });
};

const answerTokens = ({ faults, oauth }: ApiParts, request: SandboxRequest): SandboxAnswer => {
  if (faults.meets('login-refused'))
    return {
      status: 400,
      body: { status: 'BAD_REFRESH_TOKEN', message: 'missing or unknown refresh token' },
    };
  const answered = oauth.answer(request);
  if (!answered) throw notInSandbox(request.method, request.path);
  return answered;
};

const authenticate = ({ faults, oauth, accessToken }: ApiParts, request: SandboxRequest): void => {
  const token = /^Bearer (\S+)$/u.exec(request.headers['authorization'] ?? '')?.[1];
  if (token === undefined || faults.meets('login-refused')) throw unauthenticated();
  if (token !== accessToken) oauth.check(token);
};

const typesIn = ({ params, route }: Match): ObjectType[] =>
  ['object', 'from', 'to']
    .flatMap((name) => params[name] ?? [])
    .concat(route.path.includes('/objects/contacts/') ? ['contacts'] : [])
    .map(objectType);

const checkAccess = ({ faults, scopes }: ApiParts, { route }: Match, types: readonly ObjectType[]): void => {
  const access = route.access === 'write' ? 'write' : 'read';
  const objects = types.map(({ name }) => name);
  if (faults.meets('missing-scope', objects)) throw missingScopes(types.map((type) => scopeOf(type, access)));
  if (route.access !== 'none') checkScopes(scopes, types, access);
  if (route.access === 'write' && faults.meets('row-lock', objects))
    throw new HubspotError(423, 'resource is locked', { category: 'LOCKED' });
};
