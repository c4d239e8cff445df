import { emailAddress, withoutInvisible } from '../formats/mail/mailbox.ts';
import { inAccountInUse } from './crm/accounts.ts';
import { type Identifier, identifierType, identifierValue } from './identifier.ts';
import { type IdentityConfig, isCrmReference } from './identity-config.ts';

/**
 * A phone number as E.164; undefined if it cannot be one. Digits of any script count; marks and invisible characters do not.
 * Only the length is checked (7 to 15 digits after `+` or `00`): number plans change faster than any table. A number
 * without its country code is not unique, so it is refused.
 */
export const e164 = (raw: string): string | undefined => {
  const bare = withoutInvisible(raw)
    .normalize('NFKC')
    .replace(/\p{Nd}/gu, asciiDigit)
    .trim()
    .replace(/^tel:/iu, '')
    .replace(/\(0\)/gu, '')
    .replace(/[\s().\-/\p{Pd}\u00b7\u2215]/gu, '')
    .replace(/^00/u, '+');
  return /^\+[1-9]\d{6,14}$/u.test(bare) ? bare : undefined;
};

/** The ASCII form of a digit. Unicode orders the ten digits of each script from zero to nine. */
const asciiDigit = (digit: string): string => {
  const code = digit.codePointAt(0) ?? 0;
  let steps = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - steps - 1))) steps++;
  return String(steps % 10);
};

/**
 * The two spellings of mobile numbers of Mexico, Argentina and Brazil: WhatsApp keeps or omits a digit that the country has
 * dropped or added (https://faq.whatsapp.com/1294841057948784).
 */
const spellings: readonly (readonly [long: RegExp, short: RegExp, infix: string])[] = [
  [/^(\+52)1(\d{10})$/u, /^(\+52)(\d{10})$/u, '1'],
  [/^(\+54)9(\d{10})$/u, /^(\+54)([1-8]\d{9})$/u, '9'],
  [/^(\+55\d\d)9([6-9]\d{7})$/u, /^(\+55\d\d)([6-9]\d{7})$/u, '9'],
];

/** The other spelling of a number. It finds the same owner, but is not owned, not counted, and not used for sending. */
export const otherSpelling = (identifier: Identifier): Identifier | undefined => {
  if (identifierType(identifier) !== 'phone') return undefined;
  const number = identifierValue(identifier);
  for (const [long, short, infix] of spellings) {
    const [, prefix, rest] = long.exec(number) ?? [];
    if (prefix !== undefined) return `phone:${prefix}${rest}`;
    const [, before, after] = short.exec(number) ?? [];
    if (before !== undefined) return `phone:${before}${infix}${after}`;
  }
  return undefined;
};

/** Identifiers, each followed by its other spelling. */
export const withSpellings = (identifiers: readonly Identifier[]): Identifier[] =>
  identifiers.flatMap((one) => [one, ...[otherSpelling(one)].filter((other) => other !== undefined)]);

/** The identifiers of phone numbers as vendors write them, without duplicates; numbers without a country code are omitted. */
export const phoneIdentifiers = (...raw: readonly (string | null | undefined)[]): Identifier[] => {
  const numbers = raw.flatMap((one) => (one ? (e164(one) ?? []) : []));
  return [...new Set(numbers)].map((number) => `phone:${number}`);
};

/** DynamoDB allows 2,048 bytes for a partition key, which also contains a prefix. */
const MAX_IDENTIFIER_BYTES = 2000;

/** By identifier type. Other types are only trimmed. */
const normalisers: Record<string, (value: string) => string | undefined> = {
  email: emailAddress,
  phone: e164,
  whatsapp: (value) => value.trim().replace(/^\+/u, '') || undefined,
};

/** `type:value` in normal form; undefined if the value cannot be one of its type. */
export const normaliseIdentifier = (raw: string): Identifier | undefined => {
  const colon = raw.indexOf(':');
  if (colon < 1) return undefined;
  const type = raw.slice(0, colon).trim().toLowerCase();
  const value = (normalisers[type] ?? ((text: string) => text.trim() || undefined))(raw.slice(colon + 1));
  const identifier = `${type}:${value}`;
  return value === undefined || Buffer.byteLength(identifier) > MAX_IDENTIFIER_BYTES ? undefined : identifier;
};

/** The form in which an interaction stores an identifier: normalised if it can be, unchanged if it is blocked. */
export const readableIdentifier = (raw: string, config: IdentityConfig): Identifier => {
  if (isBlocked(raw, config)) return raw;
  const normal = normaliseIdentifier(raw) ?? raw;
  return isCrmReference(config, normal) ? inAccountInUse(normal, config.scopes) : normal;
};

/**
 * The identifiers that may link an interaction to a customer: normalised, each once, in the given order, together with
 * those that they imply (a WhatsApp id is a phone number), without blocked and shared ones. Blocks are tested on the raw
 * value, on the normalised value, and on the last part of a scoped value. A shared identifier implies nothing. Ids of
 * records in a CRM are not among them: see `usableReferences`.
 */
export const usableIdentifiers = (raw: readonly string[], config: IdentityConfig): Identifier[] =>
  usable(raw, config).filter((one) => !isCrmReference(config, one));

/** The ids of records in CRMs that are switched on, normalised, in the account in use; blocked and shared ones are left out. */
export const usableReferences = (raw: readonly string[], config: IdentityConfig): Identifier[] =>
  usable(raw, config)
    .filter((one) => isCrmReference(config, one))
    .map((one) => inAccountInUse(one, config.scopes));

const usable = (raw: readonly string[], config: IdentityConfig): Identifier[] => {
  const shared = new Set(config.shared.map((one) => normaliseIdentifier(one) ?? one));
  const found = new Set<Identifier>();
  for (const one of raw) {
    const normal = normaliseIdentifier(one);
    if (normal === undefined || shared.has(normal) || isBlocked(one, config)) continue;
    for (const identifier of [normal, ...impliedIdentifiers(normal)])
      if (!shared.has(identifier) && !isBlocked(identifier, config)) found.add(identifier);
  }
  return [...found];
};

const impliedIdentifiers = (identifier: Identifier): Identifier[] => {
  if (identifierType(identifier) !== 'whatsapp') return [];
  const phone = e164(`+${identifierValue(identifier)}`);
  return phone === undefined ? [] : [`phone:${phone}`];
};

const isBlocked = (identifier: string, config: IdentityConfig): boolean => {
  const value = identifierValue(identifier).trim();
  const last = value.slice(value.lastIndexOf(':') + 1);
  return (last === value ? [value] : [value, last]).some((one) => {
    const lower = one.toLowerCase();
    return (
      config.block.values.some((other) => other.toLowerCase() === lower) ||
      config.block.patterns.some((pattern) => pattern.test(one))
    );
  });
};
