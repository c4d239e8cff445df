import { type Identifier, identifierType, identifierValue } from './identifier.ts';
import type { IdentityConfig } from './identity-config.ts';

/**
 * A phone number as E.164; undefined if it cannot be one. Only the length is checked (7 to 15 digits after `+` or `00`):
 * number plans change faster than any table. A number without its country code is not unique, so it is refused.
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

/** Phone numbers as vendors write them, as identifiers, each once; numbers without a country code are left out. */
export const phoneIdentifiers = (...raw: readonly (string | null | undefined)[]): Identifier[] => {
  const numbers = raw.flatMap((one) => (one ? (e164(one) ?? []) : []));
  return [...new Set(numbers)].map((number) => `phone:${number}`);
};

/** By type; a type that is not listed is only trimmed. */
const normalisers: Record<string, (value: string) => string | undefined> = {
  email: (value) => {
    const address = value.trim().toLowerCase();
    return /^[^\s@]+@[^\s@]+$/u.test(address) ? address : undefined;
  },
  phone: e164,
  whatsapp: (value) => value.trim().replace(/^\+/u, '') || undefined,
};

/** `type:value` in normal form; undefined if the value cannot be one of its type. */
export const normaliseIdentifier = (raw: string): Identifier | undefined => {
  const colon = raw.indexOf(':');
  if (colon < 1) return undefined;
  const type = raw.slice(0, colon).trim().toLowerCase();
  const value = (normalisers[type] ?? ((text: string) => text.trim() || undefined))(raw.slice(colon + 1));
  return value === undefined ? undefined : `${type}:${value}`;
};

/** The form in which an interaction stores an identifier: normalised if it can be, unchanged if it is blocked. */
export const readableIdentifier = (raw: string, config: IdentityConfig): Identifier =>
  isBlocked(raw, config) ? raw : (normaliseIdentifier(raw) ?? raw);

/**
 * The identifiers that may link an interaction to a customer: normalised, each once, in the given order, together with
 * those that they imply (a WhatsApp id is a phone number), without blocked and shared ones. Blocks are tested on the raw
 * value, on the normalised value, and on the last part of a scoped value. A shared identifier implies nothing.
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
