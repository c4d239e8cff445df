import { HubError } from '../../core/errors.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import { interactionReviewId } from '../../core/identity/ledger.ts';
import { People } from '../../core/identity/people.ts';
import { resolveInteraction } from '../../core/identity/resolution.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { causedBy, interactionEvents } from '../contracts/events/build.ts';
import type { BusEvent } from '../contracts/events/catalogue.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import {
  type Changes,
  contentFields,
  type ExecutedCommand,
  type Loaded,
  type StoredInteractionChange,
  storedChange,
} from '../contracts/ports/record.ts';
import type { InteractionRow } from '../contracts/rows/interactions.ts';
import { type CommandWork, type InteractionWork, idOf, isCompleting, type Work } from '../contracts/work.ts';
import { executeCommand, importEvents } from './commands.ts';

/** The changes of a group of work, collected in memory before one transaction writes them. */
interface ChangeSet extends Changes {
  readonly interactions: StoredInteractionChange[];
  readonly completions: StoredInteraction[];
  readonly waited: Set<string>;
  readonly commands: ExecutedCommand[];
  readonly receivedBeforeErasure: Changes['receivedBeforeErasure'][number][];
  /** Reports about messages and addresses of nobody known. */
  readonly ignored: Interaction[];
  /** Interactions of erased customers: their files must be removed again. */
  readonly erased: Interaction[];
  /** Commands that cannot be executed. */
  readonly refused: { readonly work: CommandWork; readonly error: HubError }[];
}

/** An event to publish, and the ids of the queue messages to deliver again if the bus refuses it. */
export interface OutgoingEvent {
  readonly event: BusEvent;
  readonly messages: string[];
}

interface ApplyContext {
  readonly config: IdentityConfig;
  /** The silence after which a new conversation begins, in milliseconds. */
  readonly silence: number;
  readonly newId: () => string;
}

/**
 * Applies a group of work to the customers that were loaded for it. Nothing is written. The same interaction or command
 * twice is applied once, and its events are published for both messages.
 */
export const applyGroup = (
  group: readonly Work[],
  loaded: Loaded,
  { config, silence, newId }: ApplyContext,
): { readonly changes: ChangeSet; readonly outgoing: readonly OutgoingEvent[] } => {
  const changes: ChangeSet = {
    people: new People(loaded, config, newId, silence),
    ...{ interactions: [], completions: [], waited: new Set(), commands: [] },
    ...{ receivedBeforeErasure: [], ignored: [], erased: [], refused: [] },
  };
  const outgoing = new Map<string, OutgoingEvent[]>();
  for (const work of completingFirst(group)) {
    const present = outgoing.get(idOf(work));
    if (present) {
      for (const { messages } of present) messages.push(work.message);
      continue;
    }
    const { length: opened } = changes.people.reviews;
    const events =
      work.type === 'interaction'
        ? applyInteractionWork(work, loaded, changes)
        : applyCommandWork(work, loaded, changes);
    dateReviews(changes.people, opened, work.type === 'interaction' ? work.receivedAt : work.command.at);
    outgoing.set(
      idOf(work),
      events.map((event) => ({ event, messages: [work.message] })),
    );
  }
  return { changes, outgoing: [...outgoing.values()].flat() };
};

/** Dates the reviews of pairs from position `first` on: the identity rules know no time of receipt. */
const dateReviews = ({ reviews }: People, first: number, openedAt: string): void => {
  for (const [position, review] of reviews.entries())
    if (position >= first && review.type === 'pair') reviews[position] = { ...review, openedAt };
};

/** Whether a transaction has anything to write. */
export const hasChanges = ({
  people,
  interactions,
  completions,
  commands,
  receivedBeforeErasure,
}: ChangeSet): boolean =>
  [interactions, completions, commands, people.reviews, receivedBeforeErasure].some(
    ({ length }) => length > 0,
  );

/** An interaction that arrives both with and without its content is recorded with it. */
const completingFirst = (group: readonly Work[]): Work[] => [
  ...group.filter(isCompleting),
  ...group.filter((work) => !isCompleting(work)),
];

/** Returns the events to publish; for an interaction that was recorded before, the same events as then. */
const applyInteractionWork = (
  received: InteractionWork,
  loaded: Loaded,
  changes: ChangeSet,
): readonly BusEvent[] => {
  const { people } = changes;
  const work = withSentMessage(received, loaded);
  const { interaction, receivedAt } = work;
  const { id } = interaction;
  const before = loaded.seen.get(id);
  const isLate = before === undefined && loaded.receivedBeforeErasure.has(id);
  if (isLate) changes.receivedBeforeErasure.push({ id, at: receivedAt });
  if (isLate || before?.erased === true) changes.erased.push(interaction);
  const waitsForReview = work.completes === true && loaded.reviews.has(interactionReviewId(id));
  if (waitsForReview) changes.waited.add(id);
  if (waitsForReview || (before === undefined && !isLate)) {
    const placement = resolveInteraction(people, interaction, loaded.referred.get(id), receivedAt);
    if (placement.ignored) changes.ignored.push(interaction);
    const change = storedChange(people, work, placement);
    if (change === undefined) return [];
    changes.interactions.push(change);
    return interactionEvents(change.stored, causedBy(placement));
  }
  if (work.completes === true && before?.incomplete) {
    const stored = withContent(before.incomplete, interaction);
    changes.completions.push(stored);
    return interactionEvents(stored, before.incomplete.caused ?? {});
  }
  return before?.events ?? [];
};

/** A report about a message of a trigger says which, so that triggers and reports can count it. */
const withSentMessage = (work: InteractionWork, { sent }: Loaded): InteractionWork => {
  const { interaction } = work;
  const message = sent.get(interaction.id);
  if (message === undefined) return work;
  const { step, ...rest } = message;
  const properties = { ...interaction.properties, ...rest, ...(step !== undefined && { step }) };
  return { ...work, interaction: { ...interaction, properties } };
};

/** A stored interaction with the content that was fetched since. Its customer, time and kind stay. */
const withContent = (
  { incomplete: _incomplete, caused: _caused, ...stored }: InteractionRow,
  fetched: Interaction,
): StoredInteraction => {
  const properties = { ...stored.properties, ...fetched.properties };
  const content = contentFields.flatMap((name) =>
    fetched[name] === undefined ? [] : [[name, fetched[name]]],
  );
  return {
    ...stored,
    ...Object.fromEntries(content),
    ...(Object.keys(properties).length > 0 && { properties }),
  };
};

/** Returns the events to publish; for a command that was executed before, the same events as then. */
const applyCommandWork = (work: CommandWork, loaded: Loaded, changes: ChangeSet): readonly BusEvent[] => {
  const { command } = work;
  const before = loaded.seen.get(command.id);
  if (before?.imported) return importEvents(changes.people, before.imported, command);
  if (before) return before.events;
  if (loaded.receivedBeforeErasure.has(command.id)) {
    changes.receivedBeforeErasure.push({ id: command.id, at: command.at });
    return [];
  }
  try {
    const executed = executeCommand(changes.people, command, loaded.reviews);
    changes.commands.push(executed);
    return executed.events;
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    changes.refused.push({ work, error });
    return [];
  }
};
