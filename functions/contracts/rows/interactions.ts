import * as z from 'zod';
import { ConsentStatus } from '../../../core/consent/consent.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { Merge } from '../../../core/identity/ledger.ts';
import { CustomerSnapshot } from '../../../core/interaction/customer-snapshot.ts';
import { Channel, Instant, Interaction } from '../../../core/interaction/interaction.ts';
import { Relations } from '../../../core/interaction/relation.ts';
import { Reply } from '../../../core/timeline/conversation.ts';
import { BusEvent } from '../events/catalogue.ts';
import type { StoredInteraction } from '../ports/history.ts';
import { type Row, rowReader } from './row.ts';

const ConsentChanges = z.array(z.strictObject({ channel: Channel, from: ConsentStatus, to: ConsentStatus }));
const Address = z.strictObject({ profileId: z.string(), occurredAt: Instant, id: z.string() });

/** What an interaction changed besides itself: enough to publish exactly the same events again. */
export const Caused = z.strictObject({
  merge: Merge.pick({ id: true, survivor: true, others: true, at: true, by: true }).optional(),
  consent: ConsentChanges.optional(),
  reply: Reply.optional(),
  /** The customer's entries in lists changed. */
  moved: z.literal(true).optional(),
});
export type Caused = z.infer<typeof Caused>;

const InteractionRow = Interaction.extend({
  profileId: z.string(),
  receivedAt: Instant,
  customer: CustomerSnapshot,
  caused: Caused.optional(),
});
export type InteractionRow = StoredInteraction & { readonly caused?: Caused | undefined };
export const interactionOf = rowReader(InteractionRow);

/**
 * That an interaction or a command was done: the address of its row, that a review holds it, that its customer was
 * erased, or what it did.
 */
const Seen = z.strictObject({
  address: Address.optional(),
  review: z.literal(true).optional(),
  /** Its customer was erased; it must not be recorded again. */
  erased: z.literal(true).optional(),
  /** What a row of a customer list did. */
  imported: z
    .strictObject({
      profileId: z.string(),
      isNew: z.boolean(),
      merge: Merge.optional(),
      consent: ConsentChanges,
    })
    .optional(),
  /** The source profiles under which the events of a command are stored. */
  profileIds: z.array(z.string()).optional(),
});
export type Seen = z.infer<typeof Seen>;
export const seenOf = rowReader(Seen);

/** The events of a command about one source profile, as they were published. */
const CommandRow = z.strictObject({ events: z.array(BusEvent) });
export const commandOf = rowReader(CommandRow);

/** What a message of a trigger was, for the reports about it. */
const SentMessage = z.strictObject({
  trigger: z.string(),
  template: z.string(),
  /** Of a series. */
  step: z.string().optional(),
});
export type SentMessage = z.infer<typeof SentMessage>;

const MessagePointer = z.strictObject({
  address: Address,
  account: z.string().optional(),
  /** Of a message that a trigger sent. */
  sent: SentMessage.optional(),
});
export const messagePointerOf = rowReader(MessagePointer);

/** What later interactions reported about a message, or about a conversation that was read up to a time. */
export const MessageStatusRow = z.strictObject({
  /** Counts every change. */
  version: z.int().positive(),
  relations: Relations,
  /** Epoch seconds: as long as the last interaction that reported something is stored. */
  expiresAt: z.int(),
});
export type MessageStatusRow = z.infer<typeof MessageStatusRow>;
export const messageStatusOf = ({ pk: _pk, sk: _sk, ...rest }: Row): MessageStatusRow =>
  tolerant(MessageStatusRow).parse(rest);
