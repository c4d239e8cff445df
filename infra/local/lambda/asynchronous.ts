import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import type { LambdaFunction } from './function.ts';
import { isLoop, stopped } from './lineage.ts';

export interface AsynchronousOptions {
  /** @throws ServiceError `ResourceNotFoundException`. */
  readonly expectFunction: (nameOrArn: string) => LambdaFunction;
  readonly invoke: (
    target: LambdaFunction,
    event: unknown,
    requestId: string,
    trace: string | undefined,
  ) => Promise<unknown>;
  /** Resolves once every function is known. */
  readonly deployed: Promise<void>;
}

/** The limit of an asynchronous event, in bytes. */
const PAYLOAD_BYTES = 1024 * 1024;
/** The pauses before the retries. */
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
type Row = z.infer<typeof Row>;

/** Accepts an event for a function. It is stored, and retried twice after a failure; then its destinations receive it. */
export const asynchronousInvocations = (
  context: ServiceContext,
  options: AsynchronousOptions,
): ((nameOrArn: string, payload: string, trace: string | undefined) => void) => {
  const { clock, newId } = context;
  const statements = prepare(context);
  const attempt = (id: string): Promise<void> => attemptInvocation(context, statements, options, id, attempt);
  for (const { id, due } of statements.all.all()) clock.at(Number(due), () => attempt(String(id)));
  return (nameOrArn, payload, trace) => {
    const size = Buffer.byteLength(payload);
    if (size > PAYLOAD_BYTES)
      throw new ServiceError(
        'RequestTooLargeException',
        `${size} byte payload is too large for the Event invocation type (limit ${PAYLOAD_BYTES} bytes)`,
        413,
      );
    const id = newId();
    const { name } = options.expectFunction(nameOrArn);
    statements.add.run(id, name, payload, trace ?? null, clock.now(), clock.now());
    clock.at(clock.now(), () => attempt(id));
  };
};

type Statements = ReturnType<typeof prepare>;

const prepare = ({ db }: ServiceContext) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS lambda_invocations (id TEXT PRIMARY KEY, function TEXT NOT NULL, payload TEXT NOT NULL, trace TEXT, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT',
  );
  return {
    add: db.prepare('INSERT INTO lambda_invocations VALUES (?, ?, ?, ?, 0, ?, ?)'),
    one: db.prepare('SELECT * FROM lambda_invocations WHERE id = ?'),
    all: db.prepare('SELECT id, due FROM lambda_invocations'),
    retryAt: db.prepare('UPDATE lambda_invocations SET attempts = attempts + 1, due = ? WHERE id = ?'),
    remove: db.prepare('DELETE FROM lambda_invocations WHERE id = ?'),
  };
};

const attemptInvocation = async (
  context: ServiceContext,
  statements: Statements,
  { expectFunction, invoke, deployed }: AsynchronousOptions,
  id: string,
  retry: (id: string) => Promise<void>,
): Promise<void> => {
  await deployed;
  const found = statements.one.get(id);
  if (found === undefined) return;
  const row = Row.parse(found);
  const target = expectFunction(row.function);
  const trace = row.trace ?? undefined;
  const end = async (condition: string, error: unknown): Promise<void> => {
    // The event is removed after its destinations received it, so that a crash between the two loses nothing.
    try {
      await sendToDestinations(context, target, row, condition, error);
    } finally {
      statements.remove.run(id);
    }
  };
  if (isLoop(target, trace)) return end('RecursiveInvocation', stopped(target.name));
  try {
    await invoke(target, JSON.parse(row.payload), id, trace);
    statements.remove.run(id);
  } catch (error) {
    const { clock } = context;
    const next = clock.now() + (RETRY_PAUSES_MS[row.attempts] ?? 0);
    const isTooOld = next - row.since > (target.eventAgeSeconds ?? OLDEST_SECONDS) * 1000;
    if (isTooOld) return end('EventAgeExceeded', error);
    if (row.attempts >= (target.eventRetries ?? RETRY_PAUSES_MS.length))
      return end('RetriesExhausted', error);
    statements.retryAt.run(next, id);
    clock.at(next, () => retry(id));
  }
};

/**
 * Sends a failed event to the dead-letter queue and to the destination for failures.
 *
 * @throws Error where the function has neither.
 */
const sendToDestinations = async (
  { clock, deliver }: ServiceContext,
  target: LambdaFunction,
  { id, payload, attempts }: Row,
  condition: string,
  error: unknown,
): Promise<void> => {
  const message = error instanceof Error ? error.message : String(error);
  const by = { source: target.arn, principal: 'lambda.amazonaws.com', role: target.roleArn };
  const { onFailure, deadLetterArn } = target;
  if (deadLetterArn === undefined && onFailure === undefined)
    throw new Error(
      `An event for ${target.name} was lost after ${attempts} retries (${message}): the function has no dead-letter queue and no destination for failures.`,
      { cause: error },
    );
  if (deadLetterArn !== undefined) {
    const attributes = { RequestID: id, ErrorCode: '200', ErrorMessage: message.slice(0, 1024) };
    await deliver({ arn: deadLetterArn, payload, ...by, attributes });
  }
  if (onFailure === undefined) return;
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
};
