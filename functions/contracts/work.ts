import type { Identifier } from '../../core/identity/identifier.ts';
import { type IdentityConfig, normaliseIdentifier, usableIdentifiers } from '../../core/identity/rules.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import type { CommandMessage } from './messages/record.ts';

/** One interaction or command, and the queue message that asked for it. */
export type Work = InteractionWork | CommandWork;

export interface InteractionWork {
  readonly type: 'interaction';
  readonly interaction: Interaction;
  readonly receivedAt: string;
  readonly message: string;
  /** Its content was fetched: it completes what was stored, or waits for a person, without. */
  readonly completes?: true;
  /**
   * Puts it into the queue once more, with a delay. Of what names nobody and refers to a message, which may be recorded
   * only a moment later; absent where that was waited for long enough.
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
