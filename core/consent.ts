import * as z from 'zod';
import type { Identifier } from './identifier.ts';
import { identifierType } from './identifier.ts';
import type { Channel, Interaction } from './interaction.ts';

export const ConsentStatus = z.enum(['granted', 'service-only', 'denied', 'unknown']);
export type ConsentStatus = z.infer<typeof ConsentStatus>;

/** Why a message is sent: decides which consent it needs, which limits count it and whether quiet hours hold. */
export const Category = z.enum(['marketing', 'service', 'transactional']);
export type Category = z.infer<typeof Category>;

const strictness: Record<ConsentStatus, number> = { unknown: 0, granted: 1, 'service-only': 2, denied: 3 };

/** The stricter of two answers; an unknown gives way to any answer. */
export const stricter = (one: ConsentStatus, other: ConsentStatus): ConsentStatus =>
  strictness[one] >= strictness[other] ? one : other;

const stopWords = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT']);
const resumeWords = new Set(['START', 'UNSTOP', 'YES']);
const wordChannels: ReadonlySet<Channel> = new Set<Channel>(['sms', 'rcs', 'whatsapp']);

/**
 * What an interaction says about consent. `deny` and `service-only` are answers; `resume` undoes a denial; `grant` also
 * answers where nothing was known, and where only marketing had been declined.
 */
export type ConsentWord = 'deny' | 'service-only' | 'resume' | 'grant';

/** The rule of FORMATS "Consent"; undefined where an interaction says nothing about it. */
export const consentWord = (interaction: Interaction): ConsentWord | undefined => {
  if (interaction.kind === 'opt-in') return 'grant';
  if (interaction.kind === 'opt-out') {
    const scope = interaction.properties?.['scope'];
    return scope === undefined || scope === null || scope === 'all' ? 'deny' : 'service-only';
  }
  if (interaction.kind !== 'message' || interaction.direction !== 'inbound') return undefined;
  if (!wordChannels.has(interaction.channel)) return undefined;
  const word = interaction.text?.trim().toUpperCase() ?? '';
  if (stopWords.has(word)) return 'deny';
  if (word === 'START') return 'grant';
  return resumeWords.has(word) ? 'resume' : undefined;
};

/** The status that a word leads to from the present one, or undefined where it is no answer. */
export const answer = (word: ConsentWord, present: ConsentStatus): ConsentStatus | undefined => {
  if (word === 'deny') return 'denied';
  if (word === 'grant') return 'granted';
  if (word === 'resume') return present === 'denied' ? 'granted' : undefined;
  return present === 'denied' ? 'denied' : 'service-only';
};

const addressTypes: Partial<Record<Channel, readonly string[]>> = {
  email: ['email'],
  sms: ['phone'],
  rcs: ['phone'],
  voice: ['phone'],
  whatsapp: ['whatsapp', 'phone', 'whatsapp-user'],
};

/** The types of identifier that a channel's messages are addressed to, best first. */
export const addressTypesOf = (channel: Channel): readonly string[] => addressTypes[channel] ?? [channel];

/** The identifiers of an interaction that are addresses of its channel. */
export const addressesOf = (interaction: Interaction, identifiers: readonly Identifier[]): Identifier[] =>
  identifiers.filter((identifier) =>
    addressTypesOf(interaction.channel).includes(identifierType(identifier)),
  );

/** Whether an interaction closes the addresses that carried it, to every category; or reopens what STOP closed. */
export const addressEffect = (
  interaction: Interaction,
): 'opt-out' | 'bounce' | 'complaint' | 'reopen' | undefined => {
  if (interaction.kind === 'bounce' || interaction.kind === 'complaint') return interaction.kind;
  const word = consentWord(interaction);
  if (word === 'deny' && interaction.channel === 'sms') return 'opt-out';
  return word === 'grant' || word === 'resume' ? 'reopen' : undefined;
};
