import type { Call, CrmSession } from '../../core/crm/connector.ts';
import type { CompiledMapping } from '../../core/crm/mapping/mapping.ts';
import type { SyncState } from '../../core/crm/state.ts';
import type { HubError } from '../../core/errors.ts';
import type { LinkScope } from '../../core/identity/crm/accounts.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { Review } from '../../core/identity/ledger.ts';
import type { ErasedIdentifiers } from '../aws/erasure/erased-identifiers.ts';
import type { CommandMessage, InteractionMessage } from '../contracts/messages/record.ts';
import type { ChangeMessage, SyncMessage } from '../contracts/messages/sync.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { History } from '../contracts/ports/history.ts';
import type { CaseRows } from './cases/case-rows.ts';

/** A source profile and the state of its contact. */
export interface Holder {
  readonly profileId: string;
  readonly state: SyncState;
}

/** What the hub knows of the contacts in one account of a CRM; strongly consistent. */
export interface Links {
  /** The states of source profiles; absent ones are unknown. */
  load(profileIds: readonly string[]): Promise<ReadonlyMap<string, SyncState>>;
  /**
   * Stores the next state of a source profile, on the condition that nobody has changed the one that was loaded; with `link`
   * also that the CRM's record belongs to it. False where a condition does not hold.
   */
  save(profileId: string, state: SyncState, link?: string): Promise<boolean>;
  /** The same, with the record of the next state, which another source profile gives up. */
  takeOver(profileId: string, state: SyncState & { readonly record: string }, from: Holder): Promise<boolean>;
  /** The source profiles to which records of the CRM belong, by the CRM's ids. */
  owners(records: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Those of these records whose people were erased. */
  erased(records: readonly string[]): Promise<ReadonlySet<string>>;
}

/** What the sync with one CRM needs. */
export interface SyncPorts {
  /** The id of the CRM, and how people call it. */
  readonly crm: string;
  readonly title: string;
  /** What leads to the links of the account in use. */
  readonly scope: LinkScope;
  /** The name of the hub, with which its keys in the CRM begin. */
  readonly hub: string;
  readonly now: () => number;
  readonly open: () => Promise<CrmSession>;
  readonly call: Call;
  readonly mapping: () => Promise<CompiledMapping>;
  readonly identity: () => Promise<IdentityConfig>;
  readonly history: History;
  readonly guests: Pick<Guests, 'personOf' | 'guestsOf'>;
  readonly links: Links;
  /** When those of these identifiers were erased of which that is still known. */
  readonly erasedAt: ErasedIdentifiers;
  /** The source profiles that own identifiers. */
  readonly identifierOwners: (identifiers: readonly Identifier[]) => Promise<ReadonlyMap<Identifier, string>>;
  readonly cases: CaseRows;
  /** Milliseconds without a message after which a new conversation begins. */
  readonly silence: () => Promise<number>;
  /** The objects of which nothing can be written until a person changes something in the CRM. */
  readonly parked: ReadonlySet<string>;
  /** Sends what the CRM told about a customer to be recorded. */
  readonly recordInteraction: (message: InteractionMessage) => Promise<void>;
  /** Sends a command for a customer of this CRM to be executed. */
  readonly recordCommand: (command: CommandMessage) => Promise<void>;
  /** Queues messages for this CRM. Rejects with `HubError` `enqueue-failure`. */
  readonly queueAgain: (messages: readonly (SyncMessage | ChangeMessage)[]) => Promise<void>;
  readonly openReview: (review: Review) => Promise<void>;
  /** Stores a message that no retry can help as a failure; `queued`: its id in the queue. */
  readonly saveFailure: (queued: string, error: HubError) => Promise<void>;
  readonly publishFailed: (customer: string, error: HubError) => Promise<void>;
}

/** Why a message must wait, and for which object of the CRM, if it is only that one. */
export interface Waiting {
  readonly error: HubError;
  readonly object?: string;
}

/** The messages to queue again, by their ids in the queue; the others are done or stored as failures. */
export type Unsynced = ReadonlyMap<string, Waiting>;
