import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { Clock, Timer } from '../protocol/clock.ts';
import { queueNameOf } from './attributes.ts';
import type { Broker, Received } from './broker.ts';
import { attributesMd5, attributesOf, bodyMd5, lambdaAttributes, systemAttributesOf } from './content.ts';

export interface Subscription {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  /** The most concurrent batches; the option of the service when absent. */
  readonly maximumConcurrency?: number | undefined;
  /** Whether the handler returns the failed messages of a batch; otherwise a batch succeeds or fails as a whole. */
  readonly reportBatchItemFailures: boolean;
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that answers nothing is a handler.
  readonly handler: (event: SQSEvent) => Promise<SQSBatchResponse | void>;
}

export interface Subscribed {
  /** Receives no further batch; resolves once the running ones have ended. */
  stop(): Promise<void>;
}

/** The bodies of one event: an event holds at most 6 MB. */
const EVENT_BYTES = 6 * 1024 * 1024 - 64 * 1024;

const Response = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * Lambda's event source mapping. The handler is called when `batchSize` messages are visible, when the window has passed
 * since the first of them became visible, or when the bodies fill an event. Messages that succeeded are removed; failed
 * ones become visible again when their visibility timeout ends.
 */
export const subscription = (
  { queues, messages, receive, remove, onVisible }: Broker,
  { clock, region }: { readonly clock: Clock; readonly region: string },
  arn: string,
  { batchSize, handler, ...options }: Subscription,
  defaultConcurrency: number,
): Subscribed => {
  const name = queueNameOf(arn);
  const window = options.batchingWindowSeconds * 1000;
  const most = options.maximumConcurrency ?? defaultConcurrency;
  const running = new Set<Promise<void>>();
  let stopped = false;
  let timer: { readonly at: number; readonly timer: Timer } | undefined;
  let windowEnds: number | undefined;

  const ready = (): number => messages.ready(name, clock.now(), batchSize);
  const disarm = (): void => {
    timer?.timer.cancel();
    timer = undefined;
  };
  const arm = (at: number): void => {
    if (timer?.at === at) return;
    disarm();
    timer = { at, timer: clock.at(at, fire) };
  };
  const plan = (): void => {
    const now = clock.now();
    const seen = stopped ? 0 : ready();
    windowEnds = seen === 0 ? undefined : (windowEnds ?? now + window);
    const next = messages.next(name, now) ?? Number.POSITIVE_INFINITY;
    const at = seen >= batchSize ? now : Math.min(next, windowEnds ?? next);
    if (stopped || running.size >= most || at === Number.POSITIVE_INFINITY) disarm();
    else arm(at);
  };
  const fire = async (): Promise<void> => {
    timer = undefined;
    const started: Promise<void>[] = [];
    while (!stopped && running.size < most && (ready() >= batchSize || windowOver())) {
      const queue = queues.find(name);
      const batch = queue && receive(queue, { limit: batchSize, bytes: EVENT_BYTES });
      if (batch === undefined || batch.length === 0) break;
      started.push(start(batch));
    }
    if (started.length > 0 || windowOver()) windowEnds = undefined;
    plan();
    await Promise.all(started);
  };
  const windowOver = (): boolean => windowEnds !== undefined && windowEnds <= clock.now();

  const start = (batch: readonly Received[]): Promise<void> => {
    const work = invoke(batch).finally(() => {
      running.delete(work);
      plan();
    });
    running.add(work);
    return work;
  };
  const invoke = async (batch: readonly Received[]): Promise<void> => {
    const event = { Records: batch.map((received) => recordOf(received, arn, region)) };
    const failed = await handler(event).then(
      (response) => (options.reportBatchItemFailures ? failuresOf(response, batch) : new Set()),
      // The caller of the function reports the error; here every message of the batch fails.
      () => new Set(batch.map(({ message }) => message.id)),
    );
    const queue = queues.find(name);
    if (queue === undefined) return;
    messages.together(() => {
      for (const { message, handle } of batch) if (!failed.has(message.id)) remove(queue, handle);
    });
  };

  const stopListening = onVisible(name, plan);
  plan();
  return {
    async stop() {
      stopped = true;
      disarm();
      stopListening();
      await Promise.all(running);
    },
  };
};

/** The ids of the failed messages. A response that is invalid or names an unknown id fails the whole batch. */
const failuresOf = (response: unknown, batch: readonly Received[]): Set<string> => {
  const ids = new Set(batch.map(({ message }) => message.id));
  const parsed = Response.safeParse(response ?? {});
  if (!parsed.success) return ids;
  const failed = new Set(parsed.data.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  return failed.isSubsetOf(ids) ? failed : ids;
};

const recordOf = ({ message, handle }: Received, arn: string, region: string): SQSRecord => {
  const attributes = attributesOf(message);
  return {
    messageId: message.id,
    receiptHandle: handle,
    body: message.body,
    attributes: systemAttributesOf(message),
    messageAttributes: lambdaAttributes(attributes),
    ...(Object.keys(attributes).length > 0 && { md5OfMessageAttributes: attributesMd5(attributes) }),
    md5OfBody: bodyMd5(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: region,
  };
};
