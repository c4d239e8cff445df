import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import type { LambdaFunction } from './function.ts';
import { invokedBy, LONGEST_CHAIN, timesInvoked } from './lineage.ts';

/** One run of a function: its request id, and the trace header that what it calls carries on. */
export interface Invocation {
  readonly requestId: string;
  readonly trace: string;
}

export type Run = (target: LambdaFunction, event: unknown, invocation: Invocation) => Promise<unknown>;

export interface Invocations {
  /** Runs a function and waits for its answer. `trace` is the header of what led to it. */
  call(nameOrArn: string, event: unknown, trace?: string): Promise<unknown>;
  /** Takes an event for a function, which runs by and by; a failure is repeated twice, then told to its destination. */
  accept(nameOrArn: string, payload: string, trace: string | undefined): void;
  /** The messages of a batch that a function may take, and those that have gone in circles too often. */
  withoutLoops(
    nameOrArn: string,
    event: SQSEvent,
  ): { readonly accepted: SQSEvent; readonly loops: SQSEvent; readonly trace: string | undefined };
}

export interface InvocationOptions {
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly run: Run;
  /** Resolves once every function is known. */
  readonly deployed: Promise<void>;
}

/** What Lambda takes and gives in one synchronous call, and in an asynchronous one, in bytes. */
const PAYLOAD_BYTES = 6 * 1024 * 1024;
const ASYNC_PAYLOAD_BYTES = 1024 * 1024;
const RETRY_PAUSES_MS = [60_000, 120_000];
const OLDEST_SECONDS = 21_600;

const Row = z.object({
  id: z.string(),
  function: z.string(),
  payload: z.string(),
  trace: z.string().nullable(),
  attempts: z.number(),
  since: z.number(),
});

/** Lambda's own side of a function: calls that wait, events that it takes and repeats, chains that it stops. */
export const invocations = (
  { db, clock, newId, deliver }: ServiceContext,
  { functions, run, deployed }: InvocationOptions,
): Invocations => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS lambda_invocations (id TEXT PRIMARY KEY, function TEXT NOT NULL, payload TEXT NOT NULL, trace TEXT, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT',
  );
  const statements = {
    add: db.prepare('INSERT INTO lambda_invocations VALUES (?, ?, ?, ?, 0, ?, ?)'),
    one: db.prepare('SELECT * FROM lambda_invocations WHERE id = ?'),
    all: db.prepare('SELECT id, due FROM lambda_invocations'),
    later: db.prepare('UPDATE lambda_invocations SET attempts = attempts + 1, due = ? WHERE id = ?'),
    done: db.prepare('DELETE FROM lambda_invocations WHERE id = ?'),
  };
  const expect = (nameOrArn: string): LambdaFunction => {
    const target = functions.get(nameOrArn.split(':').at(-1) ?? nameOrArn);
    if (target) return target;
    throw new ServiceError('ResourceNotFoundException', `Function not found: ${nameOrArn}`, 404);
  };
  const runs = async (
    target: LambdaFunction,
    event: unknown,
    requestId: string,
    trace: string | undefined,
  ): Promise<unknown> => {
    const size = Buffer.byteLength(JSON.stringify(event) ?? '');
    if (size > PAYLOAD_BYTES)
      throw new ServiceError(
        'RequestTooLargeException',
        `${size} byte payload is too large for the RequestResponse invocation type (limit ${PAYLOAD_BYTES} bytes)`,
        413,
      );
    const invocation = { requestId, trace: invokedBy(trace, target.name, requestId) };
    const result = await clock.track(run(target, event, invocation));
    const answered = Buffer.byteLength(JSON.stringify(result) ?? '');
    if (answered > PAYLOAD_BYTES)
      throw new Error(
        `${target.name}: Function.ResponseSizeTooLarge: Response payload size (${answered} bytes) exceeded maximum allowed payload size (${PAYLOAD_BYTES} bytes).`,
      );
    return result;
  };

  /** Tells of an event that will not be tried again: to the destination of failures, to the dead-letter queue. */
  const giveUp = async (
    target: LambdaFunction,
    { id, payload, attempts }: z.infer<typeof Row>,
    condition: string,
    error: unknown,
  ): Promise<void> => {
    const message = error instanceof Error ? error.message : String(error);
    const by = { source: target.arn, principal: 'lambda.amazonaws.com', role: target.roleArn };
    const { onFailure, deadLetterArn } = target;
    if (deadLetterArn !== undefined) {
      const attributes = { RequestID: id, ErrorCode: '200', ErrorMessage: message.slice(0, 1024) };
      await deliver({ arn: deadLetterArn, payload, ...by, attributes });
    }
    if (onFailure !== undefined) {
      const record = {
        version: '1.0',
        timestamp: new Date(clock.now()).toISOString(),
        requestContext: {
          requestId: id,
          functionArn: `${target.arn}:$LATEST`,
          condition,
          approximateInvokeCount: attempts + 1,
        },
        requestPayload: JSON.parse(payload) as unknown,
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: { errorMessage: message },
      };
      await deliver({ arn: onFailure, payload: JSON.stringify(record), ...by });
    }
    if (deadLetterArn === undefined && onFailure === undefined)
      throw new Error(
        `An event for ${target.name} was lost after ${attempts} retries (${message}): the function has no dead-letter queue and no destination for failures.`,
        { cause: error },
      );
  };
  const attempt = async (id: string): Promise<void> => {
    await deployed;
    const found = statements.one.get(id);
    if (found === undefined) return;
    const row = Row.parse(found);
    const target = expect(row.function);
    const trace = row.trace ?? undefined;
    const end = async (condition: string, error: unknown): Promise<void> => {
      // The event ends behind what is told of it, so that it is not lost where the process stops between the two.
      try {
        await giveUp(target, row, condition, error);
      } finally {
        statements.done.run(id);
      }
    };
    if (isLoop(target, trace)) return end('RecursiveInvocation', stopped(target.name));
    try {
      await runs(target, JSON.parse(row.payload), id, trace);
      statements.done.run(id);
    } catch (error) {
      const next = clock.now() + (RETRY_PAUSES_MS[row.attempts] ?? 0);
      const tooOld = next - row.since > (target.eventAgeSeconds ?? OLDEST_SECONDS) * 1000;
      if (tooOld) return end('EventAgeExceeded', error);
      if (row.attempts >= (target.eventRetries ?? RETRY_PAUSES_MS.length))
        return end('RetriesExhausted', error);
      statements.later.run(next, id);
      clock.at(next, () => attempt(id));
    }
  };

  for (const { id, due } of statements.all.all()) clock.at(Number(due), () => attempt(String(id)));
  return {
    call: async (nameOrArn, event, trace) => runs(expect(nameOrArn), event, newId(), trace),
    accept(nameOrArn, payload, trace) {
      const size = Buffer.byteLength(payload);
      if (size > ASYNC_PAYLOAD_BYTES)
        throw new ServiceError(
          'RequestTooLargeException',
          `${size} byte payload is too large for the Event invocation type (limit ${ASYNC_PAYLOAD_BYTES} bytes)`,
          413,
        );
      const id = newId();
      const { name } = expect(nameOrArn);
      statements.add.run(id, name, payload, trace ?? null, clock.now(), clock.now());
      clock.at(clock.now(), () => attempt(id));
    },
    withoutLoops(nameOrArn, { Records }) {
      const target = expect(nameOrArn);
      const headerOf = (record: SQSEvent['Records'][number]): string | undefined =>
        record.attributes.AWSTraceHeader;
      const accepted = Records.filter((record) => !isLoop(target, headerOf(record)));
      const loops = Records.filter((record) => isLoop(target, headerOf(record)));
      // A batch runs under one header: that of its message that has come around most often.
      const [longest] = [...accepted].sort(
        (one, other) => timesInvoked(headerOf(other), target.name) - timesInvoked(headerOf(one), target.name),
      );
      return {
        accepted: { Records: accepted },
        loops: { Records: loops },
        trace: longest && headerOf(longest),
      };
    },
  };
};

const isLoop = ({ name, mayLoop }: LambdaFunction, trace: string | undefined): boolean =>
  !mayLoop && timesInvoked(trace, name) >= LONGEST_CHAIN;

/** What is told when a chain is stopped. */
export const stopped = (name: string): Error =>
  new Error(
    `${name} was invoked ${LONGEST_CHAIN} times in one chain of calls, so Lambda stops the chain, as it does in the account. Where a function sends to its own queue on purpose, set its RecursiveLoop to Allow.`,
  );
