import * as z from 'zod';
import { ConsentStatus } from '../../../core/consent/consent.ts';
import { Identifier } from '../../../core/identity/identifier.ts';
import { Channel, DecodedInteraction, Instant, ProfileHints } from '../../../core/interaction/interaction.ts';

/** What `receive` queues: an authentic request, its body in base64, or in the bucket when it is too large for a queue. */
export const DeliveryMessage = z.strictObject({
  type: z.literal('delivery'),
  id: z.string(),
  provider: z.string(),
  account: z.string().optional(),
  receivedAt: Instant,
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().optional(),
    bodyKey: z.string().optional(),
  }),
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** How often content was asked for, or what an act refers to was looked for, in vain; each try is a message of its own. */
const tries = z.int().nonnegative().optional();

/** An act that is already in our words: a notification that was sent, an event of the API, an import. */
export const InteractionMessage = z.strictObject({
  type: z.literal('interaction'),
  receivedAt: Instant,
  interaction: DecodedInteraction.omit({ provider: true, account: true }).extend({
    provider: z.string().min(1),
    account: z.string().optional(),
  }),
  tries,
});
export type InteractionMessage = z.input<typeof InteractionMessage>;

/** An act whose content must be asked for before it can be recorded: the body of a mail, the answers of a form. */
export const ContentMessage = InteractionMessage.extend({ type: z.literal('content') });
export type ContentMessage = z.input<typeof ContentMessage>;

/** A file that expires at its provider, to be copied to `key` in the bucket. */
export const FileMessage = z.strictObject({
  type: z.literal('file'),
  provider: z.string().min(1),
  account: z.string().optional(),
  url: z.string(),
  key: z.string(),
  contentType: z.string().optional(),
  tries,
});
export type FileMessage = z.infer<typeof FileMessage>;

/** An event that a provider put on an EventBridge bus instead of calling a webhook: the whole envelope. */
export const EventMessage = z.strictObject({
  type: z.literal('event'),
  provider: z.string().min(1),
  account: z.string().optional(),
  event: z.looseObject({ id: z.string(), time: Instant }),
});
export type EventMessage = z.infer<typeof EventMessage>;

/** A pair is merged or kept apart; an interaction is assigned to a customer, makes a new one, or is dismissed. */
export const ReviewDecision = z.enum(['merge', 'distinct', 'assign', 'new', 'dismiss']);
export type ReviewDecision = z.infer<typeof ReviewDecision>;

const command = { type: z.literal('command'), id: z.string(), at: Instant, by: z.string() };

/** A decision of a person. `id` makes a command that is delivered twice count once. */
export const CommandMessage = z.discriminatedUnion('command', [
  z.strictObject({ ...command, command: z.literal('merge'), keep: Identifier, other: Identifier }),
  z.strictObject({
    ...command,
    command: z.literal('unmerge'),
    customer: Identifier,
    /** Which merge of the ledger; the newest where it is left out. */
    merge: z.string().optional(),
  }),
  /** Makes one identifier a customer of its own. */
  z.strictObject({ ...command, command: z.literal('split'), identifier: Identifier }),
  z.strictObject({
    ...command,
    command: z.literal('resolve'),
    /** The id of a review entry. */
    review: z.string(),
    decision: ReviewDecision,
    /** With `merge` who survives (else who was first seen); with `assign` whose the interaction is. */
    customer: Identifier.optional(),
  }),
  z.strictObject({
    ...command,
    command: z.literal('consent'),
    customer: Identifier,
    channel: Channel,
    status: ConsentStatus,
    /** What proves that the person said so. */
    evidence: z.string().min(1).max(500).optional(),
  }),
  z.strictObject({
    ...command,
    command: z.literal('preference'),
    customer: Identifier,
    /** Absent: none any more. */
    channel: Channel.optional(),
  }),
  /** Opens an address again that bounced or was complained about. */
  z.strictObject({
    ...command,
    command: z.literal('reopen'),
    identifier: Identifier,
    /** What proves that its owner asked for it. */
    evidence: z.string().min(1).max(500).optional(),
  }),
  /** Nothing is owed to the customer any more. */
  z.strictObject({ ...command, command: z.literal('close'), customer: Identifier }),
  z.strictObject({
    ...command,
    command: z.literal('import'),
    identifiers: z.array(Identifier).min(1),
    profile: ProfileHints.extend({ stage: z.string().optional() }).default({}),
    consent: z.partialRecord(Channel, ConsentStatus).default({}),
    /** When the answers were given, by channel; those of other channels at `at`. */
    answeredAt: z.partialRecord(Channel, Instant).optional(),
    /** Channels whose answers nobody has dated: they can only make what is known stricter. */
    undated: z.array(Channel).optional(),
    evidence: z.string().max(500).optional(),
    /** Whether the CRMs get the customer at once; else with the first interaction. */
    toCrms: z.literal(true).optional(),
    preferences: z.strictObject({ channel: Channel.optional() }).default({}),
  }),
]);
export type CommandMessage = z.infer<typeof CommandMessage>;

/** Rows of a file that is imported, each a piece of work of its own: what is done already is passed by. */
export const ImportMessage = z.strictObject({
  type: z.literal('import'),
  job: z.string(),
  /** The line of the file at which it begins. */
  line: z.int().positive(),
  rows: z.array(z.union([InteractionMessage, CommandMessage])).min(1),
});
export type ImportMessage = z.input<typeof ImportMessage>;

/** Everything that may stand in the queues of `record`. */
export const RecordMessage = z.discriminatedUnion('type', [
  ImportMessage,
  DeliveryMessage,
  InteractionMessage,
  ContentMessage,
  FileMessage,
  EventMessage,
  CommandMessage,
]);
export type RecordMessage = z.infer<typeof RecordMessage>;
