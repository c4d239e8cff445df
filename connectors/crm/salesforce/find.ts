import type { Call, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import { isPhone, phoneForms } from '../../../core/crm/phone.ts';
import type { Known, Objects } from './describe.ts';
import { heldRecord, selected } from './held.ts';
import { chunked } from './rest/composite.ts';
import type { Client } from './rest/session.ts';
import { listsOf, quoted, recordsOf, type SalesforceRecord, search } from './rest/soql.ts';

/** A search may have 10,000 characters. */
const PHONES_PER_SEARCH = 100;

export interface Wanted {
  readonly object: string;
  readonly by: LookUp;
  readonly values: readonly string[];
  readonly fields: readonly string[];
}

/** The records that hold one of these values, by value. */
export const find = async (
  client: Client,
  objects: Objects,
  wanted: Wanted,
  call: Call,
): Promise<ReadonlyMap<string, readonly HeldRecord[]>> => {
  const values = [...new Set(wanted.values)].filter((value) => value !== '');
  if (values.length === 0) return new Map();
  const known = await objects.of(wanted.object, call);
  const records = await lookUp(client, known, { ...wanted, values }, call);
  const distinct = [...new Map(records.map((record) => [record.Id, record])).values()];
  const found = distinct.map((record) => ({
    record,
    held: heldRecord(record, { ...wanted, known, userId: client.userId() }),
  }));
  return new Map(
    values.flatMap((value) => {
      const some = found.filter(({ record, held }) => holds(record, held, wanted.by, value));
      return some.length === 0 ? [] : [[value, some.map(({ held }) => held)] as const];
    }),
  );
};

/** Salesforce compares texts without case. */
const holds = (record: SalesforceRecord, held: HeldRecord, by: LookUp, value: string): boolean => {
  if (by === 'email') return held.emails.some((one) => one.toLowerCase() === value.toLowerCase());
  if (by === 'phone') return held.phones.some((one) => isPhone(one, value));
  return String(record[by.field] ?? '').toLowerCase() === value.toLowerCase();
};

const lookUp = async (
  client: Client,
  known: Known,
  { object, by, values, fields }: Wanted,
  call: Call,
): Promise<readonly SalesforceRecord[]> => {
  const columns = selected(known, typeof by === 'object' ? [...fields, by.field] : fields);
  if (by === 'phone') {
    if (known.phones.length === 0) return [];
    const found: SalesforceRecord[] = [];
    for (const some of chunked(values, PHONES_PER_SEARCH)) {
      const terms = [...new Set(some.flatMap(phoneForms))]
        .map((term) => (term.includes(' ') ? `"${term}"` : term))
        .join(' OR ');
      const sosl = `FIND {${terms}} IN PHONE FIELDS RETURNING ${object}(${columns}${unconverted(known, ' WHERE ')})`;
      found.push(...(await search(client, sosl, call)));
    }
    return found;
  }
  const names = by === 'email' ? known.emails.filter((name) => known.searchable.has(name)) : [by.field];
  if (names.length === 0) return [];
  const literals = values.flatMap((value) => literalOf(known, names[0], value));
  const queries = listsOf(literals, names.length).map((list) => {
    const conditions = names.map((name) => `${name} IN (${list.join(',')})`).join(' OR ');
    return `SELECT ${columns} FROM ${object} WHERE (${conditions})${unconverted(known, ' AND ')}`;
  });
  return recordsOf(client, queries, call);
};

/** A lead that became a contact cannot be written any more. */
const unconverted = (known: Known, before: string): string =>
  known.fields.has('IsConverted') ? `${before}IsConverted = false` : '';

/** A value that cannot be one of the field's type is left out, because it would fail the whole query. */
const literalOf = (known: Known, name: string | undefined, value: string): string[] => {
  const type = known.fields.get(name ?? '')?.type;
  if (type === 'number') return /^-?\d+(?:\.\d+)?$/u.test(value) ? [value] : [];
  if (type === 'boolean') return /^(?:true|false)$/iu.test(value) ? [value.toUpperCase()] : [];
  if (type === 'date' || type === 'datetime')
    return /^\d{4}-\d{2}-\d{2}[\dT:.+Z-]*$/u.test(value) ? [value] : [];
  return [quoted(value)];
};
