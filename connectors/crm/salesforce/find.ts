import type { Call, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import { isPhone, phoneForms } from '../../../core/crm/phone.ts';
import type { Known, Objects } from './describe.ts';
import { convertedInto, heldRecord, isOf, otherOf, selected } from './held.ts';
import { read } from './read.ts';
import { chunked } from './rest/composite.ts';
import type { Client } from './rest/session.ts';
import { listsOf, quoted, recordsOf, type SalesforceRecord, search } from './rest/soql.ts';

/** A search may have 10,000 characters. */
const PHONES_PER_SEARCH = 100;

interface Wanted {
  readonly object: string;
  readonly by: LookUp;
  readonly values: readonly string[];
  readonly fields: readonly string[];
}

/** An object in which is looked. */
interface Place {
  readonly object: string;
  readonly known: Known;
  readonly isForeign: boolean;
}

/** A record that was found, and the values by which. */
interface Found {
  readonly held: HeldRecord;
  readonly values: readonly string[];
}

/**
 * The records that hold one of these values, by value. People are looked up as contacts and as leads: of one whom Salesforce
 * has as both, the records of the object that was asked for are found; a lead that was converted is its contact.
 */
export const find = async (
  client: Client,
  objects: Objects,
  wanted: Wanted,
  call: Call,
): Promise<ReadonlyMap<string, readonly HeldRecord[]>> => {
  const values = [...new Set(wanted.values)].filter((value) => value !== '');
  if (values.length === 0) return new Map();
  const places = await placesOf(objects, wanted, call);
  const records = await lookUp(client, places, { ...wanted, values }, call);
  const distinct = [...new Map(records.map((record) => [record.Id, record])).values()];
  const found: Found[] = [];
  const converted: { readonly contact: string; readonly values: readonly string[] }[] = [];
  for (const record of distinct) {
    const place = places.length === 1 ? places[0] : places.find(({ object }) => isOf(record, object));
    if (place === undefined) continue;
    const held = heldRecord(record, { ...wanted, ...place, userId: client.userId() });
    const some = values.filter((value) => holds(record, held, wanted.by, value));
    const contact = convertedInto(record);
    if (contact === undefined) found.push({ held, values: some });
    else converted.push({ contact, values: some });
  }
  if (converted.length > 0) {
    const ids = converted.map(({ contact }) => contact);
    const contacts = await read(client, objects, { object: wanted.object, ids, fields: wanted.fields }, call);
    for (const one of converted) {
      const held = contacts.get(one.contact);
      if (held !== undefined) found.push({ held, values: one.values });
    }
  }
  return byValue(values, found);
};

const byValue = (
  values: readonly string[],
  found: readonly Found[],
): ReadonlyMap<string, readonly HeldRecord[]> =>
  new Map(
    values.flatMap((value) => {
      const all = found.filter((one) => one.values.includes(value)).map(({ held }) => held);
      const asked = all.filter(({ object }) => object === undefined);
      const some = [...new Map((asked.length > 0 ? asked : all).map((held) => [held.id, held])).values()];
      return some.length === 0 ? [] : [[value, some] as const];
    }),
  );

/** The object that was asked for, and for people the other one, if the hub's user may see it. */
const placesOf = async (objects: Objects, { object, by }: Wanted, call: Call): Promise<Place[]> => {
  const other = typeof by === 'object' ? undefined : otherOf(object)?.object;
  const known = other === undefined ? undefined : await objects.optional(other, object, call);
  const own = { object, known: await objects.of(object, call), isForeign: false };
  return other === undefined || known === undefined
    ? [own]
    : [own, { object: other, known, isForeign: true }];
};

/** Salesforce compares texts without case. */
const holds = (record: SalesforceRecord, held: HeldRecord, by: LookUp, value: string): boolean => {
  if (by === 'email') return held.emails.some((one) => one.toLowerCase() === value.toLowerCase());
  if (by === 'phone') return held.phones.some((one) => isPhone(one, value));
  return String(record[by.field] ?? '').toLowerCase() === value.toLowerCase();
};

const lookUp = async (
  client: Client,
  places: readonly Place[],
  wanted: Wanted,
  call: Call,
): Promise<readonly SalesforceRecord[]> => {
  if (wanted.by === 'phone') return searchPhones(client, places, wanted, call);
  return recordsOf(
    client,
    places.flatMap((place) => queriesOf(place, wanted)),
    call,
  );
};

const queriesOf = ({ object, known, isForeign }: Place, { by, values, fields }: Wanted): string[] => {
  const columns = selected(known, typeof by === 'object' ? [...fields, by.field] : fields, [], isForeign);
  const names =
    typeof by === 'object' ? [by.field] : known.emails.filter((name) => known.searchable.has(name));
  if (names.length === 0) return [];
  const literals = values.flatMap((value) => literalOf(known, names[0], value));
  return listsOf(literals, names.length).map((list) => {
    const conditions = names.map((name) => `${name} IN (${list.join(',')})`).join(' OR ');
    return `SELECT ${columns} FROM ${object} WHERE (${conditions})`;
  });
};

/**
 * One search in all places. Searches for contacts leave out those of person accounts, so that their accounts are searched
 * (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_personaccounts.htm).
 */
const searchPhones = async (
  client: Client,
  places: readonly Place[],
  { values, fields }: Wanted,
  call: Call,
): Promise<readonly SalesforceRecord[]> => {
  const searched = places.filter(({ known }) => known.phones.length > 0);
  if (searched.length === 0) return [];
  const contacts = searched.find(({ known }) => known.fields.has('IsPersonAccount'));
  const returning = [
    ...searched.map(({ object, known, isForeign }) => `${object}(${selected(known, fields, [], isForeign)})`),
    ...(contacts === undefined ? [] : ['Account(Id, PersonContactId WHERE IsPersonAccount = true)']),
  ];
  const found: SalesforceRecord[] = [];
  for (const some of chunked(values, PHONES_PER_SEARCH)) {
    const terms = [...new Set(some.flatMap(phoneForms))]
      .map((term) => (term.includes(' ') ? `"${term}"` : term))
      .join(' OR ');
    const sosl = `FIND {${terms}} IN PHONE FIELDS RETURNING ${returning.join(', ')}`;
    found.push(...(await search(client, sosl, call)));
  }
  const persons = found.flatMap((record) => {
    const contact = record['PersonContactId'];
    return typeof contact === 'string' ? [quoted(contact)] : [];
  });
  const others = found.filter((record) => record['PersonContactId'] === undefined);
  if (contacts === undefined || persons.length === 0) return others;
  const { object, known, isForeign } = contacts;
  const queries = listsOf([...new Set(persons)]).map(
    (list) =>
      `SELECT ${selected(known, fields, [], isForeign)} FROM ${object} WHERE Id IN (${list.join(',')})`,
  );
  return [...others, ...(await recordsOf(client, queries, call))];
};

/** A value that cannot be one of the field's type is left out, because it would fail the whole query. */
const literalOf = (known: Known, name: string | undefined, value: string): string[] => {
  const type = known.fields.get(name ?? '')?.type;
  if (type === 'number') return /^-?\d+(?:\.\d+)?$/u.test(value) ? [value] : [];
  if (type === 'boolean') return /^(?:true|false)$/iu.test(value) ? [value.toUpperCase()] : [];
  if (type === 'date' || type === 'datetime')
    return /^\d{4}-\d{2}-\d{2}[\dT:.+Z-]*$/u.test(value) ? [value] : [];
  return [quoted(value)];
};
