import type { HeldRecord } from '../../../core/crm/connector.ts';
import { entryOf, readTime } from '../../../core/formats/payload.ts';
import type { Known } from './describe.ts';
import type { SalesforceRecord } from './rest/soql.ts';

/** Fields that say who made a record, when, and what became of it; not every object has all of them. */
const OF_RECORD = [
  'CreatedDate',
  'CreatedById',
  'SystemModstamp',
  'LastModifiedDate',
  'LeadSource',
  'Origin',
  'ContactId',
  'WhoId',
  'IsPersonAccount',
  'IsConverted',
  'ConvertedContactId',
];

export const SALESFORCE_ID = /^[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?$/u;
/** Ids of contacts begin so; a task may also belong to a lead. */
const CONTACT = '003';
const LEAD = '00Q';

/** People are leads until they are qualified, and contacts then. */
const others: Readonly<Record<string, { readonly object: string; readonly prefix: string }>> = {
  Contact: { object: 'Lead', prefix: LEAD },
  Lead: { object: 'Contact', prefix: CONTACT },
};

/** The other object of people, if this is one, and how its ids begin. */
export const otherOf = (object: string): { readonly object: string; readonly prefix: string } | undefined =>
  entryOf(others, object);

/** Whether a record of people is one of this object. */
export const isOf = ({ Id }: SalesforceRecord, object: string): boolean =>
  Id.startsWith(object === 'Lead' ? LEAD : CONTACT);

/** The contact that a lead has become. */
export const convertedInto = (record: SalesforceRecord): string | undefined => {
  const contact = record['ConvertedContactId'];
  return record['IsConverted'] === true && typeof contact === 'string' ? contact : undefined;
};

/**
 * The fields of a query for held records. `more`: further ones that the object may have. `isForeign`: the object is not the
 * one to which `fields` belong, and may lack some.
 */
export const selected = (
  known: Known,
  fields: readonly string[],
  more: readonly string[] = [],
  isForeign = false,
): string => {
  const own = [...OF_RECORD, ...more].filter((name) => known.fields.has(name));
  const present = fields.filter((name) => !isForeign || known.fields.has(name));
  return [...new Set(['Id', ...present, ...known.emails, ...known.phones, ...own])].join(', ');
};

/** `userId`: the hub's own user in Salesforce. */
export const heldRecord = (
  record: SalesforceRecord,
  {
    object,
    known,
    fields,
    userId,
    isForeign = false,
  }: { object: string; known: Known; fields: readonly string[]; userId: string; isForeign?: boolean },
): HeldRecord => {
  const createdAt = timeOf(record['CreatedDate']);
  const contact = textsOf(record, ['ContactId', 'WhoId']).find((one) => one.startsWith(CONTACT));
  return {
    id: record.Id,
    ...(isForeign && { object }),
    ...(contact !== undefined && { contact }),
    fields: Object.fromEntries(fields.map((name) => [name, record[name] ?? null])),
    emails: textsOf(record, known.emails),
    phones: textsOf(record, known.phones),
    byStaff: isByStaff(object, record, userId),
    createdAt,
    modifiedAt: timeOf(record['SystemModstamp'] ?? record['LastModifiedDate'], createdAt),
  };
};

const EPOCH = '1970-01-01T00:00:00.000Z';

const timeOf = (value: unknown, otherwise = EPOCH): string =>
  (typeof value === 'string' ? readTime(value) : undefined) ?? otherwise;

const textsOf = (record: SalesforceRecord, names: readonly string[]): string[] => [
  ...new Set(
    names.flatMap((name) => {
      const value = record[name];
      return typeof value === 'string' && value.trim() !== '' ? [value.trim()] : [];
    }),
  ),
];

/**
 * Visitors make leads (web-to-lead), and the contacts and cases that come from them; what the hub's own user made may hold
 * what a visitor typed too.
 */
const isByStaff = (object: string, record: SalesforceRecord, userId: string): boolean =>
  object !== 'Lead' &&
  !/\bweb/iu.test(`${record['LeadSource'] ?? ''} ${record['Origin'] ?? ''}`) &&
  !(userId !== '' && isSameId(String(record['CreatedById'] ?? ''), userId));

/** Ids have 15 characters, or 18 with a checksum. */
export const shortId = (id: string): string => id.slice(0, 15);

const isSameId = (one: string, other: string): boolean => shortId(one) === shortId(other);
