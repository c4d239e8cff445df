import * as z from 'zod';
import type { Identifier } from '../identity/identifier.ts';
import { identifierType } from '../identity/identifier.ts';
import { Channel, Instant, type Interaction } from '../interaction/interaction.ts';

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
 * What somebody says about a channel. A status is meant as it stands; `no-marketing` ends marketing and leaves a denial a
 * denial, `resume` undoes a denial and says nothing else.
 */
export const Answer = z.enum([...ConsentStatus.options, 'no-marketing', 'resume']);
export type Answer = z.infer<typeof Answer>;

/** One answer about a channel, and the interaction, command or import that gave it. */
export const ConsentAnswer = z.strictObject({
  answer: Answer,
  at: Instant,
  source: z.string(),
  evidence: z.string().max(500).optional(),
});
export type ConsentAnswer = z.infer<typeof ConsentAnswer>;

/** The consent for one channel, and the answer that it comes from. */
export const ConsentEntry = z.strictObject({
  status: ConsentStatus,
  at: Instant,
  /** The id of the interaction or command; `import:<job>:<line>` for a row of a list. */
  source: z.string(),
  /** The proof, as the source describes it: a list and its line, a signed form. */
  evidence: z.string().max(500).optional(),
});
export type ConsentEntry = z.infer<typeof ConsentEntry>;

/** The rule of FORMATS "Consent"; undefined where an interaction says nothing about it. */
export const answerOf = (interaction: Interaction): Answer | undefined => {
  const scope = interaction.properties?.['scope'];
  if (interaction.kind === 'opt-in') return scope === 'service' ? 'service-only' : 'granted';
  if (interaction.kind === 'opt-out')
    return scope === undefined || scope === null || scope === 'all' ? 'denied' : 'no-marketing';
  const word = consentWord(interaction);
  if (word === undefined) return undefined;
  if (stopWords.has(word)) return 'denied';
  return word === 'START' ? 'granted' : 'resume';
};

/** The stop word or the start word that a message consists of. */
export const consentWord = ({ kind, direction, channel, text = '' }: Interaction): string | undefined => {
  if (kind !== 'message' || direction !== 'inbound' || !wordChannels.has(channel)) return undefined;
  const word = text.trim().toUpperCase();
  return stopWords.has(word) || resumeWords.has(word) ? word : undefined;
};

/** The channel that an answer is about: a help desk tells of e-mail, too. */
export const answerChannel = ({ channel, properties }: Interaction): Channel => {
  const medium = Channel.safeParse(properties?.['medium']);
  return medium.success ? medium.data : channel;
};

/** The status that an answer leads to from the present one, or undefined where it is none. */
export const nextStatus = (answer: Answer, present: ConsentStatus): ConsentStatus | undefined => {
  if (answer === 'resume') return present === 'denied' ? 'granted' : undefined;
  if (answer === 'no-marketing') return present === 'denied' ? 'denied' : 'service-only';
  return answer;
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

/**
 * The identifiers that an interaction on a channel was carried by, in normal form: all of the best type among them, since
 * a WhatsApp id comes with a phone number that is an address of other channels too.
 */
export const addressesOf = (channel: Channel, identifiers: readonly Identifier[]): Identifier[] => {
  const type = addressTypesOf(channel).find((one) =>
    identifiers.some((held) => identifierType(held) === one),
  );
  return identifiers.filter((held) => identifierType(held) === type);
};

/** The provider of what customers do on the hub's own pages. */
export const OWN_PAGES = 'tributary';

/**
 * Whether an interaction closes the addresses that carried it, to every category; or reopens what STOP closed. Only a
 * STOP by SMS closes, so only an answer about SMS reopens. Who chooses on a page has sent neither: what a carrier blocks
 * stays blocked.
 */
export const addressEffect = (
  interaction: Interaction,
): 'opt-out' | 'bounce' | 'complaint' | 'reopen' | undefined => {
  if (interaction.kind === 'bounce' || interaction.kind === 'complaint') return interaction.kind;
  const answer = answerOf(interaction);
  if (answer === undefined || answer === 'no-marketing') return undefined;
  if (answerChannel(interaction) !== 'sms' || interaction.provider === OWN_PAGES) return undefined;
  return answer === 'denied' ? 'opt-out' : 'reopen';
};
