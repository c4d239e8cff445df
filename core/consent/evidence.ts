import * as z from 'zod';
import { Identifier } from '../identity/identifier.ts';
import { Channel, Instant, type Interaction, Kind } from '../interaction/interaction.ts';
import { Answer, ConsentStatus, consentWord } from './consent.ts';

/** How an answer reached the hub. */
export const Evidence = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('interaction'),
    kind: Kind,
    provider: z.string(),
    account: z.string().optional(),
    /** The address of the channel that carried it. */
    address: Identifier.optional(),
    /** The word that was the whole message. */
    said: z.string().optional(),
    /** The list, group or stream that it was about. */
    scope: z.string().optional(),
    /** The page of the hub on which it was chosen. */
    page: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('command'), by: z.string(), text: z.string().max(500).optional() }),
  z.strictObject({ type: z.literal('list'), by: z.string(), text: z.string().max(500).optional() }),
]);
export type Evidence = z.infer<typeof Evidence>;

/** An answer as it was given, kept as long as its customer, also when the interaction that gave it is gone. */
export const RecordedAnswer = z.strictObject({
  channel: Channel,
  answer: Answer,
  at: Instant,
  /** The id of the interaction, command or row of a list. */
  source: z.string(),
  /** What it changed for the half that gave it; the same where an answer of later stood already. */
  from: ConsentStatus,
  to: ConsentStatus,
  evidence: Evidence,
});
export type RecordedAnswer = z.infer<typeof RecordedAnswer>;

/** What an interaction proves; the rest of it may expire. */
export const evidenceOf = (interaction: Interaction, address: Identifier | undefined): Evidence => {
  const { kind, provider, account, properties = {} } = interaction;
  const said = consentWord(interaction) ?? providerWord(interaction);
  const { scope, page } = properties;
  return {
    ...{ type: 'interaction', kind, provider },
    ...(account !== undefined && { account }),
    ...(address !== undefined && { address }),
    ...(said !== undefined && { said }),
    ...(typeof scope === 'string' && { scope }),
    ...(typeof page === 'string' && { page }),
  };
};

/** Vendors that obey words themselves pass the message on as the answer that it is. */
const providerWord = ({ kind, text = '' }: Interaction): string | undefined => {
  const word = text.trim().toUpperCase();
  return (kind === 'opt-in' || kind === 'opt-out') && /^\p{L}{1,20}$/u.test(word) ? word : undefined;
};
