import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { checkContent, type MessageAttributes } from './content.ts';
import { handleOf, Messages, type Receipt, receiptOf, type StoredMessage } from './messages.ts';
import { type Queue, Queues } from './queues.ts';

/** The faults of a test's deliveries, driven by the context's randomness. */
export interface Chaos {
  /** The probability that a received message is delivered again within its visibility timeout. */
  readonly duplicate?: number;
  /** Whether messages are received in random order instead of oldest first. */
  readonly reorder?: boolean;
}

interface Outgoing {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly system: Readonly<Record<string, string>>;
  readonly sender: string;
  /** Milliseconds until it can be received; the queue's own delay when absent. */
  readonly delay?: number | undefined;
}

export interface Received {
  readonly message: StoredMessage;
  readonly handle: string;
}

interface ReceiveOptions {
  readonly limit: number;
  /** Milliseconds for which the messages are invisible; the queue's own timeout when absent. */
  readonly visibility?: number | undefined;
  /** The most bytes of bodies; the first message is received in any case. */
  readonly bytes?: number;
}

export interface Broker {
  readonly queues: Queues;
  readonly messages: Messages;
  readonly arn: (name: string) => string;
  /** Queues a message and returns its id. */
  send(queue: Queue, outgoing: Outgoing): string;
  /** Receives visible messages. Those received too often move to the dead-letter queue instead. */
  receive(queue: Queue, options: ReceiveOptions): Received[];
  remove(queue: Queue, handle: string): void;
  /** Moves a received message to the dead-letter queue; where the queue has none, removes it. */
  moveToDeadLetter(queue: Queue, handle: string): void;
  /** Makes a received message invisible for `milliseconds` from now. */
  hide(queue: Queue, handle: string, milliseconds: number): void;
  /** Calls `listener` whenever messages may have become visible. Returns a function that ends it. */
  onVisible(name: string, listener: () => void): () => void;
  /** Calls the listeners of a queue. */
  notify(name: string): void;
}

type BrokerState = Pick<Broker, 'queues' | 'messages' | 'arn' | 'notify'> &
  Pick<ServiceContext, 'clock' | 'newId' | 'random'> & { readonly chaos: Chaos };

const REORDER_WINDOW = 100;

/** Messages from sending to removal, over all queues. */
export const broker = (context: ServiceContext, chaos: Chaos): Broker => {
  const { db, clock, newId, random, region, account } = context;
  const listeners = new Map<string, Set<() => void>>();
  const state: BrokerState = {
    ...{ queues: new Queues(db), messages: new Messages(db), clock, newId, random, chaos },
    arn: (name) => `arn:aws:sqs:${region}:${account}:${name}`,
    notify(name) {
      for (const listener of [...(listeners.get(name) ?? [])]) listener();
    },
  };
  const { queues, messages, arn, notify } = state;
  return {
    ...{ queues, messages, arn, notify },
    send: (queue, outgoing) => send(state, queue, outgoing),
    receive: (queue, options) => messages.together(() => receive(state, queue, options)),
    remove: (queue, handle) => messages.removeHeld(queue.name, expectReceipt(handle)),
    moveToDeadLetter: (queue, handle) => moveToDeadLetter(state, queue, expectReceipt(handle)),
    hide: (queue, handle, milliseconds) => hide(state, queue, handle, milliseconds),
    onVisible(name, listener) {
      const present = listeners.get(name) ?? new Set();
      listeners.set(name, present.add(listener));
      return () => present.delete(listener);
    },
  };
};

const send = (
  { messages, clock, newId, notify }: BrokerState,
  queue: Queue,
  { body, attributes, system, sender, delay = queue.settings.delay }: Outgoing,
): string => {
  checkContent(body, attributes, queue.settings.largest);
  const now = clock.now();
  const id = newId();
  messages.add(queue.name, now + delay, {
    id,
    body,
    attributes: JSON.stringify(attributes),
    system: JSON.stringify(system),
    sender,
    sentAt: now,
    receives: 0,
    firstReceivedAt: null,
    copy: false,
  });
  notify(queue.name);
  return id;
};

const receive = (
  state: BrokerState,
  queue: Queue,
  { limit, visibility = queue.settings.visibility, bytes = Number.POSITIVE_INFINITY }: ReceiveOptions,
): Received[] => {
  const { random, chaos } = state;
  const received: Received[] = [];
  let size = 0;
  for (;;) {
    const found = candidates(state, queue, limit - received.length);
    for (const message of found) {
      if (!isDeliverable(state, queue, message)) continue;
      size += Buffer.byteLength(message.body);
      if (size > bytes && received.length > 0) return received;
      const one = receiveOne(state, message, visibility);
      received.push(one);
      if (!message.copy && chaos.duplicate !== undefined && random() < chaos.duplicate)
        duplicate(state, queue, one);
    }
    // Without a timeout a message is visible at once, and one call must not receive it twice.
    if (found.length === 0 || received.length >= limit || visibility === 0) return received;
  }
};

const candidates = (
  { messages, clock, chaos, random }: BrokerState,
  queue: Queue,
  limit: number,
): StoredMessage[] => {
  if (chaos.reorder !== true) return messages.visible(queue.name, clock.now(), limit);
  return shuffled(messages.visible(queue.name, clock.now(), REORDER_WINDOW), random).slice(0, limit);
};

/** Removes a message that is too old and moves one that was received too often. Returns whether neither was the case. */
const isDeliverable = (
  { queues, messages, clock, arn, notify }: BrokerState,
  queue: Queue,
  message: StoredMessage,
): boolean => {
  const { retention, redrive } = queue.settings;
  if (message.sentAt + retention <= clock.now()) {
    messages.remove(message.seq);
    return false;
  }
  const receives = message.receives - message.receivesBefore;
  if (redrive === undefined || receives < redrive.maxReceiveCount || !queues.find(redrive.target))
    return true;
  const system = { ...JSON.parse(message.system), DeadLetterQueueSourceArn: arn(queue.name) };
  messages.move(message.seq, redrive.target, clock.now(), JSON.stringify(system));
  notify(redrive.target);
  return false;
};

const receiveOne = (
  { messages, clock, newId }: BrokerState,
  message: StoredMessage,
  visibility: number,
): Received => {
  const now = clock.now();
  const receipt = newId();
  messages.receive(message.seq, receipt, now, now + visibility);
  const received = {
    ...message,
    receives: message.receives + 1,
    firstReceivedAt: message.firstReceivedAt ?? now,
  };
  return { message: received, handle: handleOf({ seq: message.seq, receipt }) };
};

const duplicate = (
  { messages, clock, random, notify }: BrokerState,
  queue: Queue,
  { message }: Received,
): void => {
  const visibleAt = clock.now() + Math.floor(random() * queue.settings.visibility);
  messages.add(queue.name, visibleAt, { ...message, copy: true });
  notify(queue.name);
};

const moveToDeadLetter = (
  { queues, messages, clock, arn, notify }: BrokerState,
  queue: Queue,
  receipt: Receipt,
): void => {
  const { redrive } = queue.settings;
  const message = messages.held(queue.name, receipt);
  if (message === undefined || redrive === undefined || !queues.find(redrive.target)) {
    messages.removeHeld(queue.name, receipt);
    return;
  }
  const { AWSTraceHeader: _, ...system } = JSON.parse(message.system);
  const moved = JSON.stringify({ ...system, DeadLetterQueueSourceArn: arn(queue.name) });
  messages.move(message.seq, redrive.target, clock.now(), moved);
  notify(redrive.target);
};

const hide = (
  { messages, clock, notify }: BrokerState,
  queue: Queue,
  handle: string,
  milliseconds: number,
): void => {
  const receipt = expectReceipt(handle);
  const until = messages.heldUntil(queue.name, receipt);
  if (until === undefined) {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  }
  if (until <= clock.now())
    throw new ServiceError('MessageNotInflight', 'The message referred to is not in flight.');
  messages.hide(receipt.seq, clock.now() + milliseconds);
  notify(queue.name);
};

const expectReceipt = (handle: string): Receipt => {
  const receipt = receiptOf(handle);
  if (receipt === undefined)
    throw new ServiceError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle}" is not a valid receipt handle.`,
    );
  return receipt;
};

const shuffled = <T>(list: readonly T[], random: () => number): T[] =>
  list
    .map((value) => ({ value, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value);
