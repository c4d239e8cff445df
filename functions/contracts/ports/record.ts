import { type SourceProfile, snapshot } from '../../../core/identity/customer.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { ImportedCustomer } from '../../../core/identity/import-customer.ts';
import type { Review } from '../../../core/identity/ledger.ts';
import type { People } from '../../../core/identity/people.ts';
import type { Placement } from '../../../core/identity/resolution.ts';
import type { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import type { BusEvent } from '../events/catalogue.ts';
import type { CommandMessage } from '../messages/record.ts';
import type { InteractionRow } from '../rows/interactions.ts';
import type { InteractionWork } from '../work.ts';
import type { StoredInteraction } from './history.ts';

/** An interaction to write, and what it changed besides. */
export interface StoredInteractionChange {
  readonly stored: StoredInteraction;
  readonly placement: Placement;
}

/** The row of an interaction that belongs to a customer; undefined where it waits for a review. */
export const storedChange = (
  people: People,
  { interaction, receivedAt }: Pick<InteractionWork, 'interaction' | 'receivedAt'>,
  placement: Placement,
): StoredInteractionChange | undefined => {
  const { profileId } = placement;
  if (profileId === undefined) return undefined;
  const customer = snapshot(people.customer(profileId), profileId, placement.isNew);
  return { placement, stored: { ...interaction, profileId, receivedAt, customer } };
};

/** The fields that fetched content may add to a stored interaction. Its customer, time and kind stay. */
export const contentFields = [
  'text',
  'subject',
  'attachments',
  'properties',
  'refersTo',
  'conversationId',
] as const;

/** What is already known of a piece of work that arrives again: its events, or nothing where it waits for a person. */
export interface SeenBefore {
  readonly events: readonly BusEvent[];
  /** Its row, where that was stored without the content. */
  readonly incomplete?: InteractionRow;
  /** What an import did: its events are made again of the customer. */
  readonly imported?: ImportedCustomer;
  /** Whoever it was of is gone. */
  readonly erased?: boolean;
}

export interface Loaded {
  readonly sourceProfiles: readonly SourceProfile[];
  readonly owners: ReadonlyMap<Identifier, string>;
  /** By identifier, the source profiles that the owner row names as its customer's; a commit corrects outdated ones. */
  readonly ownerHints: ReadonlyMap<Identifier, readonly string[]>;
  /** By the id of the interaction or command. */
  readonly seen: ReadonlyMap<string, SeenBefore>;
  /** The half that holds the message which an interaction refers to, by the id of the interaction that refers. */
  readonly referred: ReadonlyMap<string, string>;
  /** The open review entries that commands are about, and those of interactions whose content has come, by their id. */
  readonly reviews: ReadonlyMap<string, Review>;
  /** Work that was on its way to somebody when they were erased, by the id of the interaction or command. */
  readonly receivedBeforeErasure: ReadonlySet<string>;
  /** What must not be forgotten of identifiers whose earlier owner was erased. */
  readonly retainedRefusals: ReadonlyMap<Identifier, RetainedRefusal>;
}

/** Everything that one transaction writes: the interactions, the commands, and whatever `people` lists as changed. */
export interface Changes {
  readonly people: People;
  readonly interactions: readonly StoredInteractionChange[];
  /** Rows that were stored without their content and now have it. */
  readonly completions: readonly StoredInteraction[];
  /** The ids of interactions that waited on the review list and were looked at again. */
  readonly waited: ReadonlySet<string>;
  readonly commands: readonly ExecutedCommand[];
  /** What was overtaken by an erasure: from now on it is as if it had been erased with the rest. */
  readonly receivedBeforeErasure: readonly { readonly id: string; readonly at: string }[];
}

export interface ExecutedCommand {
  readonly command: CommandMessage;
  readonly events: readonly BusEvent[];
  /** Kept in the place of the events, because it says nothing of the person. */
  readonly imported?: ImportedCustomer;
  /** The interaction that the command placed: what was waiting for a person. */
  readonly placed?: StoredInteractionChange;
}
