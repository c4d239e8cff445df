import { type Identifier, identifierType, identifierValue } from '../identity/identifier.ts';

/** Replaces identifiers in a stored record, wherever they occur in its texts and keys. */
export type Mask = <Value>(value: Value) => Value;

/** Values that are shorter are replaced only where they stand with their type: every text contains them. */
const SHORTEST = 6;
const NUMBER = /^\+?\d{7,15}$/u;

/**
 * An identifier of which only the kind and a hint are left: `email:a…@example.com`, `phone:…00`, `user-id:…`. Whose it is
 * can be guessed by somebody who knows it, and by nobody else.
 */
const maskedIdentifier = (identifier: Identifier): string =>
  `${identifierType(identifier)}:${maskedValue(identifier)}`;

const maskedValue = (identifier: Identifier): string => {
  const value = identifierValue(identifier);
  const [local = '', domain] = value.split('@');
  if (identifierType(identifier) === 'email' && domain !== undefined)
    return `${local.length > 2 ? local.slice(0, 1) : ''}…@${domain}`;
  return NUMBER.test(value) ? `…${value.slice(-2)}` : '…';
};

/**
 * Masks these identifiers in JSON values: whole identifiers, their values inside texts (in whatever case, percent-encoded,
 * a phone number however it is written), and the keys of maps. Other values stay as they are.
 */
export const maskOf = (identifiers: Iterable<Identifier>): Mask => {
  const all = [...identifiers];
  const whole = new Map(all.map((one) => [one, maskedIdentifier(one)]));
  const parts = all.flatMap((one) => {
    const value = identifierValue(one);
    const scopedless = value.slice(value.lastIndexOf(':') + 1);
    return [...new Set([value, scopedless])]
      .filter(({ length }) => length >= SHORTEST)
      .map((text) => ({ pattern: patternOf(text), masked: maskedValue(one) }));
  });
  const text = (original: string): string => {
    const known = whole.get(original);
    if (known !== undefined) return known;
    return parts.reduce((now, { pattern, masked }) => now.replace(pattern, masked), original);
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [text(key), walk(member)]));
  };
  return all.length === 0 ? (value) => value : (value) => walk(value) as typeof value;
};

/** Matches a value as people and programs write it. */
const patternOf = (value: string): RegExp => {
  if (NUMBER.test(value)) {
    const digits = [...value.replace('+', '')].join(String.raw`[\s().\-/]*`);
    return new RegExp(String.raw`(?<!\d)(?:\+|00|%2b)?${digits}(?!\d)`, 'giu');
  }
  const forms = [...new Set([value, encodeURIComponent(value)])].map(escaped);
  return new RegExp(forms.join('|'), 'giu');
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/gu, String.raw`\$&`);
