import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import { ApiError } from '../data/errors.ts';
import type { Org } from '../data/org.ts';
import type { Field, ObjectType } from '../schema/fields.ts';
import { Reader } from './parse.ts';
import { heldValue } from './paths.ts';
import { runQuery } from './run.ts';

const GROUPS: Readonly<Record<string, (field: Field) => boolean>> = {
  PHONE: ({ type }) => type === 'phone',
  EMAIL: ({ type }) => type === 'email',
  NAME: ({ nameField }) => nameField,
  ALL: ({ type }) => ['string', 'textarea', 'email', 'phone', 'url', 'picklist', 'combobox'].includes(type),
};

/** A local number and the same with the code of its country end with the same digits; fewer than these say nothing. */
const LOCAL_DIGITS = 7;

const badSearch = (message: string): ApiError => new ApiError(400, 'MALFORMED_SEARCH', message);

/** The text between the braces of FIND, and what follows. */
const found = (text: string): { readonly term: string; readonly rest: string } => {
  const start = /^\s*FIND\s*\{/iu.exec(text)?.[0].length;
  if (start === undefined) throw badSearch('A search starts with FIND {…}');
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '}') return { term: text.slice(start, at), rest: text.slice(at + 1) };
  }
  throw badSearch("No closing '}' after FIND");
};

interface Returning {
  readonly object: string;
  readonly query: string;
}

const returningOf = (reader: Reader): Returning => {
  const object = reader.word().text;
  if (!reader.accept('(')) return { object, query: `SELECT Id FROM ${object}` };
  const start = reader.peek().at;
  let depth = 0;
  let clauses: number | undefined;
  while (depth > 0 || !reader.is(')')) {
    const { kind, text, at } = reader.take();
    if (kind === 'end') throw reader.unexpected();
    if (text === '(' && kind === 'symbol') depth++;
    if (text === ')' && kind === 'symbol') depth--;
    if (depth === 0 && kind === 'word' && ['WHERE', 'ORDER', 'LIMIT', 'OFFSET'].includes(text.toUpperCase()))
      clauses ??= at;
  }
  const end = reader.take().at;
  const fields = reader.text.slice(start, clauses ?? end);
  return {
    object,
    query: `SELECT ${fields} FROM ${object} ${clauses === undefined ? '' : reader.text.slice(clauses, end)}`,
  };
};

const digits = (text: string): string => text.replace(/\D/gu, '');
const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}*]+/gu) ?? [];

const samePhone = (one: string, other: string): boolean => {
  const [shorter = '', longer = ''] = [digits(one), digits(other)].sort(
    (left, right) => left.length - right.length,
  );
  return (
    shorter !== '' &&
    (shorter === longer || (shorter.length >= LOCAL_DIGITS && longer.endsWith(shorter.replace(/^0+/u, ''))))
  );
};

/** Whether the words of a term follow each other in a text; a `*` at the end of a word stands for any ending. */
const containsWords = (text: string, term: string): boolean => {
  const [here, wanted] = [words(text), words(term)];
  if (wanted.length === 0) return false;
  return here.some((_, start) =>
    wanted.every((word, index) => {
      const candidate = here[start + index];
      return word.endsWith('*') ? candidate?.startsWith(word.slice(0, -1)) : candidate === word;
    }),
  );
};

const matcher = (type: ObjectType, group: string, term: string): ((record: HeldRecord) => boolean) => {
  const fields = type.fields.filter(GROUPS[group] ?? (() => false));
  const alternatives = term
    .replace(/\\(.)/gu, '$1')
    .split(/ OR /u)
    .map((part) => part.trim().replace(/^"|"$/gu, ''));
  return (record) =>
    fields.some((field) => {
      const value = heldValue(field, record.fields);
      if (value === null) return false;
      return alternatives.some(
        (part) =>
          (field.type === 'phone' && samePhone(String(value), part)) || containsWords(String(value), part),
      );
    });
};

/** The records that a SOSL text finds. Throws `ApiError`. */
export const search = (org: Org, text: string, base: string): Fields[] => {
  const { term, rest } = found(text);
  if (term.replace(/[^\p{L}\p{N}]/gu, '').length < 2)
    throw badSearch('search term must be longer than one character');
  const reader = new Reader(rest, org.now());
  const group = reader.accept('IN') ? reader.word().text.toUpperCase() : 'ALL';
  if (group !== 'ALL' || reader.is('FIELDS')) reader.expect('FIELDS');
  if (GROUPS[group] === undefined)
    throw badSearch(`The sandbox searches in ${Object.keys(GROUPS).join(', ')} FIELDS, not in ${group}`);
  reader.expect('RETURNING');
  const returning = reader.list(() => returningOf(reader));
  const limit = reader.accept('LIMIT') ? reader.number() : undefined;
  if (reader.peek().kind !== 'end') throw reader.unexpected();
  const records = returning.flatMap(({ object, query }) => {
    const type = org.schema.object(object);
    const matches = type ? matcher(type, group, term) : () => false;
    // Contacts of person accounts are not found; their accounts are.
    const isFound = (record: HeldRecord): boolean =>
      matches(record) && !(type?.name === 'Contact' && record.fields['IsPersonAccount'] === true);
    return runQuery({ org, text: query, withDeleted: false, base }, isFound).records;
  });
  return records.slice(0, limit);
};
