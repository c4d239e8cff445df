// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/batch-api.html

import * as z from 'zod';
import type { Call } from '../../../../core/crm/connector.ts';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { HubError } from '../../../../core/errors.ts';
import { jsonWithin } from '../../../../core/formats/payload.ts';
import { faultOf, type Part } from './faults.ts';
import type { Client, Request } from './session.ts';

/** An instance accepts ten megabytes in one request. */
const BYTES_PER_BATCH = 4_000_000;

const Batch = z.looseObject({
  serviced_requests: z.array(
    z.looseObject({
      id: z.string(),
      body: z.string().nullish(),
      status_code: z.int(),
      headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
    }),
  ),
});

/** What became of one request: its accepted answer, or why it was refused. */
export type Outcome = Part | CrmFault;

/** A request as it is sent, and where its outcome belongs. */
interface Item {
  readonly at: number;
  readonly request: Request;
  readonly sent: object;
  readonly bytes: number;
}

/**
 * Sends requests in as few batches as possible; each succeeds or fails alone. A batch that is refused as a whole is halved
 * until the request at fault is alone. Rejects with a `CrmFault` if the first batch fails because of the connection; later
 * the requests that were not answered bear the fault.
 */
export const answersTo = async (
  client: Client,
  requests: readonly Request[],
  call: Call,
): Promise<readonly Outcome[]> => {
  const outcomes = new Map<number, Outcome>();
  const waiting: Item[][] = [requests.map(itemOf)];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [batch, rest] = cut(next, client.batchSize.current());
    if (rest.length > 0) waiting.unshift(rest);
    try {
      const answered = await send(client, batch, call);
      for (const [at, outcome] of answered) outcomes.set(at, outcome);
      const left = batch.filter(({ at }) => !answered.has(at));
      if (left.length < batch.length) waiting.unshift(...(left.length > 0 ? [left] : []));
      else throw unserviced();
    } catch (error) {
      const fault = faultFrom(error);
      if (fault.scope !== 'connection' && batch.length > 1) waiting.unshift(...parts(batch));
      else if (fault.scope !== 'connection') for (const { at } of batch) outcomes.set(at, fault);
      else if (outcomes.size === 0) throw error;
      else for (const { at } of [batch, ...waiting.splice(0)].flat()) outcomes.set(at, fault);
    }
  }
  return requests.map((_, at) => outcomes.get(at) ?? unserviced());
};

const itemOf = (request: Request, at: number): Item => {
  const { method, path, body } = request;
  const names = body === undefined ? ['Accept'] : ['Accept', 'Content-Type'];
  const sent = {
    ...{ id: String(at), method, url: path, exclude_response_headers: false },
    headers: names.map((name) => ({ name, value: 'application/json' })),
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)).toString('base64') }),
  };
  return { at, request, sent, bytes: Buffer.byteLength(JSON.stringify(sent)) };
};

/** What goes into one batch, and what is left; a batch has at least one request. */
const cut = (items: Item[], most: number): readonly [Item[], Item[]] => {
  let bytes = 0;
  const end = items.findIndex((item, at) => {
    bytes += item.bytes;
    return at > 0 && (at >= most || bytes > BYTES_PER_BATCH);
  });
  return end === -1 ? [items, []] : [items.slice(0, end), items.slice(end)];
};

const parts = (batch: readonly Item[]): Item[][] => {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
};

const send = async (
  client: Client,
  batch: readonly Item[],
  call: Call,
): Promise<ReadonlyMap<number, Outcome>> => {
  const body = { batch_request_id: '1', rest_requests: batch.map(({ sent }) => sent) };
  const table = batch[0]?.request.table ?? '';
  const begun = call.now?.();
  const answer = await client.request({ method: 'POST', path: '/api/now/v1/batch', table, body }, call);
  const { data } = Batch.safeParse(answer.body);
  if (data === undefined) throw unreadable();
  client.batchSize.observe({
    ...{ sent: batch.length, serviced: data.serviced_requests.length },
    milliseconds: begun === undefined ? undefined : (call.now?.() ?? begun) - begun,
  });
  const serviced = new Map(data.serviced_requests.map((one) => [one.id, one]));
  return new Map(
    batch.flatMap(({ at, request }) => {
      const one = serviced.get(String(at));
      if (one === undefined) return [];
      const part: Part = {
        status: one.status_code,
        headers: Object.fromEntries(
          (one.headers ?? []).map(({ name, value }) => [name.toLowerCase(), value]),
        ),
        body: jsonWithin(Buffer.from(one.body ?? '', 'base64').toString()),
      };
      return [[at, faultOf(part, request.table) ?? part] as const];
    }),
  );
};

const unreadable = (): CrmFault =>
  new CrmFault('unavailable-crm', 'ServiceNow answered a batch with something else. It is sent again.', {
    ...{ scope: 'connection', why: 'down' },
  });

const unserviced = (): CrmFault =>
  new CrmFault(
    'servicenow-transaction-cancelled',
    'ServiceNow did not come to this request within the time of a batch. It is tried again.',
    { scope: 'record', why: 'raced' },
  );

/** The fault of an error between two requests; the hub's own pause is one of the connection. */
export const faultFrom = (error: unknown): CrmFault => {
  if (error instanceof CrmFault) return error;
  if (!(error instanceof HubError)) throw error;
  const afterSeconds = typeof error.retry === 'object' ? error.retry.afterSeconds : undefined;
  return new CrmFault(error.code, error.message, {
    ...{ scope: 'connection', why: 'throttled', afterSeconds, cause: error },
  });
};
