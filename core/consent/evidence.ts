import * as z from 'zod';
import { Identifier } from '../identity/identifier.ts';
import { Channel, Instant, type Interaction, Kind } from '../interaction/interaction.ts';
import { Answer, ConsentStatus, consentWord } from './consent.ts';

/** The proof of a consent answer: how it reached the hub. */
export const Evidence = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('interaction'),
    kind: Kind,
    provider: z.string(),
    account: z.string().optional(),
    /** The address that the answer came from. */
    address: Identifier.optional(),
    /** The word that was the whole message. */
    word: z.string().optional(),
    /** The list, group or stream that the answer is about. */
    scope: z.string().optional(),
    /** The page of the hub on which the person chose. */
    page: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('command'), by: z.string(), text: z.string().max(500).optional() }),
  z.strictObject({ type: z.literal('list'), by: z.string(), text: z.string().max(500).optional() }),
]);
export type Evidence = z.infer<typeof Evidence>;

/** A stored answer. It is retained as long as its customer, even after the interaction has expired. */
export const RecordedAnswer = z.strictObject({
  channel: Channel,
  answer: Answer,
  at: Instant,
  /** The id of the interaction, of the command, or of the row of a list. */
  source: z.string(),
  /** How it changed the source profile that gave it; both are equal if a later answer was known already. */
  from: ConsentStatus,
  to: ConsentStatus,
  evidence: Evidence,
});
export type RecordedAnswer = z.infer<typeof RecordedAnswer>;

/** The evidence that an interaction is, without the parts of it that expire. `address`: where the answer came from. */
export const evidenceOf = (interaction: Interaction, address: Identifier | undefined): Evidence => {
  const { kind, provider, account, properties = {} } = interaction;
  const word = consentWord(interaction) ?? providerWord(interaction);
  const { scope, page } = properties;
  return {
    ...{ type: 'interaction', kind, provider },
    ...(account !== undefined && { account }),
    ...(address !== undefined && { address }),
    ...(word !== undefined && { word }),
    ...(typeof scope === 'string' && { scope }),
    ...(typeof page === 'string' && { page }),
  };
};

/** The word of a message that a provider has interpreted itself and reports as an opt-in or opt-out. */
const providerWord = ({ kind, text = '' }: Interaction): string | undefined => {
  const word = text.trim().toUpperCase();
  return (kind === 'opt-in' || kind === 'opt-out') && /^\p{L}{1,20}$/u.test(word) ? word : undefined;
};
