import { type Half, snapshot } from '../../core/customer.ts';
import type { Remembered } from '../../core/erasure.ts';
import { HubError } from '../../core/errors.ts';
import type { Identifier } from '../../core/identifier.ts';
import { type IdentityConfig, normaliseIdentifier, usableIdentifiers } from '../../core/identity.ts';
import type { Interaction } from '../../core/interaction.ts';
import { type Review, waitingId } from '../../core/ledger.ts';
import { type Decision, type Introduced, People, type Placement } from '../../core/people.ts';
import type { StoredInteraction } from '../ports.ts';
import { completed, type IncompleteInteraction } from './completion.ts';
import { early } from './early.ts';
import {
  type BusEvent,
  causedBy,
  consentChanged,
  conversationClosed,
  customerCreated,
  customerImported,
  interactionEvents,
  merged,
  unmerged,
} from './events.ts';
import type { CommandMessage } from './message.ts';

/** One interaction or command, and the queue messages that asked for it. */
export type Work =
  | InteractionWork
  | { readonly type: 'command'; readonly command: CommandMessage; readonly message: string };

export interface InteractionWork {
  readonly type: 'interaction';
  readonly interaction: Interaction;
  readonly receivedAt: string;
  readonly message: string;
  /** Its content was fetched: it completes what was stored, or waits for a person, without. */
  readonly completes?: true;
}

/** What is already known of a piece of work that arrives again: its events, or nothing where it waits for a person. */
export interface SeenBefore {
  readonly events: readonly BusEvent[];
  /** Its row, where that was stored without the content. */
  readonly incomplete?: IncompleteInteraction;
  /** What an import did: its events are made again of the customer. */
  readonly introduced?: Introduced;
  /** Whoever it was of is gone. */
  readonly erased?: boolean;
}

export interface Loaded {
  readonly halves: readonly Half[];
  readonly owners: ReadonlyMap<Identifier, string>;
  /** By the id of the interaction or command. */
  readonly seen: ReadonlyMap<string, SeenBefore>;
  /** The half that holds the message which an interaction refers to, by the id of the interaction that refers. */
  readonly referred: ReadonlyMap<string, string>;
  /** The open review entries that commands are about, and those of interactions whose content has come, by their id. */
  readonly reviews: ReadonlyMap<string, Review>;
  /** Work that was on its way to somebody when they were erased, by the id of the interaction or command. */
  readonly overtaken: ReadonlySet<string>;
  /** What must not be forgotten of identifiers whose earlier owner was erased. */
  readonly remembered: ReadonlyMap<Identifier, Remembered>;
}

/** Everything that one transaction writes: the interactions, the commands, and whatever `people` lists as changed. */
export interface Changes {
  readonly people: People;
  readonly interactions: readonly StoredInteractionChange[];
  /** Rows that were stored without their content and now have it. */
  readonly completions: readonly StoredInteraction[];
  /** The ids of interactions that waited on the review list and were looked at again. */
  readonly waited: ReadonlySet<string>;
  readonly commands: readonly ObeyedCommand[];
  /** What was overtaken by an erasure: from now on it is as if it had been erased with the rest. */
  readonly overtaken: readonly { readonly id: string; readonly at: string }[];
}

export interface ObeyedCommand {
  readonly command: CommandMessage;
  readonly events: readonly BusEvent[];
  /** Kept in the place of the events, because it says nothing of the person. */
  readonly introduced?: Introduced;
  /** The interaction that the command placed: what was waiting for a person. */
  readonly placed?: StoredInteractionChange;
}

export interface StoredInteractionChange {
  readonly stored: StoredInteraction;
  readonly placement: Placement;
}

export interface RecordPorts {
  readonly identity: () => Promise<IdentityConfig>;
  /** What parts two conversations, in milliseconds. */
  readonly silence: () => Promise<number>;
  readonly load: (works: readonly Work[]) => Promise<Loaded>;
  /**
   * One conditional transaction; false when something was changed in between, `too-large` when it cannot hold all of it. Then
   * nothing was written.
   */
  readonly commit: (changes: Changes) => Promise<boolean | 'too-large'>;
  /** Takes away the files of an interaction whose customer was erased, which it has brought along again. */
  readonly forget: (interaction: Interaction) => Promise<void>;
  /** Puts events on the bus; true for each that the bus has taken. */
  readonly publish: (events: readonly BusEvent[]) => Promise<readonly boolean[]>;
  /** Keeps a command that cannot be done, with the reason, for the person who gave it; by the queue message that brought it. */
  readonly refuse: (message: string, error: HubError, command: CommandMessage) => Promise<void>;
  readonly newId: () => string;
}

/** How often a piece of work is tried again at once when others change the same customers. The queue tries later still. */
const ATTEMPTS = 12;
/** Work per transaction, most of which fits into DynamoDB's 100 items; a command may write many times what an interaction does. */
const PER_TRANSACTION = 15;
const COMMANDS_PER_TRANSACTION = 7;

/** An event on its way to the bus, and the queue messages that must come again if the bus does not take it. */
interface Outgoing {
  readonly event: BusEvent;
  readonly messages: string[];
}

/**
 * Stores interactions with the customers they belong to, then publishes what happened. Work that concerns the same
 * people is done in one transaction, other work apart from it. Returns the messages that have to be delivered again,
 * each with the reason.
 */
export const record =
  (ports: RecordPorts) =>
  async (works: readonly Work[]): Promise<ReadonlyMap<string, unknown>> => {
    const config = await ports.identity();
    const failed = new Map<string, unknown>();
    const outgoing: Outgoing[] = [];
    let waiting: readonly Work[] = works;
    let fruitless = 0;
    while (waiting.length > 0 && fruitless < ATTEMPTS) {
      const tooEarly = early(waiting, (work) => identifiersOf(work, config).length > 0);
      const ripe = waiting.filter((work) => !tooEarly.has(work));
      const loaded = await ports.load(ripe);
      const again: Work[] = [...tooEarly];
      for (const group of grouped(ripe, loaded, config)) {
        try {
          const { settled, left } = await settleMost(ports, config, group, loaded);
          again.push(...left);
          outgoing.push(...settled);
        } catch (error) {
          for (const { message } of group) failed.set(message, error);
        }
      }
      fruitless = again.length < waiting.length ? 0 : fruitless + 1;
      waiting = again;
    }
    for (const { message } of waiting) failed.set(message, crowded());
    const taken = await ports.publish(outgoing.map(({ event }) => event));
    for (const [position, { messages }] of outgoing.entries()) {
      if (taken[position] !== true) for (const message of messages) failed.set(message, unpublished());
    }
    return failed;
  };

const crowded = (): HubError =>
  new HubError(
    'crowded',
    `The same customers were changed ${ATTEMPTS} times in between; the queue delivers the message again.`,
    { retry: 'later' },
  );

const unpublished = (): HubError =>
  new HubError(
    'unpublished',
    'The bus did not take an event; the queue delivers the message again and the same events are published.',
    { retry: 'later' },
  );

const tooLarge = (): HubError =>
  new HubError(
    'too-large',
    'A single act concerns more customers than one transaction of DynamoDB can change. Leave out identifiers, and replay it.',
    { retry: 'never' },
  );

/** Settles as much of a group as one transaction holds: half as much where a first try shows it to be too large. */
const settleMost = async (
  ports: RecordPorts,
  config: IdentityConfig,
  group: readonly Work[],
  loaded: Loaded,
): Promise<{ settled: readonly Outgoing[]; left: readonly Work[] }> => {
  let most = group.some(({ type }) => type === 'command') ? COMMANDS_PER_TRANSACTION : PER_TRANSACTION;
  for (;;) {
    const now = group.slice(0, most);
    const settled = await settle(ports, config, now, loaded);
    if (settled === undefined) return { settled: [], left: group };
    if (settled !== 'too-large') return { settled, left: group.slice(now.length) };
    if (now.length === 1) throw tooLarge();
    most = Math.ceil(now.length / 2);
  }
};

/** Undefined when others changed the same rows and nothing was written. */
const settle = async (
  ports: RecordPorts,
  config: IdentityConfig,
  group: readonly Work[],
  loaded: Loaded,
): Promise<Outgoing[] | 'too-large' | undefined> => {
  const people = new People(loaded, config, ports.newId, await ports.silence());
  const overtaken: Changes['overtaken'][number][] = [];
  const forgotten: Interaction[] = [];
  const interactions: StoredInteractionChange[] = [];
  const completions: StoredInteraction[] = [];
  const waited = new Set<string>();
  const commands: ObeyedCommand[] = [];
  const done = new Map<string, Outgoing[]>();
  for (const work of completingFirst(group)) {
    const id = idOf(work);
    const same = done.get(id);
    if (same) {
      for (const { messages } of same) messages.push(work.message);
      continue;
    }
    const before = loaded.seen.get(id);
    let events = before?.events ?? [];
    const late = before === undefined && loaded.overtaken.has(id);
    if (late) overtaken.push({ id, at: work.type === 'interaction' ? work.receivedAt : work.command.at });
    if ((late || before?.erased === true) && work.type === 'interaction') forgotten.push(work.interaction);
    const waits = isCompleting(work) && loaded.reviews.has(waitingId(id));
    if (waits) waited.add(id);
    if (isCompleting(work) && before?.incomplete) {
      const stored = completed(before.incomplete, work.interaction);
      completions.push(stored);
      events = interactionEvents(stored, before.incomplete.caused ?? {});
    }
    if (((before === undefined && !late) || waits) && work.type === 'interaction') {
      const change = storedChange(
        people,
        work,
        people.place(work.interaction, loaded.referred.get(id), work.receivedAt),
      );
      if (change) interactions.push(change);
      events = change ? interactionEvents(change.stored, causedBy(change.placement)) : [];
    }
    if (before?.introduced && work.type === 'command')
      events = introducedEvents(people, before.introduced, work.command);
    if (before === undefined && !late && work.type === 'command') {
      const obeyed = await obey(ports, people, work, loaded.reviews);
      if (obeyed) commands.push(obeyed);
      events = obeyed?.events ?? [];
    }
    done.set(
      id,
      events.map((event) => ({ event, messages: [work.message] })),
    );
  }
  const changed = [interactions, completions, commands, people.reviews, overtaken];
  if (changed.some(({ length }) => length > 0)) {
    const changes = { people, interactions, completions, waited, commands, overtaken };
    const committed = await ports.commit(changes);
    if (committed === 'too-large') return committed;
    if (!committed) return undefined;
  }
  for (const interaction of forgotten) await ports.forget(interaction);
  return [...done.values()].flat();
};

const isCompleting = (work: Work): work is InteractionWork & { completes: true } =>
  work.type === 'interaction' && work.completes === true;

/** Where one interaction comes with its content and without, it is recorded with. */
const completingFirst = (group: readonly Work[]): Work[] => [
  ...group.filter(isCompleting),
  ...group.filter((work) => !isCompleting(work)),
];

const storedChange = (
  people: People,
  { interaction, receivedAt }: Pick<InteractionWork, 'interaction' | 'receivedAt'>,
  placement: Placement,
): StoredInteractionChange | undefined => {
  const { half } = placement;
  if (half === undefined) return undefined;
  const customer = snapshot(people.customer(half), half, placement.isNew);
  return { placement, stored: { ...interaction, half, receivedAt, customer } };
};

/** What a command did; undefined when it cannot be done, which whoever gave it is told. */
const obey = async (
  ports: RecordPorts,
  people: People,
  { command, message }: Extract<Work, { type: 'command' }>,
  reviews: Loaded['reviews'],
): Promise<ObeyedCommand | undefined> => {
  try {
    if (command.command === 'resolve') return resolve(people, command, reviews.get(command.review));
    if (command.command === 'import') {
      const introduced = people.introduce(command);
      return { command, introduced, events: introducedEvents(people, introduced, command) };
    }
    return { command, events: execute(people, command) };
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    await ports.refuse(message, error, command);
    return undefined;
  }
};

const decisionOf = ({ at, by, id }: CommandMessage): Decision => ({ at, by, cause: id });

const mergeByHand = (people: People, keep: string, other: string, command: CommandMessage): BusEvent[] => {
  const merge = people.mergeByHand(keep, other, decisionOf(command));
  return merge ? [merged(people.customer(merge.survivor), merge, command.at)] : [];
};

const execute = (
  people: People,
  command: Exclude<CommandMessage, { command: 'resolve' | 'import' }>,
): readonly BusEvent[] => {
  switch (command.command) {
    case 'merge':
      return mergeByHand(people, ownerOf(people, command.keep), ownerOf(people, command.other), command);
    case 'unmerge': {
      const undone = people.unmerge(ownerOf(people, command.customer), command, command.merge);
      return [undone.survivor, ...undone.others].map((half) => unmerged(people.customer(half), undone));
    }
    case 'split': {
      const identifier = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, identifier);
      const { id, from, to, at } = people.split(identifier, decisionOf(command));
      const parted = { merge: id, survivor: from, others: [to], at };
      return [
        customerCreated(snapshot(people.customer(to), to, true), at),
        unmerged(people.customer(from), parted),
      ];
    }
    case 'consent': {
      const half = ownerOf(people, command.customer);
      const { channel, status: answer, at, id: source, evidence, by } = command;
      const said = { answer, at, source, ...(evidence !== undefined && { evidence }) };
      const changes = people.setConsent(half, channel, said, by);
      return changes.length > 0
        ? [consentChanged(snapshot(people.customer(half), half, false), changes, command.at)]
        : [];
    }
    case 'reopen': {
      const address = normaliseIdentifier(command.identifier) ?? command.identifier;
      ownerOf(people, address);
      people.reopen(address, command);
      return [];
    }
    case 'close': {
      const half = ownerOf(people, command.customer);
      people.closeConversation(half, command.at);
      return [conversationClosed(snapshot(people.customer(half), half, false), command.by, command.at)];
    }
    case 'preference':
      people.setPreference(ownerOf(people, command.customer), command.channel, command.at);
      return [];
  }
};

/** Nothing where the customer is gone since, or is not the one that these identifiers lead to any more. */
const introducedEvents = (
  people: People,
  { half, isNew, merge, consent }: Introduced,
  command: CommandMessage,
): BusEvent[] => {
  if (!people.has(half)) return [];
  const customer = people.customer(half);
  const told = snapshot(customer, half, isNew);
  return [
    ...(isNew ? [customerCreated(told, command.at)] : []),
    ...(merge ? [merged(customer, merge, command.at)] : []),
    ...(!isNew && consent.length > 0 ? [consentChanged(told, consent, command.at)] : []),
    ...(command.command === 'import' && command.toCrms ? [customerImported(told, command.at)] : []),
  ];
};

/** A person's answer to a question of the review list. */
const resolve = (
  people: People,
  command: Extract<CommandMessage, { command: 'resolve' }>,
  review: Review | undefined,
): ObeyedCommand => {
  const { decision } = command;
  const named = command.customer === undefined ? undefined : ownerOf(people, command.customer);
  if (review === undefined) {
    throw new HubError(
      'unknown-review',
      'There is no such open review entry: it was answered already, or its people were merged or erased since.',
      { retry: 'never' },
    );
  }
  if (review.type === 'pair' && (decision === 'merge' || decision === 'apart')) {
    const [one, other] = review.halves;
    if (decision === 'apart') {
      people.tellApart(one, other);
      return { command, events: [] };
    }
    const first = people.customer(one).firstSeenAt <= people.customer(other).firstSeenAt ? one : other;
    const survivor = named === undefined ? first : people.customer(named).id;
    const keep = [one, other].find((half) => people.customer(half).id === people.customer(survivor).id);
    if (keep === undefined) throw notOfThisReview();
    return { command, events: mergeByHand(people, keep, keep === one ? other : one, command) };
  }
  if (review.type === 'interaction' && decision === 'dismiss') return { command, events: [] };
  if (
    review.type === 'interaction' &&
    (decision === 'new' || (decision === 'assign' && named !== undefined))
  ) {
    const placement = people.assign(review, decision === 'new' ? undefined : named);
    const placed = storedChange(people, review, placement);
    if (placed) return { command, events: interactionEvents(placed.stored, causedBy(placement)), placed };
  }
  throw new HubError(
    'unfit-decision',
    'A pair is answered with merge or apart; an interaction with assign (and the customer), new or dismiss.',
    { retry: 'never' },
  );
};

const notOfThisReview = (): HubError =>
  new HubError('unfit-decision', 'The customer that should survive is neither of the two in question.', {
    retry: 'never',
  });

const ownerOf = (people: People, identifier: Identifier): string => {
  const owner = people.owner(normaliseIdentifier(identifier) ?? identifier);
  if (owner !== undefined) return owner;
  throw new HubError(
    'unknown-customer',
    'No customer holds the identifier that the command names. Look the customer up first: it may be written differently.',
    { retry: 'never' },
  );
};

/** The review entry that a piece of work answers. */
export const reviewOf = (work: Work): string | undefined =>
  work.type === 'command' && work.command.command === 'resolve' ? work.command.review : undefined;

export const idOf = (work: Work): string =>
  work.type === 'interaction' ? work.interaction.id : work.command.id;

/** The identifiers that a piece of work is about, in normal form. */
export const identifiersOf = (work: Work, config: IdentityConfig): Identifier[] => {
  if (work.type === 'interaction') return usableIdentifiers(work.interaction.identifiers, config);
  const { command } = work;
  if (command.command === 'import') return usableIdentifiers(command.identifiers, config);
  return namedBy(command).map((one) => normaliseIdentifier(one) ?? one);
};

const namedBy = (command: Exclude<CommandMessage, { command: 'import' }>): Identifier[] => {
  if (command.command === 'merge') return [command.keep, command.other];
  if (command.command === 'split' || command.command === 'reopen') return [command.identifier];
  return command.customer === undefined ? [] : [command.customer];
};

/** The halves that a review entry is about. */
export const halvesOf = (review: Review | undefined): readonly string[] =>
  review?.type === 'pair' ? review.halves : [];

/** Work in the order given, parted so that no two groups touch the same person, identifier or row. */
const grouped = (works: readonly Work[], loaded: Loaded, config: IdentityConfig): Work[][] => {
  const parent = new Map<string, string>();
  const find = (key: string): string => {
    const up = parent.get(key);
    if (up === undefined || up === key) return key;
    const top = find(up);
    parent.set(key, top);
    return top;
  };
  const survivors = new Map(loaded.halves.map(({ activity }) => [activity.id, activity.survivor?.id]));
  const rootOf = (half: string): string => {
    const up = survivors.get(half);
    return up === undefined ? half : rootOf(up);
  };
  for (const work of works) {
    const own = `work ${idOf(work)}`;
    const identifiers = identifiersOf(work, config);
    const owners = identifiers.flatMap((one) => loaded.owners.get(one) ?? []);
    const referred = loaded.referred.get(idOf(work));
    const review = reviewOf(work);
    const halves = [
      ...owners,
      ...(referred === undefined ? [] : [referred]),
      ...halvesOf(review === undefined ? undefined : loaded.reviews.get(review)),
    ];
    const reviewed = review === undefined ? [] : [`review ${review}`];
    for (const key of [...identifiers, ...reviewed, ...halves.map((half) => `half ${rootOf(half)}`)]) {
      parent.set(find(key), find(own));
    }
  }
  const groups = new Map<string, Work[]>();
  for (const work of works) {
    const top = find(`work ${idOf(work)}`);
    groups.set(top, [...(groups.get(top) ?? []), work]);
  }
  return [...groups.values()];
};
