import { createHash } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { Timer } from '../../core/clock.ts';
import { answerJson, jsonOperation, type Operation, ServiceError } from './json.ts';
import { Queues, type StoredMessage } from './message-store.ts';
import type { AwsService, Surroundings } from './service.ts';

export interface SqsOptions {
  /** Where queue URLs point. */
  readonly endpoint?: string;
  /** Chances, by the surroundings' randomness, that a message is delivered twice and that a batch is shuffled. */
  readonly chaos?: { readonly duplicate?: number; readonly reorder?: boolean };
}

export interface Subscription {
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly maximumConcurrency: number;
  readonly handler: (event: SQSEvent) => Promise<SQSBatchResponse | undefined>;
}

export interface Sqs extends AwsService {
  send(queueArn: string, body: string): void;
  /** Lambda's event source mapping: batches go to the handler, what it reports as failed comes again. */
  subscribe(queueArn: string, subscription: Subscription): { stop(): void };
  counts(queueArn: string): { visible: number; hidden: number };
}

const Attributes = z.record(z.string(), z.string());
const MessageAttributes = z.record(
  z.string(),
  z.looseObject({
    DataType: z.string(),
    StringValue: z.string().optional(),
    BinaryValue: z.string().optional(),
  }),
);
const Send = z.strictObject({
  Id: z.string().optional(),
  QueueUrl: z.string().optional(),
  MessageBody: z.string().min(1),
  DelaySeconds: z.int().min(0).max(900).optional(),
  MessageAttributes: MessageAttributes.optional(),
  MessageSystemAttributes: MessageAttributes.optional(),
});
const Entries = z.object({
  QueueUrl: z.string(),
  Entries: z
    .array(z.looseObject({ Id: z.string() }))
    .min(1)
    .max(10),
});
const Url = z.looseObject({ QueueUrl: z.string() });
const Redrive = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().positive(),
});

/** What XML 1.0 allows: SQS refuses every other character. */
const ALLOWED = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const MESSAGE_LIMIT = 1024 * 1024;

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const nameOf = (urlOrArn: string): string => urlOrArn.split(/[/:]/u).at(-1) ?? '';

/** SQS on one machine: standard queues, at least once and in no promised order. */
export const sqs = (surroundings: Surroundings, options: SqsOptions = {}): Sqs => {
  const { clock, newId, random, region, account } = surroundings;
  const queues = new Queues(surroundings.db);
  const watchers = new Map<string, Set<() => void>>();
  const arn = (name: string): string => `arn:aws:sqs:${region}:${account}:${name}`;
  const url = (name: string): string =>
    `${options.endpoint ?? `https://sqs.${region}.amazonaws.com`}/${account}/${name}`;
  const wake = (name: string): void => {
    for (const watcher of watchers.get(name) ?? []) watcher();
  };

  const send = (
    name: string,
    raw: unknown,
  ): { MessageId: string; MD5OfMessageBody: string; MD5OfMessageAttributes?: string } => {
    const input = Send.parse(raw);
    const attributes = queues.attributes(name);
    if (!ALLOWED.test(input.MessageBody)) {
      throw new ServiceError(
        'InvalidMessageContents',
        'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
      );
    }
    const limit = Math.min(MESSAGE_LIMIT, Number(attributes['MaximumMessageSize']));
    if (Buffer.byteLength(input.MessageBody) > limit) {
      throw new ServiceError(
        'InvalidParameterValue',
        `One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`,
      );
    }
    const now = clock.now();
    const id = newId();
    const delay = input.DelaySeconds ?? Number(attributes['DelaySeconds']);
    queues.send(name, {
      id,
      body: input.MessageBody,
      attributes: JSON.stringify(input.MessageAttributes ?? {}),
      sentAt: now,
      visibleAt: now + delay * 1000,
    });
    wake(name);
    return {
      MessageId: id,
      MD5OfMessageBody: md5(input.MessageBody),
      ...(input.MessageAttributes &&
        Object.keys(input.MessageAttributes).length > 0 && {
          MD5OfMessageAttributes: attributesMd5(input.MessageAttributes),
        }),
    };
  };

  /** Takes up to `limit` messages; those received too often go to the dead-letter queue instead. */
  const receive = (
    name: string,
    limit: number,
    visibility?: number,
  ): { message: StoredMessage; receipt: string }[] => {
    const attributes = queues.attributes(name);
    const now = clock.now();
    queues.removeOlderThan(name, now - Number(attributes['MessageRetentionPeriod']) * 1000);
    const redrive =
      attributes['RedrivePolicy'] === undefined
        ? undefined
        : Redrive.parse(JSON.parse(attributes['RedrivePolicy']));
    const visibleAt = now + (visibility ?? Number(attributes['VisibilityTimeout'])) * 1000;
    const taken: { message: StoredMessage; receipt: string }[] = [];
    while (taken.length < limit) {
      const found = queues.visible(name, now, limit - taken.length);
      if (found.length === 0) break;
      for (const message of found) {
        if (redrive && message.receives >= redrive.maxReceiveCount) {
          const target = nameOf(redrive.deadLetterTargetArn);
          queues.move(message.seq, target, now);
          wake(target);
          continue;
        }
        const receipt = newId();
        const again = random() < (options.chaos?.duplicate ?? 0);
        queues.receive(message.seq, receipt, now, again ? now : visibleAt);
        taken.push({
          message: {
            ...message,
            receives: message.receives + 1,
            firstReceivedAt: message.firstReceivedAt ?? now,
          },
          receipt,
        });
      }
      if (visibleAt <= now) break;
    }
    if (options.chaos?.reorder === true) shuffle(taken, random);
    return taken;
  };

  const eachEntry = (
    raw: unknown,
    act: (name: string, entry: Record<string, unknown>) => object,
  ): unknown => {
    const { QueueUrl, Entries: entries } = Entries.parse(raw);
    if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
      throw new ServiceError(
        'BatchEntryIdsNotDistinct',
        'Two or more batch entries in the request have the same Id.',
      );
    }
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const entry of entries) {
      try {
        Successful.push({ Id: entry.Id, ...act(nameOf(QueueUrl), entry) });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        Failed.push({ Id: entry.Id, Code: error.type, Message: error.message, SenderFault: true });
      }
    }
    return { Successful, Failed };
  };

  const changeVisibility = (name: string, raw: unknown): object => {
    const { ReceiptHandle, VisibilityTimeout } = z
      .looseObject({ ReceiptHandle: z.string(), VisibilityTimeout: z.int().min(0).max(43_200) })
      .parse(raw);
    if (!queues.setVisibleAt(name, ReceiptHandle, clock.now() + VisibilityTimeout * 1000)) {
      throw new ServiceError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
    }
    wake(name);
    return {};
  };

  const remove = (name: string, raw: unknown): object => {
    queues.deleteByReceipt(name, z.looseObject({ ReceiptHandle: z.string() }).parse(raw).ReceiptHandle);
    return {};
  };

  const queueOf = (input: unknown): string => {
    const name = nameOf(Url.parse(input).QueueUrl);
    queues.attributes(name);
    return name;
  };

  const operations: Record<string, Operation> = {
    CreateQueue(input) {
      const { QueueName, Attributes: attributes = {} } = z
        .looseObject({
          QueueName: z
            .string()
            .regex(
              /^[\w-]{1,80}$/u,
              'only standard queues, named by up to 80 letters, digits, - and _, are known here',
            ),
          Attributes: Attributes.optional(),
        })
        .parse(input);
      queues.create(QueueName, attributes);
      return { QueueUrl: url(QueueName) };
    },
    DeleteQueue: (input) => queues.remove(queueOf(input)),
    GetQueueUrl(input) {
      const { QueueName } = z.looseObject({ QueueName: z.string() }).parse(input);
      queues.attributes(QueueName);
      return { QueueUrl: url(QueueName) };
    },
    ListQueues(input) {
      const { QueueNamePrefix = '' } = z.looseObject({ QueueNamePrefix: z.string().optional() }).parse(input);
      return {
        QueueUrls: queues
          .names()
          .filter((name) => name.startsWith(QueueNamePrefix))
          .map(url),
      };
    },
    GetQueueAttributes(input) {
      const name = queueOf(input);
      const { AttributeNames = [] } = z
        .looseObject({ AttributeNames: z.array(z.string()).optional() })
        .parse(input);
      const { visible, hidden } = queues.counts(name, clock.now());
      const all: Record<string, string> = {
        ...queues.attributes(name),
        QueueArn: arn(name),
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(hidden),
      };
      const wanted = AttributeNames.includes('All') ? Object.keys(all) : AttributeNames;
      return {
        Attributes: Object.fromEntries(
          wanted.flatMap((one) => (all[one] === undefined ? [] : [[one, all[one]]])),
        ),
      };
    },
    SetQueueAttributes(input) {
      const name = queueOf(input);
      queues.create(name, { ...queues.attributes(name), ...Attributes.parse(input['Attributes']) });
    },
    PurgeQueue: (input) => queues.purge(queueOf(input)),
    SendMessage: (input) => send(queueOf(input), input),
    SendMessageBatch: (input) => eachEntry(input, send),
    async ReceiveMessage(input) {
      const name = queueOf(input);
      const asked = z
        .looseObject({
          MaxNumberOfMessages: z.int().min(1).max(10).optional(),
          VisibilityTimeout: z.int().min(0).max(43_200).optional(),
          WaitTimeSeconds: z.int().min(0).max(20).optional(),
        })
        .parse(input);
      const wait = asked.WaitTimeSeconds ?? Number(queues.attributes(name)['ReceiveMessageWaitTimeSeconds']);
      const take = () => receive(name, asked.MaxNumberOfMessages ?? 1, asked.VisibilityTimeout);
      let taken = take();
      if (taken.length === 0 && wait > 0) {
        await arrival(name, wait);
        taken = take();
      }
      return taken.length === 0
        ? {}
        : {
            Messages: taken.map(({ message, receipt }) => ({
              MessageId: message.id,
              ReceiptHandle: receipt,
              Body: message.body,
              MD5OfBody: md5(message.body),
              Attributes: systemAttributes(message, account),
              ...messageAttributes(message),
            })),
          };
    },
    DeleteMessage: (input) => remove(queueOf(input), input),
    DeleteMessageBatch: (input) => eachEntry(input, remove),
    ChangeMessageVisibility: (input) => changeVisibility(queueOf(input), input),
    ChangeMessageVisibilityBatch: (input) => eachEntry(input, changeVisibility),
  };

  /** Resolves when a message comes into sight, or when the wait is over. */
  const arrival = (name: string, seconds: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        watching(name).delete(end);
        timer.cancel();
        resolve();
      };
      const timer = clock.at(clock.now() + seconds * 1000, end);
      watching(name).add(end);
    });
  const watching = (name: string): Set<() => void> => {
    const present = watchers.get(name) ?? new Set();
    watchers.set(name, present);
    return present;
  };

  return {
    signingName: 'sqs',
    operation: jsonOperation,
    async handle(request) {
      const response = await answerJson(request, '1.0', operations, 'com.amazonaws.sqs#');
      const type = response.headers['x-amzn-errortype'];
      if (type === undefined) return response;
      return {
        ...response,
        headers: {
          ...response.headers,
          'x-amzn-query-error': `${type === 'QueueDoesNotExist' ? 'AWS.SimpleQueueService.NonExistentQueue' : type};Sender`,
        },
      };
    },
    send(queueArn, body) {
      send(nameOf(queueArn), { MessageBody: body });
    },
    counts: (queueArn) => queues.counts(nameOf(queueArn), clock.now()),
    subscribe(queueArn, subscription) {
      const name = nameOf(queueArn);
      let running = 0;
      let stopped = false;
      let timer: Timer | undefined;
      const invoke = async (taken: ReturnType<typeof receive>): Promise<void> => {
        running++;
        try {
          const event = {
            Records: taken.map(({ message, receipt }) =>
              recordOf(message, receipt, queueArn, region, account),
            ),
          };
          const response = await subscription.handler(event);
          const failed = new Set(response?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          for (const { message, receipt } of taken)
            if (!failed.has(message.id)) queues.deleteByReceipt(name, receipt);
        } catch {
          // The function's failure is logged where it ran; its messages come again when their visibility ends.
        } finally {
          running--;
          poll();
        }
      };
      const poll = (): void => {
        if (stopped || timer !== undefined) return;
        const { visible, next } = queues.counts(name, clock.now());
        if (visible === 0) {
          if (next !== undefined) arm(next);
          return;
        }
        const wait = visible >= subscription.batchSize ? 0 : subscription.batchingWindowSeconds * 1000;
        arm(clock.now() + wait);
      };
      const arm = (at: number): void => {
        timer = clock.at(at, async () => {
          timer = undefined;
          const batches: Promise<void>[] = [];
          while (!stopped && running < subscription.maximumConcurrency) {
            const taken = receive(name, subscription.batchSize);
            if (taken.length === 0) break;
            batches.push(invoke(taken));
          }
          if (running < subscription.maximumConcurrency) poll();
          await Promise.all(batches);
        });
      };
      const awake = (): void => {
        // A message that is here now goes before one that a timer waits for.
        if (timer !== undefined && queues.counts(name, clock.now()).visible > 0) {
          timer.cancel();
          timer = undefined;
        }
        if (running < subscription.maximumConcurrency) poll();
      };
      watching(name).add(awake);
      poll();
      return {
        stop() {
          stopped = true;
          timer?.cancel();
          watching(name).delete(awake);
        },
      };
    },
  };
};

const shuffle = (list: unknown[], random: () => number): void => {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other], list[at]];
  }
};

const systemAttributes = (message: StoredMessage, account: string): Record<string, string> => ({
  SenderId: account,
  SentTimestamp: String(message.sentAt),
  ApproximateReceiveCount: String(message.receives),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? 0),
});

const messageAttributes = (message: StoredMessage): object => {
  const attributes = MessageAttributes.parse(JSON.parse(message.attributes));
  return Object.keys(attributes).length === 0
    ? {}
    : { MessageAttributes: attributes, MD5OfMessageAttributes: attributesMd5(attributes) };
};

const recordOf = (
  message: StoredMessage,
  receipt: string,
  queueArn: string,
  region: string,
  account: string,
): SQSRecord => ({
  messageId: message.id,
  receiptHandle: receipt,
  body: message.body,
  md5OfBody: md5(message.body),
  attributes: {
    SenderId: account,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? 0),
  },
  messageAttributes: {},
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: region,
});

/** The digest of message attributes that clients check: names sorted, each part with its length. */
const attributesMd5 = (attributes: z.infer<typeof MessageAttributes>): string => {
  const hash = createHash('md5');
  const part = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    hash.update(length).update(bytes);
  };
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes).sort(
    ([one], [other]) => (one < other ? -1 : 1),
  )) {
    part(Buffer.from(name));
    part(Buffer.from(DataType));
    hash.update(Buffer.of(BinaryValue === undefined ? 1 : 2));
    part(BinaryValue === undefined ? Buffer.from(StringValue ?? '') : Buffer.from(BinaryValue, 'base64'));
  }
  return hash.digest('hex');
};
