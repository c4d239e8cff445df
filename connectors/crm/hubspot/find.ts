import { isDeepStrictEqual } from 'node:util';
import type { Filter } from '@hubspot/api-client/lib/codegen/crm/objects/models/Filter.js';
import type { PublicObjectSearchRequest } from '@hubspot/api-client/lib/codegen/crm/objects/models/PublicObjectSearchRequest.js';
import * as z from 'zod';
import type { Call, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { batchesOf, PER_BATCH } from './batch.ts';
import { faultOf, ofObject } from './faults.ts';
import { isPhone, searchedForms } from './phones.ts';
import { heldOf, propertiesFor, readBatch, Stored } from './read.ts';
import { type Api, VERSION } from './request.ts';

const MORE_EMAILS = 'hs_additional_emails';
/** HubSpot searches phone numbers by area code and local number, which it keeps in properties of its own. */
const phoneProperties = ['hs_searchable_calculated_phone_number', 'hs_searchable_calculated_mobile_number'];

/** Whether a record holds a value that was asked for. HubSpot finds more than that, and never says for which value. */
type Holds = (record: HeldRecord, value: string) => boolean;

const holdsEmail: Holds = ({ emails }, value) => emails.some((email) => email.toLowerCase() === value);
const holdsPhone: Holds = ({ phones }, value) => phones.some((phone) => isPhone(phone, value));
const holdsField =
  (field: string): Holds =>
  ({ fields }, value) =>
    String(fields[field] ?? '').toLowerCase() === value.toLowerCase();

type Found = Map<string, readonly HeldRecord[]>;

interface Finder {
  readonly find: (
    object: string,
    by: LookUp,
    values: readonly string[],
    fields: readonly string[],
    call: Call,
  ) => Promise<ReadonlyMap<string, readonly HeldRecord[]>>;
}

/**
 * Look-ups: by e-mail addresses and by unique properties a hundred in one call; by everything else through the search,
 * which lags behind by seconds.
 */
export const openFinder = (api: Api): Finder => {
  /** Properties without unique values, as HubSpot said of each once. */
  const searched = new Set<string>();
  return {
    async find(object, by, values, fields, call) {
      const found: Found = new Map();
      const query = { api, object, fields, call };
      for (const batch of batchesOf([...new Set(values)]))
        if (by === 'email') await byEmail(query, batch, found);
        else if (by === 'phone') await byPhone(query, batch, found);
        else await byField(query, by.field, batch, found, searched);
      return found;
    },
  };
};

interface Query {
  readonly api: Api;
  readonly object: string;
  readonly fields: readonly string[];
  readonly call: Call;
}

const keep = (
  found: Found,
  records: readonly HeldRecord[],
  values: readonly string[],
  holds: Holds,
): void => {
  for (const value of values) {
    const known = found.get(value) ?? [];
    const more = records.filter(
      (record) => holds(record, value) && known.every(({ id }) => id !== record.id),
    );
    if (more.length > 0) found.set(value, [...known, ...more]);
  }
};

const byEmail = async (query: Query, values: readonly string[], found: Found): Promise<void> => {
  const { api, object, fields, call } = query;
  const by = { idProperty: 'email', values };
  const reply = await readBatch(api, object, by, propertiesFor(fields), call);
  if ('refusal' in reply) throw ofObject(faultOf(reply.refusal, object, reply.status));
  const records = reply.value.map((stored) => heldOf(stored, fields));
  keep(found, records, values, holdsEmail);
  const rest = values.filter((value) => !found.has(value));
  await search(query, [MORE_EMAILS], rest, (value) => [value], holdsEmail, found);
};

const byPhone = (query: Query, values: readonly string[], found: Found): Promise<void> =>
  search(query, phoneProperties, values, searchedForms, holdsPhone, found);

const byField = async (
  query: Query,
  field: string,
  values: readonly string[],
  found: Found,
  searched: Set<string>,
): Promise<void> => {
  const { api, object, call } = query;
  const fields = [...new Set([...query.fields, field])];
  const name = `${object}.${field}`;
  if (!searched.has(name)) {
    const reply = await readBatch(api, object, { idProperty: field, values }, propertiesFor(fields), call);
    if ('value' in reply) {
      const records = reply.value.map((stored) => heldOf(stored, fields));
      return keep(found, records, values, holdsField(field));
    }
    const fault = faultOf(reply.refusal, object, reply.status);
    if (fault.why === 'setup' && fault.code !== 'hubspot-non-unique-key') throw fault;
    searched.add(name);
  }
  await search({ ...query, fields }, [field], values, (value) => [value], holdsField(field), found);
};

const Page = z.looseObject({
  results: z.array(Stored).default([]),
  paging: z.looseObject({ next: z.looseObject({ after: z.string() }).optional() }).optional(),
});

/** HubSpot refuses a search whose body is longer, and ends each at so many records. */
const MOST_CHARACTERS = 3000;
const MOST_RECORDS = 10_000;

const search = async (
  query: Query,
  properties: readonly string[],
  values: readonly string[],
  written: (value: string) => readonly string[],
  holds: Holds,
  found: Found,
): Promise<void> => {
  const bodyFor = (some: readonly string[], after?: string) => {
    const searchedFor = [...new Set(some.flatMap(written).map((value) => value.toLowerCase()))];
    return searchBody(properties, searchedFor, propertiesFor(query.fields), after);
  };
  let rest = values;
  while (rest.length > 0) {
    const some = longestWithin(rest, (part) => JSON.stringify(bodyFor(part)).length <= MOST_CHARACTERS);
    rest = rest.slice(some.length);
    let after: string | undefined;
    do {
      const path = `/crm/objects/${VERSION}/${encodeURIComponent(query.object)}/search`;
      const question = { method: 'POST', path, body: bodyFor(some, after), object: query.object } as const;
      const page = await patiently(query.call, () => query.api.need(question, Page, query.call));
      const records = page.results.map((stored) => heldOf(stored, query.fields));
      keep(found, records, some, holds);
      after = page.paging?.next?.after;
    } while (after !== undefined && Number(after) < MOST_RECORDS);
  }
};

const SEARCH_ATTEMPTS = 5;

/**
 * HubSpot answers five searches a second, of all apps of an account. A look-up of many values that gave up at the sixth would
 * begin anew each time and never end, so it waits here.
 */
const patiently = async <Answer>({ sleep }: Call, search: () => Promise<Answer>): Promise<Answer> => {
  for (let attempt = 1; ; attempt++)
    try {
      return await search();
    } catch (error) {
      const isShort = error instanceof CrmFault && isDeepStrictEqual(error.retry, { afterSeconds: 1 });
      if (!isShort || attempt === SEARCH_ATTEMPTS) throw error;
      await sleep(1000).catch(() => {
        throw error;
      });
    }
};

/** As many of the first values as fit, one at least. */
const longestWithin = (
  values: readonly string[],
  fits: (part: readonly string[]) => boolean,
): readonly string[] => {
  let count = values.length;
  while (count > 1 && !fits(values.slice(0, count))) count = Math.floor(count * 0.9);
  return values.slice(0, count);
};

type SearchBody = Omit<PublicObjectSearchRequest, 'filterGroups'> & {
  readonly filterGroups: readonly {
    readonly filters: readonly (Omit<Filter, 'operator'> & { readonly operator: `${Filter['operator']}` })[];
  }[];
};

const searchBody = (
  searched: readonly string[],
  values: readonly string[],
  properties: string[],
  after: string | undefined,
): SearchBody => ({
  filterGroups: searched.map((propertyName) => ({
    filters: [{ propertyName, operator: 'IN', values: [...values] }],
  })),
  properties,
  limit: PER_BATCH,
  ...(after !== undefined && { after }),
});
