import type { Resolution } from '../../../core/identity/attach-interaction.ts';
import type { Identifier } from '../../../core/identity/identifier.ts';
import type { ImportedCustomer } from '../../../core/identity/import-customer.ts';
import type { ClaimedPairs, Review } from '../../../core/identity/ledger.ts';
import type { People } from '../../../core/identity/people.ts';
import type { SourceProfile } from '../../../core/identity/profile.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import type { RetainedRefusal } from '../../../core/privacy/erasure.ts';
import type { BusEvent } from '../events/catalogue.ts';
import type { CommandMessage } from '../messages/record.ts';
import type { InteractionRow, SentMessage } from '../rows/interactions.ts';
import type { InteractionWork } from '../work.ts';
import type { StoredInteraction } from './history.ts';

/** An interaction to write, and what it changed besides. */
export interface StoredInteractionChange {
  readonly stored: StoredInteraction;
  readonly placement: Resolution;
}

/** The row of an interaction that belongs to a customer; undefined where it waits for a review. */
export const storedChange = (
  people: People,
  { interaction, receivedAt }: Pick<InteractionWork, 'interaction' | 'receivedAt'>,
  placement: Resolution,
): StoredInteractionChange | undefined => {
  const { profileId } = placement;
  if (profileId === undefined) return undefined;
  const customer = snapshotCustomer(people.customer(profileId), profileId, placement.isNew);
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

/** The earlier result of an interaction or command that arrives again: its events; none where a review is open. */
export interface SeenBefore {
  readonly events: readonly BusEvent[];
  /** Its row, where it was stored without its content. */
  readonly incomplete?: InteractionRow;
  /** What an import did: its events are built again from the customer as it is now. */
  readonly imported?: ImportedCustomer;
  /** Its customer was erased. */
  readonly erased?: boolean;
}

/** Everything that is read before a group of work is applied. */
export interface Loaded {
  readonly sourceProfiles: readonly SourceProfile[];
  /** By identifier, the source profile that owns it. */
  readonly owners: ReadonlyMap<Identifier, string>;
  /** By identifier, the source profiles that the owner row names as its customer's; a commit corrects outdated ones. */
  readonly ownerHints: ReadonlyMap<Identifier, readonly string[]>;
  /** By the id of the interaction or command. */
  readonly seen: ReadonlyMap<string, SeenBefore>;
  /** By the id of an interaction, the source profile of the message to which it refers. */
  readonly referred: ReadonlyMap<string, string>;
  /** By the id of a report, the message of a trigger that it is about. */
  readonly sent: ReadonlyMap<string, SentMessage>;
  /** By id, the open reviews that commands resolve, and those of interactions whose content was fetched. */
  readonly reviews: ReadonlyMap<string, Review>;
  /** The ids of interactions and commands that were queued before their customer was erased. */
  readonly receivedBeforeErasure: ReadonlySet<string>;
  /** Refusals of erased owners, which hold for the next owner of the identifier. */
  readonly retainedRefusals: ReadonlyMap<Identifier, RetainedRefusal>;
  /** The guest of each claimed identifier that has one. */
  readonly guests: ReadonlyMap<Identifier, string>;
  /** When an address was last muted or opted in by a claim, by the key of the row. */
  readonly addressClaimedAt: ReadonlyMap<string, Instant>;
  /** By source profile, of persons whom the work may name together. */
  readonly claimedPairs: ReadonlyMap<string, ClaimedPairs>;
}

/** Everything that one transaction writes: interactions, commands, and the changes that `people` lists. */
export interface Changes {
  readonly people: People;
  readonly interactions: readonly StoredInteractionChange[];
  /** Interactions that were stored without their content, with it. */
  readonly completions: readonly StoredInteraction[];
  /** The ids of interactions that were in review and were resolved again. */
  readonly waited: ReadonlySet<string>;
  readonly commands: readonly ExecutedCommand[];
  /** Work that was queued before its customer was erased: it is dropped, and marked as erased. */
  readonly receivedBeforeErasure: readonly { readonly id: string; readonly at: string }[];
}

/** A command and what it did. */
export interface ExecutedCommand {
  readonly command: CommandMessage;
  readonly events: readonly BusEvent[];
  /** Stored in the place of the events of an import, because it holds no personal data. */
  readonly imported?: ImportedCustomer;
  /** The interaction in review that the command assigned to a customer. */
  readonly placed?: StoredInteractionChange;
}
