import { notInSandbox } from '../data/errors.ts';
import { dateLiteral, writtenDate } from './dates.ts';
import {
  type Aggregate,
  aggregates,
  type Comparison,
  type Condition,
  type Literal,
  type Order,
  type Path,
  type Query,
  type Selected,
} from './query.ts';
import { malformed, queryError, type Token, tokens } from './tokens.ts';

/** Reads tokens one after the other; words are compared without regard to letter case. */
export class Reader {
  readonly text: string;
  /** Epoch milliseconds; date literals are relative to it. */
  readonly now: number;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string, now: number) {
    this.text = text;
    this.now = now;
    this.#tokens = tokens(text);
  }

  peek(ahead = 0): Token {
    return (
      this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] ?? {
        kind: 'end',
        text: '<EOF>',
        at: this.text.length,
      }
    );
  }

  take(): Token {
    const token = this.peek();
    this.#next++;
    return token;
  }

  is(...texts: readonly string[]): boolean {
    return texts.every((text, ahead) => {
      const token = this.peek(ahead);
      return token.kind !== 'string' && token.text.toUpperCase() === text;
    });
  }

  /** Whether these tokens come next; if so they are taken. */
  accept(...texts: readonly string[]): boolean {
    if (!this.is(...texts)) return false;
    this.#next += texts.length;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected();
  }

  word(): Token {
    if (this.peek().kind !== 'word') throw this.unexpected();
    return this.take();
  }

  number(): number {
    if (this.peek().kind !== 'number') throw this.unexpected();
    return Number(this.take().text);
  }

  path(): Path {
    const { text, at } = this.word();
    return { names: text.split('.'), at };
  }

  list<Item>(item: () => Item): Item[] {
    const items = [item()];
    while (this.accept(',')) items.push(item());
    return items;
  }

  unexpected(): Error {
    return malformed(this.text, this.peek().at, this.peek().text);
  }
}

/** The query of a SOQL text. Throws the `ApiError` MALFORMED_QUERY. */
export const parseQuery = (text: string, now: number): Query => {
  const reader = new Reader(text, now);
  const query = queryOf(reader);
  if (reader.peek().kind !== 'end') throw reader.unexpected();
  return query;
};

const queryOf = (reader: Reader): Query => {
  reader.expect('SELECT');
  const select = reader.accept('COUNT', '(', ')') ? [] : reader.list(() => selected(reader));
  reader.expect('FROM');
  const from = reader.path();
  const alias =
    reader.peek().kind === 'word' && !CLAUSES.some((clause) => reader.is(clause))
      ? reader.word().text
      : undefined;
  if (reader.accept('USING', 'SCOPE')) reader.word();
  const where = reader.accept('WHERE') ? disjunction(reader) : undefined;
  const groupBy = reader.accept('GROUP', 'BY') ? reader.list(() => reader.path()) : [];
  if (reader.is('HAVING') || reader.is('WITH')) throw notInSandbox(`SOQL ${reader.peek().text}`);
  const orderBy = reader.accept('ORDER', 'BY') ? reader.list(() => order(reader)) : [];
  const limit = reader.accept('LIMIT') ? reader.number() : undefined;
  const offset = reader.accept('OFFSET') ? reader.number() : 0;
  if (reader.accept('ALL')) reader.expect('ROWS');
  while (reader.accept('FOR')) reader.list(() => reader.word());
  const query = {
    select,
    from,
    groupBy,
    orderBy,
    offset,
    ...(where && { where }),
    ...(limit !== undefined && { limit }),
  };
  return alias === undefined ? query : withoutAlias(query, alias);
};

const CLAUSES = [
  'WHERE',
  'USING',
  'WITH',
  'GROUP',
  'HAVING',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'FOR',
  'ALL',
  'UPDATE',
];

/** An alias of the object before a field says nothing more. */
const withoutAlias = (query: Query, alias: string): Query => {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      key === 'names' &&
      Array.isArray(inner) &&
      inner.length > 1 &&
      String(inner[0]).toLowerCase() === alias.toLowerCase()
        ? inner.slice(1)
        : strip(inner),
    ]);
    return Object.fromEntries(entries);
  };
  return strip(query) as Query;
};

const selected = (reader: Reader): Selected => {
  if (reader.accept('(')) {
    const query = queryOf(reader);
    reader.expect(')');
    return { kind: 'children', query };
  }
  if (reader.accept('FIELDS', '(')) {
    const group = (['ALL', 'STANDARD', 'CUSTOM'] as const).find((name) => reader.accept(name));
    if (group === undefined) throw reader.unexpected();
    reader.expect(')');
    return { kind: 'every', group };
  }
  if (reader.is('TYPEOF')) throw notInSandbox('SOQL TYPEOF');
  const name = aggregates.find((candidate) => reader.is(candidate, '('));
  if (name !== undefined) return aggregate(reader, name);
  if (reader.peek(1).text === '(') throw notInSandbox(`SOQL ${reader.peek().text}()`);
  return { kind: 'field', path: reader.path(), ...aliasOf(reader) };
};

const aggregate = (reader: Reader, name: Aggregate): Selected => {
  reader.take();
  reader.expect('(');
  const path = reader.path();
  reader.expect(')');
  return { kind: 'aggregate', name, path, ...aliasOf(reader) };
};

const aliasOf = (reader: Reader): { readonly alias?: string } =>
  reader.peek().kind === 'word' && !reader.is('FROM') ? { alias: reader.word().text } : {};

const order = (reader: Reader): Order => {
  const path = reader.path();
  const descending = reader.accept('DESC');
  if (!descending) reader.accept('ASC');
  const nullsLast = reader.accept('NULLS', 'LAST');
  if (!nullsLast && reader.accept('NULLS')) reader.expect('FIRST');
  return { path, descending, nullsLast };
};

const disjunction = (reader: Reader): Condition => {
  const first = conjunction(reader);
  const parts = [first];
  while (reader.accept('OR')) parts.push(negation(reader));
  if (parts.length > 1 && reader.is('AND')) throw reader.unexpected();
  return parts.length === 1 ? first : { kind: 'group', every: false, parts };
};

const conjunction = (reader: Reader): Condition => {
  const first = negation(reader);
  const parts = [first];
  while (reader.accept('AND')) parts.push(negation(reader));
  // SOQL refuses a mixture of AND and OR without parentheses.
  if (parts.length > 1 && reader.is('OR')) throw reader.unexpected();
  return parts.length === 1 ? first : { kind: 'group', every: true, parts };
};

const negation = (reader: Reader): Condition => {
  if (reader.accept('NOT')) return { kind: 'not', part: negation(reader) };
  if (!reader.accept('(')) return comparison(reader);
  const inner = disjunction(reader);
  reader.expect(')');
  return inner;
};

const SYMBOLIC: readonly Comparison[] = ['=', '!=', '<=', '>=', '<', '>'];
const LISTED = ['IN', 'INCLUDES', 'EXCLUDES'] as const;

const comparison = (reader: Reader): Condition => {
  if (reader.peek(1).text === '(') throw notInSandbox(`SOQL ${reader.peek().text}()`);
  const path = reader.path();
  const listed = reader.accept('NOT', 'IN') ? 'NOT IN' : LISTED.find((name) => reader.accept(name));
  if (listed !== undefined) return membership(reader, path, listed);
  const symbol = reader.accept('<>')
    ? '!='
    : ([...SYMBOLIC, 'LIKE'] as const).find((name) => reader.accept(name));
  if (symbol === undefined) throw reader.unexpected();
  return { kind: 'compare', path, comparison: symbol, values: [literal(reader)] };
};

const membership = (
  reader: Reader,
  path: Path,
  listed: 'IN' | 'NOT IN' | 'INCLUDES' | 'EXCLUDES',
): Condition => {
  reader.expect('(');
  const inner: Condition = reader.is('SELECT')
    ? { kind: 'semijoin', path, negated: listed === 'NOT IN', query: queryOf(reader) }
    : { kind: 'compare', path, comparison: listed, values: reader.list(() => literal(reader)) };
  reader.expect(')');
  return inner;
};

const literal = (reader: Reader): Literal => {
  const { kind, text, at } = reader.take();
  if (kind === 'string') return { kind: 'text', value: text };
  if (kind === 'number') return { kind: 'number', value: Number(text) };
  if (kind === 'date') return writtenDate(text);
  const word = text.toLowerCase();
  if (word === 'null') return { kind: 'null' };
  if (word === 'true' || word === 'false') return { kind: 'boolean', value: word === 'true' };
  const date =
    kind === 'word'
      ? dateLiteral(text, reader.accept(':') ? reader.number() : undefined, reader.now)
      : undefined;
  if (date) return date;
  if (text === ':')
    throw queryError('MALFORMED_QUERY', reader.text, at, 'Bind variables only allowed in Apex code');
  throw malformed(reader.text, at, text);
};
