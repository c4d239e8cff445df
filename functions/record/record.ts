import { HubError } from '../../core/errors.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { type Pausing, pauseBeforeRetry } from '../aws/clients/optimistic.ts';
import type { BusEvent } from '../contracts/events/catalogue.ts';
import { log, withMessage } from '../contracts/log.ts';
import type { Changes, Loaded } from '../contracts/ports/record.ts';
import type { CommandWork, Work } from '../contracts/work.ts';
import { applyGroup, hasChanges, type OutgoingEvent } from './apply.ts';
import { delayOf, findOutOfOrder, groupByCustomer } from './groups.ts';
import type { ReadResult } from './messages/ports.ts';

interface RecordPorts<Message> {
  /** The interactions and commands that a queue message asks to record, and events that it asks to publish. */
  readonly decode: (message: Message) => Promise<ReadResult>;
  readonly identity: () => Promise<IdentityConfig>;
  /** The silence after which a new conversation begins, in milliseconds. */
  readonly silence: () => Promise<number>;
  /** Reads the customers, reviews and earlier results that the work concerns. */
  readonly load: (works: readonly Work[]) => Promise<Loaded>;
  /** One conditional transaction. Nothing is written on `false` (a row changed since it was read) and on `too-large`. */
  readonly commit: (changes: Changes, loaded: Loaded) => Promise<boolean | 'too-large'>;
  /** Makes the files of a recorded interaction stay: until then they expire. */
  readonly keepFiles: (interaction: Interaction) => Promise<void>;
  /** Removes the files of an interaction whose customer was erased, which a redelivery stored again. */
  readonly removeFiles: (interaction: Interaction) => Promise<void>;
  /** Puts events on the bus; true for each that the bus has taken. */
  readonly publish: (events: readonly BusEvent[]) => Promise<readonly boolean[]>;
  /** Stores a command that cannot be executed as a failure, with the reason. */
  readonly refuse: (message: Message, work: CommandWork, error: HubError) => Promise<void>;
  readonly newId: () => string;
  readonly pausing: Pausing;
}

/** Rounds of transactions without progress, while others change the same customers, before the queue retries later. */
const MOST_ROUNDS_WITHOUT_PROGRESS = 12;
/** Most transactions of this size fit into DynamoDB's 100 items; one command may write as much as several interactions. */
const WORKS_PER_TRANSACTION = 15;
const COMMANDS_PER_TRANSACTION = 7;

/**
 * Records a batch of queue messages: decode → resolve → apply → commit → publish. Work that concerns the same customer is
 * written in one transaction, other work in transactions of its own. Returns the messages that the queue must deliver
 * again, each with the reason.
 */
export const record =
  <Message extends { readonly id: string }>(ports: RecordPorts<Message>) =>
  async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const failed = new Map<string, unknown>();
    const config = await ports.identity();
    const { works, outgoing } = await decodeAll(ports, messages, failed);
    let waiting: readonly Work[] = works;
    let roundsWithoutProgress = 0;
    while (waiting.length > 0 && roundsWithoutProgress < MOST_ROUNDS_WITHOUT_PROGRESS) {
      const outOfOrder = findOutOfOrder(waiting, config);
      const ready = waiting.filter((work) => !outOfOrder.has(work));
      const loaded = await ports.load(ready);
      const undelayed = await delayEarly(ready, loaded, config, failed);
      const again: Work[] = [...outOfOrder];
      for (const group of groupByCustomer(undelayed, loaded, config)) {
        try {
          const { committed, left } = await commitGroup(ports, messages, config, group, loaded);
          outgoing.push(...committed);
          again.push(...left);
        } catch (error) {
          for (const { message } of group) failed.set(message, error);
        }
      }
      roundsWithoutProgress = again.length < waiting.length ? 0 : roundsWithoutProgress + 1;
      waiting = again;
      if (roundsWithoutProgress > 0) await pauseBeforeRetry(ports.pausing, roundsWithoutProgress);
    }
    for (const { message } of waiting) failed.set(message, writeConflict());
    await publishAll(ports, outgoing, failed);
    return failed;
  };

const decodeAll = async <Message extends { readonly id: string }>(
  { decode }: RecordPorts<Message>,
  messages: readonly Message[],
  failed: Map<string, unknown>,
): Promise<{ readonly works: readonly Work[]; readonly outgoing: OutgoingEvent[] }> => {
  const decoded = messages.map(async (message) => {
    try {
      const { works, events } = await withMessage(message.id, () => decode(message));
      return { works, outgoing: events.map((event): OutgoingEvent => ({ event, messages: [message.id] })) };
    } catch (error) {
      failed.set(message.id, error);
      return { works: [], outgoing: [] };
    }
  });
  const all = await Promise.all(decoded);
  return { works: all.flatMap(({ works }) => works), outgoing: all.flatMap(({ outgoing }) => outgoing) };
};

/** Queues anonymous events again that arrive before the message they reference. Returns the other work. */
const delayEarly = async (
  works: readonly Work[],
  loaded: Loaded,
  config: IdentityConfig,
  failed: Map<string, unknown>,
): Promise<Work[]> => {
  const others: Work[] = [];
  for (const work of works) {
    const delay = delayOf(work, loaded, config);
    if (delay === undefined) others.push(work);
    else await delay().catch((error: unknown) => failed.set(work.message, error));
  }
  return others;
};

/**
 * Applies and commits as much of a group as one transaction holds, and half as much each time it proves too large. Returns
 * the work that is left: all of it when a row changed since it was read.
 */
const commitGroup = async <Message extends { readonly id: string }>(
  ports: RecordPorts<Message>,
  messages: readonly Message[],
  config: IdentityConfig,
  group: readonly Work[],
  loaded: Loaded,
): Promise<{ committed: readonly OutgoingEvent[]; left: readonly Work[] }> => {
  const context = { config, silence: await ports.silence(), newId: ports.newId };
  let most = group.some(({ type }) => type === 'command') ? COMMANDS_PER_TRANSACTION : WORKS_PER_TRANSACTION;
  for (;;) {
    const works = group.slice(0, most);
    const { changes, outgoing } = applyGroup(works, loaded, context);
    for (const { work, error } of changes.refused)
      for (const message of messages)
        if (message.id === work.message) await ports.refuse(message, work, error);
    const written = hasChanges(changes) ? await ports.commit(changes, loaded) : true;
    if (written === false) return { committed: [], left: group };
    if (written === true) {
      for (const { provider, kind } of changes.ignored)
        log('info', 'ignored-events', { provider, types: kind, count: 1 });
      for (const interaction of changes.erased) await ports.removeFiles(interaction);
      for (const interaction of recordedAmong(works, changes)) await ports.keepFiles(interaction);
      return { committed: outgoing, left: group.slice(works.length) };
    }
    if (works.length === 1) throw tooLarge();
    most = Math.ceil(works.length / 2);
  }
};

/**
 * The interactions that are stored now. Those that were stored before are among them: the function may have ended
 * between that commit and keeping the files.
 */
const recordedAmong = (
  works: readonly Work[],
  { erased, ignored }: { readonly erased: readonly Interaction[]; readonly ignored: readonly Interaction[] },
): Interaction[] =>
  works.flatMap((work) =>
    work.type === 'command' || erased.includes(work.interaction) || ignored.includes(work.interaction)
      ? []
      : [work.interaction],
  );

const publishAll = async <Message>(
  { publish }: RecordPorts<Message>,
  outgoing: readonly OutgoingEvent[],
  failed: Map<string, unknown>,
): Promise<void> => {
  const published = await publish(outgoing.map(({ event }) => event));
  for (const [position, { messages }] of outgoing.entries())
    if (published[position] !== true) for (const message of messages) failed.set(message, unpublished());
};

const writeConflict = (): HubError =>
  new HubError(
    'write-conflict',
    `The same customers changed concurrently ${MOST_ROUNDS_WITHOUT_PROGRESS} times; the message will be retried.`,
    { retry: 'later' },
  );

const tooLarge = (): HubError =>
  new HubError(
    'oversized-change',
    'A single interaction or command changes more customers than one DynamoDB transaction can hold. Remove some of its identifiers and replay it.',
    { retry: 'never' },
  );

const unpublished = (): HubError =>
  new HubError(
    'unpublished-events',
    'EventBridge did not accept an event; the message will be retried and publishes the same events again.',
    { retry: 'later' },
  );
