import { answerOf } from '../../core/consent/consent.ts';
import type { Identifier } from '../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { Review } from '../../core/identity/ledger.ts';
import {
  normaliseIdentifier,
  usableIdentifiers,
  usableReferences,
  withSpellings,
} from '../../core/identity/normalise.ts';
import { vouchedIdentifiers } from '../../core/identity/proof/vouched.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import type { CommandMessage } from './messages/record.ts';

/** One interaction or command to record, and the id of the queue message that brought it. */
export type Work = InteractionWork | CommandWork;

export interface InteractionWork {
  readonly type: 'interaction';
  readonly interaction: Interaction;
  readonly receivedAt: string;
  readonly message: string;
  /** The source profile of the interaction that caused it, where the hub sent it: it belongs there. */
  readonly causedBy?: string;
  /** Its content was fetched: it completes the row, or the review entry, that was stored without. */
  readonly completes?: true;
  /**
   * Queues it again with a delay: only of an anonymous interaction whose message may be recorded a moment later, until its
   * last try.
   */
  readonly later?: () => Promise<void>;
}

export interface CommandWork {
  readonly type: 'command';
  readonly command: CommandMessage;
  readonly message: string;
}

export const isCompleting = (work: Work): work is InteractionWork & { completes: true } =>
  work.type === 'interaction' && work.completes === true;

/** The id of the review that a command resolves. */
export const reviewOf = (work: Work): string | undefined =>
  work.type === 'command' && work.command.command === 'resolve' ? work.command.review : undefined;

/** The source profiles that a review is about. */
export const reviewedProfileIds = (review: Review | undefined): readonly string[] =>
  review?.type === 'pair' ? review.profileIds : [];

export const idOf = (work: Work): string =>
  work.type === 'interaction' ? work.interaction.id : work.command.id;

/** The identifiers of which a piece of work may find or make the guest, normalised. */
export const claimsOf = (work: Work, config: IdentityConfig): readonly Identifier[] => {
  if (work.type === 'interaction') return vouchedIdentifiers(work.interaction, config).claimed;
  const { command } = work;
  if (command.command !== 'split' && command.command !== 'confirm') return [];
  return [normaliseIdentifier(command.identifier) ?? command.identifier];
};

/** The claimed identifiers of an interaction that answers about consent: what it says holds for these addresses alone. */
export const answeredClaimsOf = (work: Work, config: IdentityConfig): readonly Identifier[] =>
  work.type === 'interaction' && answerOf(work.interaction) !== undefined ? claimsOf(work, config) : [];

/** The usable identifiers that an interaction or command names, normalised. */
export const identifiersOf = (work: Work, config: IdentityConfig): Identifier[] => {
  if (work.type === 'interaction') return usableIdentifiers(work.interaction.identifiers, config);
  const { command } = work;
  if (command.command === 'import') return usableIdentifiers(command.identifiers, config);
  return namedBy(command).map((one) => normaliseIdentifier(one) ?? one);
};

/** The ids of CRM records that an interaction, or a row of an import, names. */
export const referencesOf = (work: Work, config: IdentityConfig): Identifier[] => {
  if (work.type === 'interaction') return usableReferences(work.interaction.identifiers, config);
  const { command } = work;
  if (command.command !== 'import') return [];
  return usableReferences([...command.identifiers, ...(command.references ?? [])], config);
};

/** The identifiers by whose owners a piece of work is found: those that it names, their other spellings, and references. */
export const soughtIdentifiers = (work: Work, config: IdentityConfig): Identifier[] => [
  ...withSpellings(identifiersOf(work, config)),
  ...referencesOf(work, config),
];

const namedBy = (command: Exclude<CommandMessage, { command: 'import' }>): Identifier[] => {
  if (command.command === 'merge') return [command.keep, command.other];
  if (command.command === 'reopen') return [command.identifier];
  if (command.command === 'split' || command.command === 'confirm')
    return [command.identifier, ...(command.customer === undefined ? [] : [command.customer])];
  return command.customer === undefined ? [] : [command.customer];
};
