import { gunzipSync } from 'node:zlib';
import { HubError } from '../errors.ts';
import { decodeText } from './charset.ts';
import { atOffset, mailTime, zoneMinutes } from './mail/date.ts';

const unreadable = (message: string, cause?: unknown): HubError =>
  new HubError('unreadable-delivery', message, { retry: 'never', ...(cause !== undefined && { cause }) });

const MAX_DEPTH = 64;

/** Names that can change a prototype when an object is copied. No vendor uses them. */
const reservedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses JSON. Whole numbers beyond 2^53 become text, with every digit. Members with reserved names are omitted. Throws
 * `HubError` `unreadable-delivery`, also for nesting deeper than 64 levels.
 */
export const parseJson = (bytes: Uint8Array): unknown => parsed(bytes, true);

/**
 * `parseJson` without members that are null, for vendors that write null for an absent value. Use `parseJson` if null has a
 * meaning of its own, such as an emptied field.
 */
export const parsePayload = (bytes: Uint8Array): unknown => parsed(bytes, false);

/**
 * A member of a JSON object, for what a signature needs of a body that is not authentic yet: several times cheaper than
 * `parseJson`, because numbers lose digits. Undefined for anything else.
 */
export const unverifiedMember = (bytes: Uint8Array, name: string): unknown => {
  try {
    return memberOf(JSON.parse(Buffer.from(bytes).toString()), name);
  } catch {
    return undefined;
  }
};

/** The last value of a field of a form, without reading the others. */
export const unverifiedField = (bytes: Uint8Array, name: string): string | undefined => {
  const body = Buffer.from(bytes);
  const at = body.lastIndexOf(`&${name}=`);
  const from = at >= 0 ? at + name.length + 2 : body.indexOf(`${name}=`) === 0 ? name.length + 1 : undefined;
  if (from === undefined) return undefined;
  const end = body.indexOf('&', from);
  return (
    new URLSearchParams(`v=${body.toString('utf8', from, end < 0 ? body.length : end)}`).get('v') ?? undefined
  );
};

/** Runs a parser; undefined if it throws `unreadable-delivery`. */
export const ifReadable = <Value>(parse: () => Value): Value | undefined => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HubError && error.code === 'unreadable-delivery') return undefined;
    throw error;
  }
};

/**
 * Parses JSON inside a text of a payload; undefined if it is not JSON. One customer's device may have written the text, so
 * an error would block the other events of the delivery.
 */
export const jsonWithin = (text: string): unknown => ifReadable(() => parseJson(Buffer.from(text)));

/** A member of an unknown value; undefined if the value is no object or has no such member. */
export const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;

/** The entry of a table for a name that a vendor sends; undefined also for the names that every object has. */
export const entryOf = <Value>(
  table: Readonly<Record<string, Value>>,
  name: string | null | undefined,
): Value | undefined => (typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined);

const parsed = (bytes: Uint8Array, withNulls: boolean): unknown => {
  const text = Buffer.from(bytes).toString();
  const { depth, hasLongNumber } = outlineOf(text);
  if (depth > MAX_DEPTH) throw unreadable(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  try {
    const value: unknown = hasLongNumber ? JSON.parse(text, exactNumbers) : JSON.parse(text);
    return cleaned(value, withNulls);
  } catch (error) {
    throw unreadable('The body is not JSON.', error);
  }
};

/** A reviver costs five times as much as the parsing: it is used only for what has numbers that may need it. */
const exactNumbers = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
  const source = context?.source;
  return typeof value === 'number' &&
    source !== undefined &&
    /^-?\d+$/u.test(source) &&
    !Number.isSafeInteger(value)
    ? source
    : value;
};

/** Removes the members with reserved names and, if so wished, those that are null. */
const cleaned = (value: unknown, withNulls: boolean): unknown => {
  if (value === null && !withNulls) return undefined;
  if (typeof value === 'object') clean(value, withNulls);
  return value;
};

const clean = (value: object | null, withNulls: boolean): void => {
  if (value === null) return;
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') clean(element, withNulls);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    if ((member === null && !withNulls) || reservedNames.has(key)) Reflect.deleteProperty(value, key);
    else if (typeof member === 'object') clean(member, withNulls);
  }
};

/** As many digits as the smallest number has that JavaScript may round. */
const LONG_NUMBER = 16;

/** How deep a JSON text is nested, and whether it has a number so long that it may be rounded. */
const outlineOf = (text: string): { readonly depth: number; readonly hasLongNumber: boolean } => {
  let [open, depth, digits, quoted, hasLongNumber] = [0, 0, 0, false, false];
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (quoted) {
      if (character === 92) at++;
      else if (character === 34) quoted = false;
    } else if (character >= 48 && character <= 57) {
      digits++;
      if (digits === LONG_NUMBER) hasLongNumber = true;
    } else {
      digits = 0;
      if (character === 34) quoted = true;
      else if (character === 123 || character === 91) depth = Math.max(depth, ++open);
      else if (character === 125 || character === 93) open--;
    }
  }
  return { depth, hasLongNumber };
};

/** The fields of a form; the last value of a repeated field. */
export const parseForm = (bytes: Uint8Array): Record<string, string> =>
  parseQuery(Buffer.from(bytes).toString());

/** A form's fields in their order, repeated ones too. */
export const parseFormPairs = (bytes: Uint8Array): [name: string, value: string][] =>
  [...new URLSearchParams(Buffer.from(bytes).toString())].filter(([name]) => !reservedNames.has(name));

/** The bytes of a form's field, which may be no UTF-8; undefined if there is no such field. */
export const formBytes = (bytes: Uint8Array, name: string): Uint8Array | undefined => {
  const pair = Buffer.from(bytes)
    .toString('latin1')
    .split('&')
    .find((one) => one.startsWith(`${name}=`));
  const written = pair?.slice(name.length + 1).replaceAll('+', ' ');
  return written === undefined
    ? undefined
    : Buffer.from(
        written.replace(/%([0-9a-f]{2})/giu, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        ),
        'latin1',
      );
};

/** The fields of a query string, with or without its `?`; of a repeated one the last value. */
export const parseQuery = (query: string): Record<string, string> =>
  Object.fromEntries([...new URLSearchParams(query)].filter(([name]) => !reservedNames.has(name)));

/** Decompresses gzip. Throws `HubError` `unreadable-delivery` if the result exceeds `cap` bytes. */
export const inflate = (bytes: Uint8Array, cap: number): Uint8Array => {
  try {
    return gunzipSync(bytes, { maxOutputLength: cap });
  } catch (error) {
    throw unreadable(`The body is not gzip, or has more than ${cap} bytes after decompression.`, error);
  }
};

export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly bytes: Uint8Array;
}

const MOST_PARTS = 200;

/** The parts of a multipart/form-data body, as raw bytes, because each part may have its own charset. */
export const parseMultipart = (contentType: string, body: Uint8Array): Part[] => {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/iu.exec(contentType);
  const delimiter = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ''}`);
  if (boundary === null || delimiter.length > 74)
    throw unreadable('The multipart body has no boundary in its content type.');
  const bytes = Buffer.from(body);
  const parts: Part[] = [];
  let start = bytes.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length;
    if (bytes.toString('latin1', from, from + 2) === '--') return parts;
    const end = bytes.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), from);
    const head = bytes.indexOf('\r\n\r\n', from);
    if (end < 0 || head < 0 || head > end || parts.length >= MOST_PARTS)
      throw unreadable('The multipart body is truncated or has too many parts.');
    parts.push(partOf(bytes.toString('utf8', from + 2, head), bytes.subarray(head + 4, end)));
    start = end + 2;
  }
  throw unreadable('The multipart body is truncated.');
};

const partOf = (head: string, bytes: Uint8Array): Part => {
  const headers = new Map(
    head
      .split('\r\n')
      .map((line) => [
        line.slice(0, line.indexOf(':')).trim().toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
  );
  const disposition = headers.get('content-disposition') ?? '';
  const [name, plain] = ['name', 'filename'].map((key) => {
    const [, quoted, bare] =
      new RegExp(`;\\s*${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'iu').exec(disposition) ?? [];
    return quoted ?? bare;
  });
  const filename = extendedName(disposition) ?? plain;
  const contentType = headers.get('content-type');
  return {
    name: name ?? '',
    bytes,
    ...(filename !== undefined && { filename }),
    ...(contentType !== undefined && { contentType }),
  };
};

/** The file name in RFC 5987 form (UTF-8, percent-encoded); undefined if there is none. */
const extendedName = (disposition: string): string | undefined => {
  const [, encoded] = /;\s*filename\*=utf-8'[^']*'([^\s;]+)/iu.exec(disposition) ?? [];
  try {
    return encoded && decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
};

/** The text of a part: `charset` is the one that the vendor gives separately; default: the part's own header. */
export const textOfPart = ({ bytes, contentType }: Part, charset?: string): string =>
  decodeText(bytes, charset ?? /;\s*charset\s*=\s*("[^"]*"|[^;]+)/iu.exec(contentType ?? '')?.[1]);

/** The instant of epoch seconds or milliseconds, as number or text; undefined for other values. */
export const instantOf = (epoch: unknown): string | undefined => {
  const value = typeof epoch === 'string' && /^\d+(?:\.\d+)?$/u.test(epoch) ? Number(epoch) : epoch;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined;
  const milliseconds = Math.trunc(value < 1e11 ? value * 1000 : value);
  return milliseconds < 253_402_300_800_000 ? new Date(milliseconds).toISOString() : undefined;
};

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s?(Z|[a-z]{2,5}|[+-]\d{2}(?::?\d{2})?)?$/iu;

/**
 * A time as vendors write it (ISO 8601, with UTC where it names no offset; a date of a mail; epoch) as an instant; finer digits
 * than milliseconds are cut. Undefined where it is none.
 */
export const readTime = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return instantOf(value);
  const text = value.trim();
  const iso = ISO.exec(text);
  if (iso === null) return mailTime(text) ?? instantOf(text);
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = iso;
  const offset = zoneMinutes(zone);
  if (offset === undefined) return undefined;
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  const [y = 0, m = 0, ...rest] = [year, month, day, hour, minute, second].map((part) => Number(part ?? 0));
  return atOffset([y, m - 1, ...rest, milliseconds], offset);
};

/** Adds the `+` to a phone number that a vendor writes without it; undefined for a short code, a name or a withheld number. */
export const msisdn = (value: unknown): string | undefined => {
  const digits = String(value ?? '')
    .trim()
    .replace(/^\+/u, '');
  return /^[1-9]\d{6,14}$/u.test(digits) ? `+${digits}` : undefined;
};

/** Encodes text as one path segment of a URL. */
export const urlPart = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Removes undefined members, for types that forbid them. */
export const defined = <Shape extends object>(
  shape: Shape,
): { [Key in keyof Shape]: Exclude<Shape[Key], undefined> } => {
  const present: Partial<Shape> = {};
  for (const key in shape) if (shape[key] !== undefined) present[key] = shape[key];
  return present as { [Key in keyof Shape]: Exclude<Shape[Key], undefined> };
};
