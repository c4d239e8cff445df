import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { administration } from './administration.ts';
import { MESSAGE_LIMIT } from './attributes.ts';
import type { Broker, Received } from './broker.ts';
import {
  attributesMd5,
  attributesOf,
  bodyMd5,
  contentSize,
  MessageAttributes,
  systemAttributesOf,
} from './content.ts';
import { asSqsError, queueIn, type Requester, type SqsOperation } from './operation.ts';
import type { Queue } from './queues.ts';

const Names = z.array(z.string());
const SendInput = z.strictObject({
  Id: z.string().optional(),
  QueueUrl: z.string().optional(),
  MessageBody: z.string().min(1),
  DelaySeconds: z.int().min(0).max(900).optional(),
  MessageAttributes: MessageAttributes.optional(),
  MessageSystemAttributes: z
    .strictObject({
      AWSTraceHeader: z.looseObject({ DataType: z.literal('String'), StringValue: z.string() }),
    })
    .partial()
    .optional(),
  MessageGroupId: z.string().min(1).max(128).optional(),
});
const ReceiveInput = z.strictObject({
  QueueUrl: z.string(),
  MaxNumberOfMessages: z.int().min(1).max(10).default(1),
  VisibilityTimeout: z.int().min(0).max(43_200).optional(),
  WaitTimeSeconds: z.int().min(0).max(20).optional(),
  AttributeNames: Names.default([]),
  MessageSystemAttributeNames: Names.default([]),
  MessageAttributeNames: Names.default([]),
  ReceiveRequestAttemptId: z.string().optional(),
});
const ReceiptInput = z.looseObject({ ReceiptHandle: z.string() });
const HideInput = z.looseObject({ ReceiptHandle: z.string(), VisibilityTimeout: z.int().min(0).max(43_200) });

/** The operations of SQS by name, with the inputs and outputs of the JSON protocol. */
export const operations = (
  context: ServiceContext,
  broker: Broker,
  url: (name: string) => string,
): Readonly<Record<string, SqsOperation>> => {
  const queueOf = queueIn(broker.queues);
  return {
    ...administration(context, broker, url),
    SendMessage: (input, requester) => send(broker, queueOf(input), input, requester),
    SendMessageBatch(input, requester) {
      const queue = queueOf(input);
      const entries = entriesOf(input);
      const size = entries.reduce(
        (sum, { MessageBody, MessageAttributes: attributes }) =>
          sum +
          contentSize(z.string().catch('').parse(MessageBody), MessageAttributes.catch({}).parse(attributes)),
        0,
      );
      if (size > MESSAGE_LIMIT) {
        throw new ServiceError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than ${MESSAGE_LIMIT} bytes. You have sent ${size} bytes.`,
        );
      }
      return forEachEntry(broker, entries, (entry) => send(broker, queue, entry, requester));
    },
    ReceiveMessage: (input) => receiveMessage(context, broker, queueOf(input), ReceiveInput.parse(input)),
    DeleteMessage: (input) => remove(broker, queueOf(input), input),
    DeleteMessageBatch(input) {
      const queue = queueOf(input);
      return forEachEntry(broker, entriesOf(input), (entry) => remove(broker, queue, entry));
    },
    ChangeMessageVisibility: (input) => hide(broker, queueOf(input), input),
    ChangeMessageVisibilityBatch(input) {
      const queue = queueOf(input);
      return forEachEntry(broker, entriesOf(input), (entry) => hide(broker, queue, entry));
    },
  };
};

const send = (
  broker: Broker,
  queue: Queue,
  raw: unknown,
  { sender, trace: requestTrace }: Requester,
): object => {
  const input = SendInput.parse(raw);
  const attributes = input.MessageAttributes ?? {};
  const trace = input.MessageSystemAttributes?.AWSTraceHeader?.StringValue;
  const forwarded = trace ?? requestTrace;
  const id = broker.send(queue, {
    body: input.MessageBody,
    attributes,
    system: {
      ...(forwarded !== undefined && { AWSTraceHeader: forwarded }),
      ...(input.MessageGroupId !== undefined && { MessageGroupId: input.MessageGroupId }),
    },
    sender,
    delay: input.DelaySeconds === undefined ? undefined : input.DelaySeconds * 1000,
  });
  return {
    MessageId: id,
    MD5OfMessageBody: bodyMd5(input.MessageBody),
    ...(Object.keys(attributes).length > 0 && { MD5OfMessageAttributes: attributesMd5(attributes) }),
    ...(trace !== undefined && {
      MD5OfMessageSystemAttributes: attributesMd5({
        AWSTraceHeader: { DataType: 'String', StringValue: trace },
      }),
    }),
  };
};

const remove = (broker: Broker, queue: Queue, input: unknown): undefined => {
  broker.remove(queue, ReceiptInput.parse(input).ReceiptHandle);
};

const hide = (broker: Broker, queue: Queue, input: unknown): undefined => {
  const { ReceiptHandle, VisibilityTimeout } = HideInput.parse(input);
  broker.hide(queue, ReceiptHandle, VisibilityTimeout * 1000);
};

/** Receives messages; waits for a first one as long as the request or the queue specifies. */
const receiveMessage = async (
  { clock }: ServiceContext,
  broker: Broker,
  queue: Queue,
  input: z.infer<typeof ReceiveInput>,
): Promise<object> => {
  const visibility = input.VisibilityTimeout === undefined ? undefined : input.VisibilityTimeout * 1000;
  const receive = (): Received[] => broker.receive(queue, { limit: input.MaxNumberOfMessages, visibility });
  const end =
    clock.now() + (input.WaitTimeSeconds === undefined ? queue.settings.wait : input.WaitTimeSeconds * 1000);
  let received = receive();
  while (received.length === 0 && clock.now() < end) {
    await untilVisible(clock, broker, queue, end);
    received = receive();
  }
  return received.length === 0 ? {} : { Messages: received.map((one) => messageFor(one, input)) };
};

/** Resolves once a message may have become visible, at `end` at the latest. */
const untilVisible = (
  clock: ServiceContext['clock'],
  broker: Broker,
  { name }: Queue,
  end: number,
): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stopListening();
      timer.cancel();
      resolve();
    };
    const stopListening = broker.onVisible(name, done);
    const next = broker.messages.next(name, clock.now()) ?? end;
    const timer = clock.at(Math.min(end, next), done);
  });

/** A received message with the requested attributes. */
const messageFor = ({ message, handle }: Received, input: z.infer<typeof ReceiveInput>): object => {
  const systemNames = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
  const system = Object.entries(systemAttributesOf(message)).filter(
    ([name]) => systemNames.includes('All') || systemNames.includes(name),
  );
  const attributes = Object.entries(attributesOf(message)).filter(([name]) =>
    input.MessageAttributeNames.some(
      (wanted) =>
        wanted === 'All' ||
        wanted === name ||
        (wanted.endsWith('.*') && name.startsWith(wanted.slice(0, -2))),
    ),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: handle,
    MD5OfBody: bodyMd5(message.body),
    Body: message.body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(attributes.length > 0 && {
      MessageAttributes: Object.fromEntries(attributes),
      MD5OfMessageAttributes: attributesMd5(Object.fromEntries(attributes)),
    }),
  };
};

const Entry = z.looseObject({ Id: z.string() });

const entriesOf = (input: unknown): z.infer<typeof Entry>[] => {
  const { Entries } = z.looseObject({ Entries: z.array(Entry).default([]) }).parse(input);
  if (Entries.length === 0)
    throw new ServiceError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (Entries.length > 10) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${Entries.length}.`,
    );
  }
  if (!Entries.every(({ Id }) => /^[\w-]{1,80}$/u.test(Id))) {
    throw new ServiceError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    );
  }
  const twice = Entries.find(({ Id }, at) => Entries.findIndex((other) => other.Id === Id) !== at);
  if (twice) throw new ServiceError('BatchEntryIdsNotDistinct', `Id ${twice.Id} repeated.`);
  return Entries;
};

/** Performs an operation for each entry of a batch; a refused entry does not stop the others. */
const forEachEntry = (
  { messages }: Broker,
  entries: readonly z.infer<typeof Entry>[],
  operate: (entry: z.infer<typeof Entry>) => object | undefined,
): object =>
  messages.together(() => {
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const entry of entries) {
      try {
        Successful.push({ Id: entry.Id, ...operate(entry) });
      } catch (error) {
        const { type, message } = asSqsError(error);
        Failed.push({ Id: entry.Id, Code: type, Message: message, SenderFault: true });
      }
    }
    return { Successful, Failed };
  });
