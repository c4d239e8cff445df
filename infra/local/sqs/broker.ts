import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { checkContent, type MessageAttributes } from './content.ts';
import { handleOf, Messages, receiptOf, type StoredMessage } from './messages.ts';
import { type Queue, Queues } from './queues.ts';

/** What makes deliveries of a test unreliable, driven by the surroundings' randomness. */
export interface Chaos {
  /** The chance that a received message comes a second time, at some moment within its visibility timeout. */
  readonly duplicate?: number;
  /** Whether messages are picked in any order instead of oldest first. */
  readonly reorder?: boolean;
}

export interface Outgoing {
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

export interface Wanted {
  readonly limit: number;
  /** Milliseconds that the messages stay hidden; the queue's own timeout when absent. */
  readonly visibility?: number | undefined;
  /** No further message is taken once their bodies would exceed this many bytes. */
  readonly bytes?: number;
}

export interface Broker {
  readonly queues: Queues;
  readonly messages: Messages;
  readonly arn: (name: string) => string;
  /** Queues a message; the answer is its id. */
  send(queue: Queue, outgoing: Outgoing): string;
  /** Takes messages that are visible; those received too often go to the dead-letter queue instead. */
  receive(queue: Queue, wanted: Wanted): Received[];
  remove(queue: Queue, handle: string): void;
  /** Moves a received message to the dead-letter queue at once; without one it is removed. */
  bury(queue: Queue, handle: string): void;
  /** Hides a received message until `milliseconds` from now. */
  hide(queue: Queue, handle: string, milliseconds: number): void;
  /** Calls `watcher` after messages may have come into sight; the answer ends it. */
  watch(name: string, watcher: () => void): () => void;
  /** Tells the watchers of a queue. */
  wake(name: string): void;
}

const CHOICE_FOR_REORDER = 100;

/** The life of a message: sent, received, hidden, removed, or too often received. */
export const broker = (surroundings: ServiceContext, chaos: Chaos): Broker => {
  const { db, clock, newId, random, region, account } = surroundings;
  const queues = new Queues(db);
  const messages = new Messages(db);
  const watchers = new Map<string, Set<() => void>>();
  const arn = (name: string): string => `arn:aws:sqs:${region}:${account}:${name}`;
  const wake = (name: string): void => {
    for (const watcher of [...(watchers.get(name) ?? [])]) watcher();
  };

  const candidates = (queue: Queue, limit: number): StoredMessage[] => {
    if (chaos.reorder !== true) return messages.visible(queue.name, clock.now(), limit);
    return shuffled(messages.visible(queue.name, clock.now(), CHOICE_FOR_REORDER), random).slice(0, limit);
  };

  /** Puts aside what is too old or was received too often; true when the message may be delivered. */
  const deliverable = (queue: Queue, message: StoredMessage): boolean => {
    const { retention, redrive } = queue.settings;
    if (message.sentAt + retention <= clock.now()) {
      messages.remove(message.seq);
      return false;
    }
    const here = message.receives - message.receivesBefore;
    if (redrive === undefined || here < redrive.maxReceiveCount || !queues.find(redrive.target)) return true;
    const system = { ...JSON.parse(message.system), DeadLetterQueueSourceArn: arn(queue.name) };
    messages.move(message.seq, redrive.target, clock.now(), JSON.stringify(system));
    wake(redrive.target);
    return false;
  };

  const take = (message: StoredMessage, visibility: number): Received => {
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

  const double = (queue: Queue, { message }: Received): void => {
    const again = clock.now() + Math.floor(random() * queue.settings.visibility);
    messages.add(queue.name, again, { ...message, copy: true });
    wake(queue.name);
  };

  return {
    queues,
    messages,
    arn,
    wake,
    send(queue, { body, attributes, system, sender, delay }) {
      checkContent(body, attributes, queue.settings.largest);
      const now = clock.now();
      const id = newId();
      messages.add(queue.name, now + (delay ?? queue.settings.delay), {
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
      wake(queue.name);
      return id;
    },
    receive: (queue, { limit, visibility = queue.settings.visibility, bytes = Number.POSITIVE_INFINITY }) =>
      messages.together(() => {
        const taken: Received[] = [];
        let size = 0;
        for (;;) {
          const found = candidates(queue, limit - taken.length);
          for (const message of found) {
            if (!deliverable(queue, message)) continue;
            size += Buffer.byteLength(message.body);
            if (size > bytes && taken.length > 0) return taken;
            const received = take(message, visibility);
            taken.push(received);
            if (!message.copy && chaos.duplicate !== undefined && random() < chaos.duplicate)
              double(queue, received);
          }
          // Without a timeout a message is in sight at once, and is not taken twice by one call.
          if (found.length === 0 || taken.length >= limit || visibility === 0) return taken;
        }
      }),
    remove(queue, handle) {
      messages.removeHeld(queue.name, expectReceipt(handle));
    },
    bury(queue, handle) {
      const receipt = expectReceipt(handle);
      const { redrive } = queue.settings;
      const message = messages.held(queue.name, receipt);
      if (message === undefined || redrive === undefined || !queues.find(redrive.target)) {
        messages.removeHeld(queue.name, receipt);
        return;
      }
      const { AWSTraceHeader: _, ...system } = JSON.parse(message.system);
      const marked = JSON.stringify({ ...system, DeadLetterQueueSourceArn: arn(queue.name) });
      messages.move(message.seq, redrive.target, clock.now(), marked);
      wake(redrive.target);
    },
    hide(queue, handle, milliseconds) {
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
      wake(queue.name);
    },
    watch(name, watcher) {
      const watching = watchers.get(name) ?? new Set();
      watchers.set(name, watching.add(watcher));
      return () => watching.delete(watcher);
    },
  };
};

const expectReceipt = (handle: string) => {
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
