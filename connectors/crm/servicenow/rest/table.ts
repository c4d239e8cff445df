// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html

import * as z from 'zod';
import type { Call } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { answersTo, type Outcome } from './batch.ts';
import { odd, type Part } from './faults.ts';
import type { Client, Request } from './session.ts';

/** A record as the Table API returns it: every value is a text, empty where there is none. */
export const Row = z.record(z.string(), z.string());
export type Row = z.infer<typeof Row>;
const Rows = z.looseObject({ result: z.array(Row) });
const OneRow = z.looseObject({ result: Row });

export interface Query {
  readonly table: string;
  /** An encoded query. */
  readonly query: string;
  readonly fields: readonly string[];
}

export const PER_PAGE = 1000;
/** Values of one query. */
const PER_LIST = 100;

const parameters = (fields: readonly string[]): Record<string, string> => ({
  sysparm_fields: [...new Set(fields)].join(','),
  sysparm_display_value: 'false',
  sysparm_exclude_reference_link: 'true',
});

export const pathOf = (table: string, id?: string): string =>
  `/api/now/table/${encodeURIComponent(table)}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

/** The request for the records of a query. */
export const get = ({ table, query, fields }: Query, limit = PER_PAGE, offset = 0): Request => ({
  ...{ method: 'GET', table },
  path: `${pathOf(table)}?${new URLSearchParams({
    ...{ sysparm_query: query, ...parameters(fields) },
    ...{ sysparm_limit: String(limit), sysparm_offset: String(offset) },
  })}`,
});

/** The request that makes a record, or changes the one with `id`; it is answered with `fields`. */
export const put = (
  table: string,
  id: string | undefined,
  body: Row,
  fields: readonly string[],
): Request => ({
  ...{ method: id === undefined ? 'POST' : 'PATCH', table, body },
  path: `${pathOf(table, id)}?${new URLSearchParams(parameters(fields))}`,
});

export const accepted = (outcome: Outcome): Part => {
  if (outcome instanceof CrmFault) throw outcome;
  return outcome;
};

export const rowsIn = (part: Part): readonly Row[] => {
  const parsed = Rows.safeParse(part.body);
  if (!parsed.success) throw odd(part);
  return parsed.data.result;
};

export const rowIn = (part: Part): Row | undefined => OneRow.safeParse(part.body).data?.result;

/** The records of several queries, by query. Rejects with a `CrmFault` if one is refused. */
export const rowsOf = async (
  client: Client,
  queries: readonly Query[],
  call: Call,
): Promise<readonly (readonly Row[])[]> => {
  const rows: Row[][] = queries.map(() => []);
  let open = queries.map((query, at) => ({ query: { ...query, query: `${query.query}^ORDERBYsys_id` }, at }));
  for (let offset = 0; open.length > 0; offset += PER_PAGE) {
    const requests = open.map(({ query }) => get(query, PER_PAGE, offset));
    const pages = (await answersTo(client, requests, call)).map((one) => rowsIn(accepted(one)));
    for (const [position, { at }] of open.entries()) rows[at]?.push(...(pages[position] ?? []));
    open = open.filter((_, position) => (pages[position]?.length ?? 0) >= PER_PAGE);
  }
  return rows;
};

/** A caret would end the condition, and the instance would run a value that begins so as a script. */
const isAskable = (value: string): boolean => value !== '' && !/javascript:|[\n\r]/iu.test(value);
const literal = (value: string): string => value.replaceAll('^', '^^');

/** Conditions for records whose `field` has one of the values, as many values in each as fit. */
export const oneOf = (field: string, values: readonly string[]): string[] => {
  const askable = values.filter(isAskable);
  const plain = askable.filter((value) => !/[,^]/u.test(value));
  const others = askable.filter((value) => /[,^]/u.test(value));
  return [
    ...chunked(plain, PER_LIST).map((some) => `${field}IN${some.join(',')}`),
    // A comma would divide the value in a list.
    ...chunked(others, PER_LIST).map((some) => some.map((one) => `${field}=${literal(one)}`).join('^OR')),
  ];
};

export const chunked = <One>(list: readonly One[], size: number): One[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));

/** The sys_ids of records by the value of a field, which the database compares without case. */
export const idsBy = (field: string, rows: readonly Row[]): ReadonlyMap<string, readonly string[]> => {
  const ids = new Map<string, string[]>();
  for (const { sys_id: id = '', [field]: value = '' } of rows)
    ids.set(value.toLowerCase(), [...(ids.get(value.toLowerCase()) ?? []), id]);
  return ids;
};
