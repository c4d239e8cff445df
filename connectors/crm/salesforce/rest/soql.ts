// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm

import * as z from 'zod';
import type { Call } from '../../../../core/crm/connector.ts';
import { chunked, composite, HEAVY_PER_CALL, incomplete } from './composite.ts';
import { faultOfAnswer } from './faults.ts';
import type { Client } from './session.ts';

export const SalesforceRecord = z.looseObject({ Id: z.string() });
export type SalesforceRecord = z.infer<typeof SalesforceRecord>;

const Page = z.looseObject({
  records: z.array(SalesforceRecord),
  totalSize: z.int().optional(),
  nextRecordsUrl: z.string().nullish(),
});
type Page = z.infer<typeof Page>;

/** A literal of SOQL. */
export const quoted = (value: string): string =>
  `'${value
    .replace(/[\\'"]/gu, '\\$&')
    .replace(/\n/gu, '\\n')
    .replace(/\r/gu, '\\r')}'`;

/** Queries are sent in addresses, which end at 16 kB. */
const MOST_VALUES = 200;
const MOST_CHARACTERS = 9000;

/** Literals in lists that fit into one query. `times`: how often a query repeats its list. */
export const listsOf = (literals: readonly string[], times = 1): string[][] => {
  const lists: string[][] = [];
  let length = MOST_CHARACTERS;
  for (const literal of literals) {
    const added = times * (encodeURIComponent(literal).length + 3);
    const last = lists.at(-1);
    if (last !== undefined && last.length < MOST_VALUES && length + added <= MOST_CHARACTERS) {
      last.push(literal);
      length += added;
    } else {
      lists.push([literal]);
      length = added;
    }
  }
  return lists;
};

/** `all`: archived activities and deleted records too. */
const pathOf = (soql: string, all: boolean): string =>
  `/${all ? 'queryAll' : 'query'}?q=${encodeURIComponent(soql)}`;

/** The first page of each query, five in a request. Rejects with a `CrmFault` if one is refused. */
export const pages = async (
  client: Client,
  queries: readonly string[],
  call: Call,
  all = false,
): Promise<readonly Page[]> => {
  const found: Page[] = [];
  for (const some of chunked(queries, HEAVY_PER_CALL)) {
    const requests = some.map((soql) => ({ method: 'GET' as const, path: pathOf(soql, all) }));
    for (const answer of await composite(client, requests, call)) {
      const fault = faultOfAnswer(answer);
      if (fault !== undefined) throw fault;
      found.push(pageOf(answer.body));
    }
  }
  return found;
};

const pageOf = (body: unknown): Page => {
  const page = Page.safeParse(body);
  if (!page.success) throw incomplete();
  return page.data;
};

/** All records of some queries. */
export const recordsOf = async (
  client: Client,
  queries: readonly string[],
  call: Call,
  all = false,
): Promise<readonly SalesforceRecord[]> => {
  const records: SalesforceRecord[] = [];
  for (const first of await pages(client, queries, call, all)) {
    records.push(...first.records);
    let next = first.nextRecordsUrl;
    while (next) {
      const answer = await client.request({ method: 'GET', path: next }, call);
      const fault = faultOfAnswer(answer);
      if (fault !== undefined) throw fault;
      const page = pageOf(answer.body);
      records.push(...page.records);
      next = page.nextRecordsUrl;
    }
  }
  return records;
};

const Found = z.looseObject({ searchRecords: z.array(SalesforceRecord) });

/** The records of a search in SOSL. Salesforce indexes what was written some seconds or minutes later. */
export const search = async (
  client: Client,
  sosl: string,
  call: Call,
): Promise<readonly SalesforceRecord[]> => {
  const answer = await client.request({ method: 'GET', path: `/search?q=${encodeURIComponent(sosl)}` }, call);
  const fault = faultOfAnswer(answer);
  if (fault !== undefined) throw fault;
  const found = Found.safeParse(answer.body);
  if (!found.success) throw incomplete();
  return found.data.searchRecords;
};

/**
 * Salesforce's ids of the records that have exactly one of these keys, archived activities too. `person`: the fields that
 * say whether a contact is that of a person account, and which: it is named by the id of that.
 */
export const idsByKey = async (
  client: Client,
  object: string,
  keyField: string,
  keys: readonly string[],
  call: Call,
  person: readonly string[] = [],
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const queries = listsOf(keys.map(quoted)).map(
    (list) =>
      `SELECT ${['Id', keyField, ...person].join(', ')} FROM ${object} WHERE ${keyField} IN (${list.join(',')}) AND IsDeleted = false`,
  );
  const records = await recordsOf(client, queries, call, true);
  const grouped = Map.groupBy(records, (record) => String(record[keyField]));
  const idOf = (record: SalesforceRecord): string =>
    record['IsPersonAccount'] === true ? String(record['AccountId']) : record.Id;
  return new Map([...grouped].map(([key, some]) => [key, some.map(idOf)]));
};
