import { HubError } from './errors.ts';

const unreadable = (message: string, cause?: unknown): HubError =>
  new HubError('unreadable', message, { retry: 'never', ...(cause !== undefined && { cause }) });

const DEEPEST = 64;

/** JSON whose whole numbers beyond 2^53 stay text, with every digit. Refuses nesting that no vendor sends. */
export const parseJson = (bytes: Uint8Array): unknown => {
  const text = Buffer.from(bytes).toString();
  if (depthOf(text) > DEEPEST) throw unreadable(`The body is nested deeper than ${DEEPEST} levels.`);
  try {
    return JSON.parse(text, exactNumbers);
  } catch (error) {
    throw unreadable('The body is not JSON.', error);
  }
};

function exactNumbers(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  return typeof value === 'number' &&
    source !== undefined &&
    /^-?\d+$/u.test(source) &&
    !Number.isSafeInteger(value)
    ? source
    : value;
}

const depthOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (quoted) {
      if (character === 92) at++;
      else if (character === 34) quoted = false;
    } else if (character === 34) quoted = true;
    else if (character === 123 || character === 91) deepest = Math.max(deepest, ++depth);
    else if (character === 125 || character === 93) depth--;
  }
  return deepest;
};

/** A form's fields; of a repeated one the last value. */
export const parseForm = (bytes: Uint8Array): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(Buffer.from(bytes).toString()));

export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly bytes: Uint8Array;
}

const MOST_PARTS = 200;

/** The parts of a multipart/form-data body, as raw bytes: each may have a charset of its own. */
export const parseMultipart = (contentType: string, body: Uint8Array): Part[] => {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/iu.exec(contentType);
  const delimiter = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ''}`);
  if (boundary === null || delimiter.length > 74) throw unreadable('The multipart body names no boundary.');
  const bytes = Buffer.from(body);
  const parts: Part[] = [];
  let start = bytes.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length;
    if (bytes.toString('latin1', from, from + 2) === '--') return parts;
    const end = bytes.indexOf(Buffer.concat([Buffer.from('\r\n'), delimiter]), from);
    const head = bytes.indexOf('\r\n\r\n', from);
    if (end < 0 || head < 0 || head > end || parts.length >= MOST_PARTS)
      throw unreadable('The multipart body is cut off or has too many parts.');
    parts.push(partOf(bytes.toString('utf8', from + 2, head), bytes.subarray(head + 4, end)));
    start = end + 2;
  }
  throw unreadable('The multipart body is cut off.');
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
  const [name, filename] = ['name', 'filename'].map(
    (key) => new RegExp(`;\\s*${key}="((?:[^"\\\\]|\\\\.)*)"`, 'iu').exec(disposition)?.[1],
  );
  const contentType = headers.get('content-type');
  return {
    name: name ?? '',
    bytes,
    ...(filename !== undefined && { filename }),
    ...(contentType !== undefined && { contentType }),
  };
};

/** Text in a charset that a vendor names; UTF-8 where it names none or one that nobody knows. */
export const decodeText = (bytes: Uint8Array, charset = 'utf-8'): string => {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
};

export interface Mailbox {
  readonly address: string;
  readonly name?: string;
}

/** The mailboxes of an RFC 5322 address list, addresses in lower case; whatever is none is left out. */
export const parseMailboxes = (text: string): Mailbox[] =>
  splitList(text).flatMap((part): Mailbox[] => {
    const [, quoted, plain, inBrackets] =
      /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<]*?))\s*<([^<>]+)>\s*$/su.exec(part) ?? [];
    const address = (inBrackets ?? part).trim().toLowerCase();
    if (!/^[^\s@<>]+@[^\s@<>]+$/u.test(address)) return [];
    const name = (quoted?.replace(/\\(.)/gu, '$1') ?? plain ?? '').trim();
    return [{ address, ...(name !== '' && inBrackets !== undefined && { name }) }];
  });

/** Splits at commas that stand neither in quotes nor in angle brackets. */
const splitList = (text: string): string[] => text.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+/gsu) ?? [];

/** Epoch seconds or milliseconds, as number or text, as an instant; undefined where it is neither. */
export const instantOf = (epoch: unknown): string | undefined => {
  const value = typeof epoch === 'string' && /^\d+(?:\.\d+)?$/u.test(epoch) ? Number(epoch) : epoch;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined;
  const milliseconds = Math.trunc(value < 1e11 ? value * 1000 : value);
  return milliseconds < 253_402_300_800_000 ? new Date(milliseconds).toISOString() : undefined;
};

/** An object without the members that are undefined, for records that forbid them. */
export const defined = <Shape extends object>(
  shape: Shape,
): { [Key in keyof Shape]: Exclude<Shape[Key], undefined> } =>
  Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Shape]: Exclude<Shape[Key], undefined>;
  };
