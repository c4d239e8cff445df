import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { errorAnswer } from '../iam/refusal.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';

/** What goes wrong with the requests of functions, each with a probability. Requests of everybody else are spared. */
export interface Faults {
  /** Another transaction is at the rows of a write to DynamoDB, alone or in a transaction. */
  readonly conflict?: number;
  /** A batch read of DynamoDB leaves half of its keys unread. */
  readonly unread?: number;
  /** PutEvents refuses an entry. */
  readonly refusedEntry?: number;
  /** Any service throttles a request. */
  readonly throttle?: number;
  /** Any service answers 500, half of the times after it has done what was requested. */
  readonly broken?: number;
}

interface Answer {
  readonly type: string;
  readonly status: number;
  readonly message: string;
}

const throttles: Readonly<Record<string, string>> = {
  ses: 'Throttling',
  sns: 'Throttled',
  s3: 'SlowDown',
  sqs: 'RequestThrottled',
  lambda: 'TooManyRequestsException',
};
const throttleOf = (service: string): Answer => ({
  type: throttles[service] ?? 'ThrottlingException',
  status: service === 's3' ? 503 : ['scheduler', 'lambda'].includes(service) ? 429 : 400,
  message: 'Rate exceeded',
});
const breakdown: Answer = { type: 'InternalServerError', status: 500, message: 'Internal server error' };

const Transaction = z.looseObject({ TransactItems: z.array(z.unknown()) });
const BatchRead = z.looseObject({
  RequestItems: z.record(z.string(), z.looseObject({ Keys: z.array(z.unknown()) })),
});
const Entries = z.looseObject({ Entries: z.array(z.unknown()) });
const ReadAnswer = z.looseObject({ UnprocessedKeys: z.record(z.string(), z.unknown()).default({}) });

type Send = (request: AwsRequest) => Promise<AwsResponse>;

/** Answers a function's request with a fault, or with what `send` answers to it or to a part of it. */
export const faulty =
  (faults: Faults, random: () => number) =>
  async (service: string, operation: string, request: AwsRequest, send: Send): Promise<AwsResponse> => {
    const happens = (probability = 0): boolean => probability > 0 && random() < probability;
    if (happens(faults.throttle)) return errorAnswer(service, request, throttleOf(service));
    if (happens(faults.broken)) {
      if (random() < 0.5) await send(request);
      return errorAnswer(service, request, breakdown);
    }
    if (service === 'dynamodb' && WRITES.test(operation) && happens(faults.conflict))
      return conflict(operation, request);
    if (operation === 'BatchGetItem' && happens(faults.unread)) return readPart(request, send);
    if (operation === 'PutEvents' && faults.refusedEntry !== undefined)
      return putSome(request, send, () => happens(faults.refusedEntry));
    return send(request);
  };

const WRITES = /^(?:PutItem|UpdateItem|DeleteItem|TransactWriteItems)$/u;

const jsonOf = (body: Uint8Array | string): unknown => JSON.parse(Buffer.from(body).toString());
const withBody = (request: AwsRequest, body: object): AwsRequest => ({
  ...request,
  body: Buffer.from(JSON.stringify(body)),
});
const answerWith = (response: AwsResponse, body: object): AwsResponse => {
  const text = JSON.stringify(body);
  return { ...response, headers: { ...response.headers, 'x-amz-crc32': String(crc32(text)) }, body: text };
};

const conflict = (operation: string, request: AwsRequest): AwsResponse => {
  const message = 'Transaction is ongoing for the item';
  if (operation !== 'TransactWriteItems')
    return errorAnswer('dynamodb', request, { type: 'TransactionConflictException', status: 400, message });
  const { TransactItems } = Transaction.parse(jsonOf(request.body));
  const cancelled = errorAnswer('dynamodb', request, {
    type: 'TransactionCanceledException',
    status: 400,
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${TransactItems.map(() => 'TransactionConflict').join(', ')}]`,
  });
  return answerWith(cancelled, {
    ...z.looseObject({}).parse(jsonOf(cancelled.body)),
    CancellationReasons: TransactItems.map(() => ({ Code: 'TransactionConflict', Message: message })),
  });
};

/** Reads half of the keys of each table, at least one, and leaves the others as unprocessed. */
const readPart = async (request: AwsRequest, send: Send): Promise<AwsResponse> => {
  const input = BatchRead.parse(jsonOf(request.body));
  const tables = Object.entries(input.RequestItems);
  const part = (from: 'first' | 'last') =>
    Object.fromEntries(
      tables.flatMap(([name, one]) => {
        const read = Math.ceil(one.Keys.length / 2);
        const Keys = from === 'first' ? one.Keys.slice(0, read) : one.Keys.slice(read);
        return Keys.length === 0 ? [] : [[name, { ...one, Keys }]];
      }),
    );
  const response = await send(withBody(request, { ...input, RequestItems: part('first') }));
  if (response.status !== 200) return response;
  const answer = ReadAnswer.parse(jsonOf(response.body));
  return answerWith(response, { ...answer, UnprocessedKeys: { ...part('last'), ...answer.UnprocessedKeys } });
};

/** Puts the entries that are not refused. Its answer has a result for each, in order, as the bus gives it. */
const putSome = async (request: AwsRequest, send: Send, isRefused: () => boolean): Promise<AwsResponse> => {
  const input = Entries.parse(jsonOf(request.body));
  const refused = input.Entries.map(isRefused);
  if (!refused.includes(true)) return send(request);
  const accepted = input.Entries.filter((_, at) => refused[at] !== true);
  const put =
    accepted.length === 0 ? undefined : await send(withBody(request, { ...input, Entries: accepted }));
  if (put !== undefined && put.status !== 200) return put;
  const results = put === undefined ? [] : [...Entries.parse(jsonOf(put.body)).Entries];
  const refusal = { ErrorCode: 'InternalFailure', ErrorMessage: 'The entry could not be processed.' };
  const all = refused.map((is) => (is ? refusal : results.shift()));
  const FailedEntryCount = all.filter(
    (one) => z.looseObject({ ErrorCode: z.string() }).safeParse(one).success,
  ).length;
  const headers = put?.headers ?? { 'content-type': request.headers['content-type'] ?? 'application/json' };
  return { status: 200, headers, body: JSON.stringify({ FailedEntryCount, Entries: all }) };
};
