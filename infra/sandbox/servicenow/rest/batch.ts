import * as z from 'zod';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { RestError, unreadable } from '../data/errors.ts';
import { answerOf, type Call, objectIn } from './call.ts';

const ITEM_LIMIT = 5 * 1024 * 1024;

const Batch = z.object({
  batch_request_id: z.string().default(''),
  rest_requests: z.array(
    z.object({
      id: z.string(),
      method: z.string(),
      url: z.string(),
      body: z.string().default(''),
      exclude_response_headers: z.boolean().default(false),
    }),
  ),
});
type Item = z.output<typeof Batch>['rest_requests'][number];

const statusTexts: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
};

/** The request that an item of a batch stands for. */
const itemCall = (call: Call, { method, url, body }: Item): Call => {
  const { pathname, searchParams } = new URL(url, call.url);
  return {
    ...call,
    ...{ method: method.toUpperCase(), path: pathname, query: searchParams },
    body: Buffer.from(body, 'base64').toString(),
  };
};

const readBatch = (call: Pick<Call, 'body'>) => {
  const parsed = Batch.safeParse(objectIn(call));
  if (!parsed.success) throw unreadable();
  return parsed.data;
};

/** The requests in the body of a batch; none where it is no batch. */
export const itemsOf = (call: Call): Call[] => {
  try {
    return readBatch(call).rest_requests.map((item) => itemCall(call, item));
  } catch (error) {
    if (error instanceof RestError) return [];
    throw error;
  }
};

const serviced = (item: Item, { status, headers = {}, body }: SandboxAnswer): object => ({
  id: item.id,
  body: body === undefined ? '' : Buffer.from(JSON.stringify(body)).toString('base64'),
  status_code: status,
  status_text: statusTexts[status] ?? '',
  headers: item.exclude_response_headers
    ? []
    : Object.entries({ 'Content-Type': 'application/json;charset=UTF-8', ...headers }).map(
        ([name, value]) => ({ name, value }),
      ),
  execution_time: 5,
});

/**
 * `POST /api/now/v1/batch`. The items are served one after the other until the time of the transaction is over, which is
 * after `most` of them, or until one is too large; the others are named as unserviced.
 */
export const batchApi = (call: Call, most: number, serve: (item: Call) => SandboxAnswer): SandboxAnswer => {
  if (call.method !== 'POST') throw new RestError(405, 'Method not supported', null);
  const { batch_request_id, rest_requests } = readBatch(call);
  const tooLarge = rest_requests.findIndex(({ body }) => body.length * 0.75 > ITEM_LIMIT);
  const end = Math.min(most, tooLarge < 0 ? rest_requests.length : tooLarge);
  return answerOf(200, {
    batch_request_id,
    serviced_requests: rest_requests.slice(0, end).map((item) => serviced(item, serve(itemCall(call, item)))),
    unserviced_requests: rest_requests.slice(end).map(({ id }) => id),
  });
};
