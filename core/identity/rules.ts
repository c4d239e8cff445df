import * as z from 'zod';
import { type Identifier, identifierType, identifierValue } from './identifier.ts';

const IdentifierRule = z.strictObject({
  /** Smaller is stronger. */
  priority: z.int().nonnegative(),
  /** How many identifiers of this type one customer may hold; of a type with 0 nobody holds any. */
  limit: z.int().nonnegative(),
  /** Customers that hold different values of a strong type are never merged by a rule. */
  strong: z.boolean().optional(),
});

const BlockPattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    context.addIssue({ code: 'custom', message: `expected a regular expression: ${String(error)}` });
    return z.NEVER;
  }
});

const defaults = {
  identifiers: {
    'user-id': { priority: 1, limit: 1, strong: true },
    email: { priority: 2, limit: 5 },
    phone: { priority: 3, limit: 5 },
    '*': { priority: 4, limit: 5 },
    anonymous: { priority: 9, limit: 20 },
  },
  block: {
    values: ['unknown', 'anonymous', 'null', 'none', 'n/a', '0'],
    patterns: ['^[0-]*$', '^\\+?266696687$'],
  },
  shared: [],
};

/** `mappings/identity.yaml`. A key that is left out has the shipped value. */
export const IdentityConfig = z.strictObject({
  identifiers: z.record(z.string(), IdentifierRule).default(defaults.identifiers),
  block: z
    .strictObject({ values: z.array(z.string()).default([]), patterns: z.array(BlockPattern).default([]) })
    .prefault(defaults.block),
  shared: z.array(z.string()).default(defaults.shared),
});
export type IdentityConfig = z.output<typeof IdentityConfig>;

/** How a type is ranked and limited; types that the configuration does not name share the rule of `*`. */
export const ruleFor = (config: IdentityConfig, type: string): z.infer<typeof IdentifierRule> =>
  config.identifiers[type] ?? config.identifiers['*'] ?? defaults.identifiers['*'];

/**
 * A phone number as E.164, or undefined where it cannot be one. Judged by length alone (7 to 15 digits after `+` or
 * `00`): number plans change faster than any table, and a number without its country belongs to nobody in particular.
 */
export const e164 = (raw: string): string | undefined => {
  const bare = raw
    .trim()
    .replace(/^tel:/iu, '')
    .replace(/\(0\)/gu, '')
    .replace(/[\s().\-/\u00a0\u2010-\u2015]/gu, '')
    .replace(/^00/u, '+');
  return /^\+[1-9]\d{6,14}$/u.test(bare) ? bare : undefined;
};

/** A number as vendors write it, as an identifier; nothing where it names no country and so nobody. */
export const phoneIdentifiers = (...raw: readonly (string | null | undefined)[]): Identifier[] => {
  const numbers = raw.flatMap((one) => (one ? (e164(one) ?? []) : []));
  return [...new Set(numbers)].map((number) => `phone:${number}`);
};

const normalisers: Record<string, (value: string) => string | undefined> = {
  email: (value) => {
    const address = value.trim().toLowerCase();
    return /^[^\s@]+@[^\s@]+$/u.test(address) ? address : undefined;
  },
  phone: e164,
  whatsapp: (value) => value.trim().replace(/^\+/u, '') || undefined,
};

/** An identifier in normal form, or undefined where its value cannot be one of its type. */
export const normaliseIdentifier = (raw: string): Identifier | undefined => {
  const colon = raw.indexOf(':');
  if (colon < 1) return undefined;
  const type = raw.slice(0, colon).trim().toLowerCase();
  const value = (normalisers[type] ?? ((text: string) => text.trim() || undefined))(raw.slice(colon + 1));
  return value === undefined ? undefined : `${type}:${value}`;
};

/** An identifier as an interaction keeps it: in normal form where it has one, unless what was written is blocked. */
export const readableIdentifier = (raw: string, config: IdentityConfig): Identifier =>
  isBlocked(raw, config) ? raw : (normaliseIdentifier(raw) ?? raw);

/**
 * The identifiers of an interaction that may link it to a customer, in the order given, each once: normalised, with
 * what they imply (a WhatsApp id is a phone number), without blocked and shared ones. Blocks are tested on the raw and
 * on the normalised value, and on the last part of a scoped one. A shared identifier implies nothing.
 */
export const usableIdentifiers = (raw: readonly string[], config: IdentityConfig): Identifier[] => {
  const shared = new Set(config.shared.map((one) => normaliseIdentifier(one) ?? one));
  const usable = new Set<Identifier>();
  for (const one of raw) {
    const normal = normaliseIdentifier(one);
    if (normal === undefined || shared.has(normal) || isBlocked(one, config)) continue;
    for (const identifier of [normal, ...impliedIdentifiers(normal)])
      if (!shared.has(identifier) && !isBlocked(identifier, config)) usable.add(identifier);
  }
  return [...usable];
};

const impliedIdentifiers = (identifier: Identifier): Identifier[] => {
  if (identifierType(identifier) !== 'whatsapp') return [];
  const phone = e164(`+${identifierValue(identifier)}`);
  return phone === undefined ? [] : [`phone:${phone}`];
};

const isBlocked = (identifier: string, config: IdentityConfig): boolean => {
  const value = identifierValue(identifier).trim();
  const last = value.slice(value.lastIndexOf(':') + 1);
  return [value, last].some(
    (one) =>
      config.block.values.some((other) => other.toLowerCase() === one.toLowerCase()) ||
      config.block.patterns.some((pattern) => pattern.test(one)),
  );
};

/** Strongest first; of equals the earlier listed is the stronger. */
export const sortByStrength = (identifiers: readonly Identifier[], config: IdentityConfig): Identifier[] =>
  identifiers
    .map((identifier, position) => ({
      identifier,
      position,
      priority: ruleFor(config, identifierType(identifier)).priority,
    }))
    .sort((one, other) => one.priority - other.priority || one.position - other.position)
    .map(({ identifier }) => identifier);
