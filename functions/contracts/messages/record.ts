import * as z from 'zod';
import { ConsentStatus } from '../../../core/consent/consent.ts';
import { Identifier } from '../../../core/identity/identifier.ts';
import { Channel, DecodedInteraction, Instant, ProfileHints } from '../../../core/interaction/interaction.ts';
import { providerOfTopic } from '../../../core/webhooks/sns.ts';

/** An authenticated request: its body is in base64 or, where that is too large for a queue, in the bucket under `bodyKey`. */
export const DeliveryMessage = z.strictObject({
  type: z.literal('delivery'),
  id: z.string(),
  provider: z.string(),
  account: z.string().optional(),
  receivedAt: Instant,
  /** The path of the one member of a batch that is replayed, because it could not be decoded. */
  member: z.string().optional(),
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().optional(),
    bodyKey: z.string().optional(),
  }),
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** Failed tries to fetch the content, or to find the message referred to. Each try is a message of its own. */
const tries = z.int().nonnegative().optional();

/** An interaction that needs no decoding: a sent notification, an event of the API, a row of an import. */
export const InteractionMessage = z.strictObject({
  type: z.literal('interaction'),
  receivedAt: Instant,
  interaction: DecodedInteraction.omit({ provider: true, account: true }).extend({
    provider: z.string().min(1),
    account: z.string().optional(),
  }),
  /** Of what the hub sent: the source profile that holds the cause. */
  causedBy: z.string().optional(),
  tries,
});
export type InteractionMessage = z.input<typeof InteractionMessage>;

/** An interaction whose content must be fetched before it is recorded: the body of a mail, the answers of a form. */
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
  /** The most bytes of it, where its interaction has many files. */
  most: z.int().positive().optional(),
  tries,
});
export type FileMessage = z.infer<typeof FileMessage>;

/** An event that a provider put on an EventBridge bus instead of calling a webhook: the whole envelope. */
export const EventMessage = z.strictObject({
  type: z.literal('event'),
  provider: z.string().min(1),
  account: z.string().optional(),
  event: z.looseObject({ id: z.string(), time: Instant }),
  /** As in a delivery. */
  member: z.string().optional(),
});
export type EventMessage = z.infer<typeof EventMessage>;

/**
 * A pair is merged or marked as distinct; an interaction is assigned to a customer, to a new one, or dismissed; one of several
 * records of a CRM is the customer's, or a new one is made; a request is done, or dismissed.
 */
const ReviewDecision = z.enum(['merge', 'distinct', 'assign', 'new', 'record', 'dismiss', 'done']);

const Reason = z
  .string({ error: 'Say why the two are one person: the ledger keeps the reason of every merge by hand.' })
  .trim()
  .min(1)
  .max(500);

const command = { type: z.literal('command'), id: z.string(), at: Instant, by: z.string() };

/** A command of a person or a program. A command that is delivered twice is executed once, by its `id`. */
export const CommandMessage = z.discriminatedUnion('command', [
  z.strictObject({
    ...command,
    command: z.literal('merge'),
    keep: Identifier,
    other: Identifier,
    /** Why the two are one person, for the ledger. */
    reason: Reason,
  }),
  z.strictObject({
    ...command,
    command: z.literal('unmerge'),
    customer: Identifier,
    /** A merge of the ledger; the newest where it is absent. */
    merge: z.string().optional(),
  }),
  /** Makes one identifier a customer of its own; shows the guests apart that claim it beside `customer`. */
  z.strictObject({
    ...command,
    command: z.literal('split'),
    identifier: Identifier,
    customer: Identifier.optional(),
  }),
  /** Gives a claimed identifier to a person. */
  z.strictObject({ ...command, command: z.literal('confirm'), customer: Identifier, identifier: Identifier }),
  z.strictObject({
    ...command,
    command: z.literal('resolve'),
    /** The id of a review entry. */
    review: z.string(),
    decision: ReviewDecision,
    /** Of a merge, for the ledger; by default that the review was resolved. */
    reason: Reason.optional(),
    /** With `merge` the survivor (by default the customer first seen); with `assign` the customer of the interaction. */
    customer: Identifier.optional(),
    /** With the decision `record` the CRM's id of the chosen one. */
    record: z.string().optional(),
  }),
  z.strictObject({
    ...command,
    command: z.literal('consent'),
    customer: Identifier,
    channel: Channel,
    status: ConsentStatus,
    /** The proof that the customer gave this answer. */
    evidence: z.string().min(1).max(500).optional(),
  }),
  z.strictObject({
    ...command,
    command: z.literal('preference'),
    customer: Identifier,
    /** Absent: the preference is withdrawn. */
    channel: Channel.optional(),
  }),
  /** Reopens an address after a bounce or a complaint. */
  z.strictObject({
    ...command,
    command: z.literal('reopen'),
    identifier: Identifier,
    /** The proof that its owner asked for it. */
    evidence: z.string().min(1).max(500).optional(),
  }),
  /** Closes the conversation: the customer is owed no answer. */
  z.strictObject({ ...command, command: z.literal('close'), customer: Identifier }),
  z.strictObject({
    ...command,
    command: z.literal('import'),
    identifiers: z.array(Identifier).min(1),
    /** The ids of the customer's records in CRMs that are switched on, as `<crm>:<id>`: the customer is linked to them. */
    references: z.array(Identifier).optional(),
    profile: ProfileHints.extend({ stage: z.string().optional() }).default({}),
    consent: z.partialRecord(Channel, ConsentStatus).default({}),
    /** When the answers were given, by channel; those of other channels at `at`. */
    answeredAt: z.partialRecord(Channel, Instant).optional(),
    /** Channels whose answers have no date: they can only make the stored consent stricter. */
    undated: z.array(Channel).optional(),
    evidence: z.string().max(500).optional(),
    /** CRMs get the customer at once; where it is absent, with the first interaction. */
    toCrms: z.literal(true).optional(),
    /** The CRM whose contact this is. */
    adoptedFrom: z.string().optional(),
    preferences: z.strictObject({ channel: Channel.optional() }).default({}),
  }),
]);
export type CommandMessage = z.infer<typeof CommandMessage>;

/** Rows of an imported file. Rows that were recorded before are skipped. */
export const ImportMessage = z.strictObject({
  type: z.literal('import'),
  job: z.string(),
  /** The line of the file with the first row. */
  line: z.int().positive(),
  rows: z.array(z.union([InteractionMessage, CommandMessage])).min(1),
});
export type ImportMessage = z.input<typeof ImportMessage>;

/** A notification of a topic of the stack, as SNS writes it to a queue. */
const TopicNotification = z.looseObject({
  Type: z.literal('Notification'),
  MessageId: z.string(),
  TopicArn: z.string(),
  Timestamp: Instant,
});

/** A notification is a delivery of its topic's provider, with the method `SNS`; the policy of the queue authenticates it. */
const withNotifications = (message: unknown): unknown => {
  const { data } = TopicNotification.safeParse(message);
  const provider = data && providerOfTopic(data.TopicArn);
  if (data === undefined || provider === undefined) return message;
  const body = Buffer.from(JSON.stringify(message)).toString('base64');
  return {
    ...{ type: 'delivery', id: data.MessageId, provider, receivedAt: data.Timestamp },
    request: { method: 'SNS', url: '', headers: {}, body },
  };
};

/** Every message of the queues of `record`. */
export const RecordMessage = z.preprocess(
  withNotifications,
  z.discriminatedUnion('type', [
    ImportMessage,
    DeliveryMessage,
    InteractionMessage,
    ContentMessage,
    FileMessage,
    EventMessage,
    CommandMessage,
  ]),
);
export type RecordMessage = z.infer<typeof RecordMessage>;
