import { HubError } from '../../core/errors.ts';
import { importCustomer } from '../../core/identity/import-customer.ts';
import { interactionReviewId } from '../../core/identity/ledger.ts';
import type { People } from '../../core/identity/people.ts';
import { resolveInteraction } from '../../core/identity/resolution.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { type BusEvent, causedBy, interactionEvents } from '../contracts/events/build.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import type { Changes, ExecutedCommand, Loaded } from '../contracts/ports/record.ts';
import type { CommandWork, InteractionWork, Work } from '../contracts/work.ts';
import { execute, importedEvents } from './commands.ts';
import { completed } from './content/completion.ts';
import { resolve } from './reviews.ts';
import { type StoredInteractionChange, storedChange } from './stored-change.ts';

/** What a group of work comes to, before anything is written. */
export interface ChangeSet {
  readonly people: People;
  readonly interactions: StoredInteractionChange[];
  readonly completions: StoredInteraction[];
  readonly waited: Set<string>;
  readonly commands: ExecutedCommand[];
  readonly receivedBeforeErasure: Changes['receivedBeforeErasure'][number][];
  /** Interactions of people who are gone. */
  readonly forgotten: Interaction[];
  /** Commands that cannot be done. */
  readonly refused: { readonly work: CommandWork; readonly error: HubError }[];
}

export const emptyChangeSet = (people: People): ChangeSet => ({
  people,
  interactions: [],
  completions: [],
  waited: new Set(),
  commands: [],
  receivedBeforeErasure: [],
  forgotten: [],
  refused: [],
});

/** Whether there is anything to write. */
export const isChange = ({
  people,
  interactions,
  completions,
  commands,
  receivedBeforeErasure,
}: ChangeSet): boolean =>
  [interactions, completions, commands, people.reviews, receivedBeforeErasure].some(
    ({ length }) => length > 0,
  );

/** Adds what one more piece of work comes to; its events, which are those of before where it was done before. */
export const applyWork = (work: Work, loaded: Loaded, outcome: ChangeSet): readonly BusEvent[] =>
  work.type === 'interaction' ? takeInteraction(work, loaded, outcome) : takeCommand(work, loaded, outcome);

const takeInteraction = (work: InteractionWork, loaded: Loaded, outcome: ChangeSet): readonly BusEvent[] => {
  const { people } = outcome;
  const { interaction, receivedAt } = work;
  const { id } = interaction;
  const before = loaded.seen.get(id);
  const late = before === undefined && loaded.receivedBeforeErasure.has(id);
  if (late) outcome.receivedBeforeErasure.push({ id, at: receivedAt });
  if (late || before?.erased === true) outcome.forgotten.push(interaction);
  const waits = work.completes === true && loaded.reviews.has(interactionReviewId(id));
  if (waits) outcome.waited.add(id);
  if (waits || (before === undefined && !late)) {
    const placement = resolveInteraction(people, interaction, loaded.referred.get(id), receivedAt);
    const change = storedChange(people, work, placement);
    if (change === undefined) return [];
    outcome.interactions.push(change);
    return interactionEvents(change.stored, causedBy(placement));
  }
  if (work.completes === true && before?.incomplete) {
    const stored = completed(before.incomplete, interaction);
    outcome.completions.push(stored);
    return interactionEvents(stored, before.incomplete.caused ?? {});
  }
  return before?.events ?? [];
};

const takeCommand = (work: CommandWork, loaded: Loaded, outcome: ChangeSet): readonly BusEvent[] => {
  const { command } = work;
  const before = loaded.seen.get(command.id);
  if (before?.imported) return importedEvents(outcome.people, before.imported, command);
  if (before) return before.events;
  if (loaded.receivedBeforeErasure.has(command.id)) {
    outcome.receivedBeforeErasure.push({ id: command.id, at: command.at });
    return [];
  }
  try {
    const obeyed = obey(outcome.people, work, loaded.reviews);
    outcome.commands.push(obeyed);
    return obeyed.events;
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    outcome.refused.push({ work, error });
    return [];
  }
};

const obey = (people: People, { command }: CommandWork, reviews: Loaded['reviews']): ExecutedCommand => {
  if (command.command === 'resolve') return resolve(people, command, reviews.get(command.review));
  if (command.command !== 'import') return { command, events: execute(people, command) };
  const imported = importCustomer(people, command);
  return { command, imported, events: importedEvents(people, imported, command) };
};
