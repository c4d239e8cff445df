import { ApiError } from '../data/errors.ts';

export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'date' | 'symbol' | 'end';
  readonly text: string;
  /** Where it starts in the query. */
  readonly at: number;
}

const SYMBOLS = ['<=', '>=', '!=', '<>', '=', '<', '>', '(', ')', ',', ':', '{', '}'];
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2}))?/u;
const NUMBER = /^[+-]?\d+(?:\.\d+)?/u;
const WORD = /^[A-Za-z_][\w.]*/u;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** A refusal that points at a place of the query, as Salesforce words it. */
export const queryError = (code: string, query: string, at: number, message: string): ApiError => {
  const line = query.slice(Math.max(0, at - 60), at + 20).replaceAll('\n', ' ');
  return new ApiError(
    400,
    code,
    `\n${line}\n${' '.repeat(Math.min(at, 60))}^\nERROR at Row:1:Column:${at + 1}\n${message}`,
  );
};

export const malformed = (query: string, at: number, found: string): ApiError =>
  queryError('MALFORMED_QUERY', query, at, `unexpected token: '${found}'`);

/** The text between quotes that start at `start`, and where it ends. In LIKE, `\%` and `\_` keep their backslash for the matcher. */
const quoted = (query: string, start: number): { readonly text: string; readonly end: number } => {
  let text = '';
  for (let at = start + 1; at < query.length; at++) {
    const character = query[at];
    if (character === "'") return { text, end: at + 1 };
    if (character !== '\\') text += character;
    else {
      const escaped = query[++at] ?? '';
      text += '%_'.includes(escaped) && escaped !== '' ? `\\${escaped}` : (ESCAPES[escaped] ?? escaped);
    }
  }
  throw queryError(
    'MALFORMED_QUERY',
    query,
    start,
    'Bind variables only allowed in Apex code, or a text has no closing quote',
  );
};

/** The tokens of a SOQL or SOSL text, the last of them the end. */
export const tokens = (query: string): Token[] => {
  const found: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const rest = query.slice(at, at + 300);
    if (/^\s/u.test(rest)) {
      at++;
      continue;
    }
    if (rest.startsWith("'")) {
      const { text, end } = quoted(query, at);
      found.push({ kind: 'string', text, at });
      at = end;
      continue;
    }
    const token = next(rest);
    if (token === undefined) throw malformed(query, at, rest.charAt(0));
    found.push({ ...token, at });
    at += token.text.length;
  }
  return [...found, { kind: 'end', text: '<EOF>', at: query.length }];
};

const next = (rest: string): Omit<Token, 'at'> | undefined => {
  const patterns = [
    ['date', DATE],
    ['number', NUMBER],
    ['word', WORD],
  ] as const;
  for (const [kind, pattern] of patterns) {
    const [text] = pattern.exec(rest) ?? [];
    if (text !== undefined) return { kind, text };
  }
  const symbol = SYMBOLS.find((candidate) => rest.startsWith(candidate));
  return symbol === undefined ? undefined : { kind: 'symbol', text: symbol };
};
