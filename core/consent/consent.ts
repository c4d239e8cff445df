import * as z from 'zod';
import type { Identifier } from '../identity/identifier.ts';
import { identifierType } from '../identity/identifier.ts';
import { Channel, Instant, type Interaction } from '../interaction/interaction.ts';
import { consentWordIn } from './consent-words.ts';

export const ConsentStatus = z.enum(['granted', 'service-only', 'denied', 'unknown']);
export type ConsentStatus = z.infer<typeof ConsentStatus>;

/** The purpose of a message. It decides which consent the message needs, which limits count it, and whether quiet hours apply. */
export const Category = z.enum(['marketing', 'service', 'transactional']);
export type Category = z.infer<typeof Category>;

const strictness: Record<ConsentStatus, number> = { unknown: 0, granted: 1, 'service-only': 2, denied: 3 };

/** The stricter of two answers: denied over service-only over granted over unknown. */
export const stricter = (one: ConsentStatus, other: ConsentStatus): ConsentStatus =>
  strictness[one] >= strictness[other] ? one : other;

const wordChannels: ReadonlySet<Channel> = new Set<Channel>(['sms', 'rcs', 'whatsapp']);

/**
 * An answer about a channel. A status replaces the present one; `no-marketing` ends marketing but keeps a denial; `resume`
 * lifts a denial and has no other effect.
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

/** The consent answer of an interaction, by the rules of FORMATS, "Consent"; undefined if it has none. */
export const answerOf = (interaction: Interaction): Answer | undefined => {
  const scope = interaction.properties?.['scope'];
  if (interaction.kind === 'opt-in') return scope === 'service' ? 'service-only' : 'granted';
  if (interaction.kind === 'opt-out')
    return scope === undefined || scope === null || scope === 'all' ? 'denied' : 'no-marketing';
  const word = wordOf(interaction);
  if (word === undefined) return undefined;
  if (word.means === 'stop') return 'denied';
  return word.word === 'START' ? 'granted' : 'resume';
};

const wordOf = ({ kind, direction, channel, text = '' }: Interaction): ReturnType<typeof consentWordIn> =>
  kind === 'message' && direction === 'inbound' && wordChannels.has(channel)
    ? consentWordIn(text)
    : undefined;

/** The stop or start word that an inbound SMS, RCS or WhatsApp message consists of, as the table has it; undefined if none. */
export const consentWord = (interaction: Interaction): string | undefined => wordOf(interaction)?.word;

/** The channel that an answer is about. A help desk reports answers about e-mail in `properties.medium`. */
export const answerChannel = ({ channel, properties }: Interaction): Channel => {
  const medium = Channel.safeParse(properties?.['medium']);
  return medium.success ? medium.data : channel;
};

/** The status after an answer; undefined if the answer has no effect on the present one. */
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

/** The identifier types that a channel's messages are sent to, best first. */
export const addressTypesOf = (channel: Channel): readonly string[] => addressTypes[channel] ?? [channel];

/**
 * The addresses among normalised identifiers for a channel: all of the best type only, since a WhatsApp id comes with a
 * phone number that is an address of other channels too.
 */
export const addressesOf = (channel: Channel, identifiers: readonly Identifier[]): Identifier[] => {
  const type = addressTypesOf(channel).find((one) =>
    identifiers.some((held) => identifierType(held) === one),
  );
  return identifiers.filter((held) => identifierType(held) === type);
};

/** The `provider` of interactions on the hub's own pages. */
export const OWN_PAGES = 'tributary';

/**
 * The effect of an interaction on its own addresses: it closes them to every category, or reopens what a STOP closed;
 * undefined if it has none. Only a STOP by SMS closes an address, so only an answer about SMS reopens one. A choice on a
 * page of the hub has no effect: a carrier that blocks the number continues to block it.
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

/** Whether an interaction was written by a page behind an unsubscribe or preference link, which proves nothing. */
export const isPageAnswer = ({
  provider,
  properties,
}: Partial<Pick<Interaction, 'provider' | 'properties'>>): boolean =>
  provider === OWN_PAGES && properties?.['page'] !== 'confirm';

/** An opt-out, or an opt-in, of an address by somebody who only claimed it. `channel`: that of the claim. */
export interface Mute {
  readonly channel: Channel;
  readonly at: Instant;
}

/**
 * Whether an opt-out by claim, whatever its channel, keeps marketing from the address: its owner has not answered about the
 * channel since. `owner`: absent where nobody owns it.
 */
export const isMuted = (
  mute: Mute | undefined,
  owner: AnsweringCustomer | undefined,
  channel: Channel,
): boolean =>
  mute !== undefined &&
  (owner?.sourceProfiles ?? []).every(({ profile }) => mute.at > (profile.consent[channel]?.at ?? ''));

/** What is read of a customer to know when it last answered. */
export interface AnsweringCustomer {
  readonly sourceProfiles: readonly {
    readonly profile: { readonly consent: Readonly<Partial<Record<Channel, Pick<ConsentEntry, 'at'>>>> };
  }[];
}
