import type { Call, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import { isPhone } from '../../../core/crm/phone.ts';
import type { Known, Objects } from './describe.ts';
import { heldRecord, isInactive, selected } from './held.ts';
import type { Client } from './rest/session.ts';
import { chunked, oneOf, type Row, rowsOf } from './rest/table.ts';
import { spellInstant } from './values.ts';

/** Phone numbers of one query; each has a condition for every way to write its end. */
const PHONES_PER_QUERY = 10;

export interface Wanted {
  readonly object: string;
  readonly by: LookUp;
  readonly values: readonly string[];
  readonly fields: readonly string[];
}

/**
 * The records that hold one of these values, by value. An instance leaves out a condition that it does not understand and
 * answers with every record, so each record is compared here again.
 */
export const find = async (
  client: Client,
  objects: Objects,
  wanted: Wanted,
  call: Call,
): Promise<ReadonlyMap<string, readonly HeldRecord[]>> => {
  const values = [...new Set(wanted.values)].filter((value) => value !== '');
  if (values.length === 0) return new Map();
  const { by, fields, object } = wanted;
  const known = await objects.expectFields(object, typeof by === 'object' ? [by.field] : [], call);
  const columns = selected(known, typeof by === 'object' ? [...fields, by.field] : fields);
  const queries = conditions(known, by, values).map((query) => ({ table: object, query, fields: columns }));
  const rows = (await rowsOf(client, queries, call)).flat();
  const distinct = [...new Map(rows.map((row) => [row['sys_id'], row])).values()].filter(
    (row) => !isInactive(row, known),
  );
  const found = distinct.map((row) => ({
    row,
    held: heldRecord(row, { known, fields, userName: objects.userName() }),
  }));
  return new Map(
    values.flatMap((value) => {
      const some = found.filter(({ row, held }) => holds(row, held, by, value));
      return some.length === 0 ? [] : [[value, some.map(({ held }) => held)] as const];
    }),
  );
};

/** The database compares texts without case. */
const holds = (row: Row, held: HeldRecord, by: LookUp, value: string): boolean => {
  if (by === 'email') return held.emails.some((one) => one.toLowerCase() === value.toLowerCase());
  if (by === 'phone') return held.phones.some((one) => isPhone(one, value));
  const present = row[by.field]?.toLowerCase() ?? '';
  return present === value.toLowerCase() || present === spellInstant(value);
};

/** The encoded queries for some values, in lists as long as a query may have. */
const conditions = (known: Known, by: LookUp, values: readonly string[]): string[] => {
  if (by === 'phone')
    return known.phones.length === 0
      ? []
      : chunked(values, PHONES_PER_QUERY).map((some) => phoneCondition(known.phones, some));
  const names = by === 'email' ? known.emails : [by.field];
  const isInstant = typeof by === 'object' && known.fields.get(by.field)?.type === 'datetime';
  return names.flatMap((name) => oneOf(name, isInstant ? values.map(spellInstant) : values));
};

const phoneCondition = (names: readonly string[], phones: readonly string[]): string => {
  const ends = [...new Set(phones.flatMap(endings))];
  return names.flatMap((name) => ends.map((end) => `${name}LIKE${end}`)).join('^OR');
};

/** The last four digits of a number in the ways in which people divide them. */
const endings = (e164: string): string[] => {
  const [a, b, c, d] = e164.replace(/\D/gu, '').slice(-4);
  return ['', ' ', '-', '.', '/'].flatMap((mark) =>
    mark === '' ? [`${a}${b}${c}${d}`] : [`${a}${b}${mark}${c}${d}`, `${a}${mark}${b}${c}${d}`],
  );
};
