import type { HeldRecord } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import type { Account } from '../account/account.ts';
import type { ObjectType } from '../account/object-types.ts';
import { instantOf } from '../account/values.ts';
import { validationError } from '../errors.ts';
import { type Call, json, type Route, route } from './call.ts';
import { readOut } from './representation.ts';
import { type Filter, searchRequest } from './requests.ts';

const PAGE_LIMIT = 200;
const RESULT_LIMIT = 10_000;
const QUERY_LIMIT = 3_000;

/** What `query` looks into. */
const SEARCHED: Readonly<Record<string, readonly string[]>> = {
  contacts: [
    'firstname',
    'lastname',
    'email',
    'phone',
    'mobilephone',
    'hs_additional_emails',
    'fax',
    'company',
    'hs_searchable_calculated_phone_number',
    'hs_searchable_calculated_mobile_number',
  ],
  companies: ['name', 'domain', 'website', 'phone'],
  deals: ['dealname'],
  tickets: ['subject', 'content'],
  communications: ['hs_communication_body'],
  notes: ['hs_note_body'],
  tasks: ['hs_task_subject', 'hs_task_body'],
  calls: ['hs_call_title', 'hs_call_body'],
  emails: ['hs_email_subject'],
  meetings: ['hs_meeting_title', 'hs_meeting_body'],
};

const textOf = (record: HeldRecord, property: string): string => String(record.fields[property] ?? '');

const tokens = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

/** Whether the words of `pattern` come one after the other in the text; `*` stands for any letters. */
const hasToken = (text: string, pattern: string): boolean => {
  const [head = '', ...parts] = pattern.toLowerCase().split('*');
  if (parts.length === 0) {
    const wanted = tokens(head);
    const there = tokens(text);
    return there.some((_, start) => wanted.every((word, index) => there[start + index] === word));
  }
  const words = [text.toLowerCase(), ...tokens(text)];
  return words.some((word) => matchesParts(word, [head, ...parts]));
};

const matchesParts = (word: string, parts: readonly string[]): boolean => {
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!word.startsWith(first) || !word.endsWith(last) || word.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = word.indexOf(part, at);
    if (found < 0 || found + part.length > word.length - last.length) return false;
    at = found + part.length;
  }
  return true;
};

const wrongFilter = (filter: Filter, why: string) =>
  validationError(`There was a problem with the request. Filter on ${filter.propertyName}: ${why}`);

/** The filter as a test of a record. */
const matcher = (account: Account, type: ObjectType, filter: Filter): ((record: HeldRecord) => boolean) => {
  const { propertyName, operator } = filter;
  const property = account.properties.get(type, propertyName);
  if (!property)
    throw validationError(`There was a problem with the request. Property ${propertyName} does not exist`);
  const order = ['date', 'datetime'].includes(property.type) ? instantOf : Number;
  const ordered = property.type === 'number' || order === instantOf;
  const value = (raw = filter.value): string => {
    if (raw === undefined) throw wrongFilter(filter, `${operator} needs a value`);
    return raw;
  };
  const rank = (text: string): number | string => (ordered ? order(text) : text.toLowerCase());
  const compare = (test: (own: number | string, wanted: number | string) => boolean) => {
    const wanted = rank(value());
    return (record: HeldRecord): boolean => {
      const own = textOf(record, propertyName);
      return own !== '' && test(rank(own), wanted);
    };
  };
  switch (operator) {
    case 'EQ':
      return compare((own, wanted) => own === wanted);
    case 'NEQ':
      return compare((own, wanted) => own !== wanted);
    case 'LT':
      return compare((own, wanted) => own < wanted);
    case 'LTE':
      return compare((own, wanted) => own <= wanted);
    case 'GT':
      return compare((own, wanted) => own > wanted);
    case 'GTE':
      return compare((own, wanted) => own >= wanted);
    case 'BETWEEN': {
      const high = rank(value(filter.highValue));
      return compare((own, low) => own >= low && own <= high);
    }
    case 'IN':
    case 'NOT_IN': {
      const { values } = filter;
      if (!values?.length) throw wrongFilter(filter, `${operator} needs values`);
      // Texts are indexed in small letters, and these values are compared as they are.
      const own = (record: HeldRecord): string =>
        property.type === 'string'
          ? textOf(record, propertyName).toLowerCase()
          : textOf(record, propertyName);
      return (record) => own(record) !== '' && values.includes(own(record)) === (operator === 'IN');
    }
    case 'HAS_PROPERTY':
      return (record) => textOf(record, propertyName) !== '';
    case 'NOT_HAS_PROPERTY':
      return (record) => textOf(record, propertyName) === '';
    case 'CONTAINS_TOKEN': {
      const wanted = value();
      return (record) => hasToken(textOf(record, propertyName), wanted);
    }
    case 'NOT_CONTAINS_TOKEN': {
      const wanted = value();
      return (record) => !hasToken(textOf(record, propertyName), wanted);
    }
  }
};

type Search = ReturnType<typeof searchRequest.parse>;

const checkLimits = ({ limit = 10, after = '0', query = '', filterGroups = [] }: Search): void => {
  const filters = filterGroups.map((group) => group.filters.length);
  if (limit < 0 || limit > PAGE_LIMIT) throw validationError(`limit must be between 0 and ${PAGE_LIMIT}`);
  if (!/^\d+$/u.test(after) || Number(after) + limit > RESULT_LIMIT)
    throw validationError(`Search results beyond ${RESULT_LIMIT} are not available`);
  if (query.length > QUERY_LIMIT) throw validationError(`query is longer than ${QUERY_LIMIT} characters`);
  if (
    filters.length > 5 ||
    Math.max(0, ...filters) > 6 ||
    filters.reduce((sum, count) => sum + count, 0) > 18
  )
    throw validationError('At most 5 filterGroups, 6 filters in each and 18 in all are supported');
};

/** The records of a group of filters, all of which must match; an index serves where one value is asked for. */
const matching = (account: Account, type: ObjectType, filters: readonly Filter[]): HeldRecord[] => {
  const tests = filters.map((filter) => matcher(account, type, filter));
  const exact = filters.find(
    ({ operator, propertyName }) =>
      operator === 'EQ' && account.properties.get(type, propertyName)?.type === 'string',
  );
  const candidates = exact
    ? account.records.findBy(type.name, exact.propertyName, exact.value)
    : account.records.list(type.name);
  return candidates.filter((record) => tests.every((test) => test(record)));
};

const found = (account: Account, type: ObjectType, { filterGroups = [], query }: Search): HeldRecord[] => {
  const groups = filterGroups.map(({ filters }) => matching(account, type, filters));
  const filtered = filterGroups.length > 0 ? [...new Set(groups.flat())] : account.records.list(type.name);
  const words = (query ?? '').toLowerCase().split(/\s+/u).filter(Boolean);
  const names = SEARCHED[type.name] ?? [];
  return filtered.filter((record) => {
    const text = names.map((name) => textOf(record, name).toLowerCase()).join('\n');
    return words.every((word) => text.includes(word));
  });
};

const sorted = (
  account: Account,
  type: ObjectType,
  records: HeldRecord[],
  sorts: Search['sorts'],
): HeldRecord[] => {
  const [first] = sorts ?? [];
  if (first === undefined) return records.toSorted((one, other) => Number(one.id) - Number(other.id));
  const name = typeof first === 'string' ? first.replace(/^-/u, '') : first.propertyName;
  const descending = typeof first === 'string' ? first.startsWith('-') : first.direction === 'DESCENDING';
  const kind = account.properties.get(type, name)?.type;
  if (!kind) throw validationError(`There was a problem with the request. Property ${name} does not exist`);
  const order = (one: HeldRecord, other: HeldRecord): number =>
    kind === 'number'
      ? Number(textOf(one, name)) - Number(textOf(other, name))
      : textOf(one, name).localeCompare(textOf(other, name));
  return records.toSorted((one, other) => (descending ? order(other, one) : order(one, other)));
};

const search = (call: Call): SandboxAnswer => {
  const { account } = call;
  const type = call.type();
  const body = call.body(searchRequest);
  checkLimits(body);
  const records = sorted(account, type, found(account, type, body), body.sorts);
  const start = Number(body.after ?? 0);
  const end = start + (body.limit ?? 10);
  return json(200, {
    total: records.length,
    results: records.slice(start, end).map((record) => readOut(account, type, record, body.properties)),
    ...(end < records.length && { paging: { next: { after: String(end) } } }),
  });
};

/** Search by filters and words. Here a record is found at once; in HubSpot it takes a moment. */
export const searchRoutes: readonly Route[] = [
  route('read', 'POST', '/crm/v3/objects/:object/search', search),
];
