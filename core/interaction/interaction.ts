import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Identifier } from '../identity/identifier.ts';

/** What happened. Each kind is defined in docs/model.md. */
export const Kind = z.enum([
  'message',
  'edit',
  'delete',
  'echo',
  'reaction',
  'postback',
  'form',
  'comment',
  'order',
  'referral',
  'call',
  'delivery-status',
  'read',
  'open',
  'click',
  'bounce',
  'complaint',
  'opt-in',
  'opt-out',
  'contact-update',
  'privacy-erasure',
  'crm-record',
  'behaviour',
  'notification',
  'system',
  'unknown',
]);
export type Kind = z.infer<typeof Kind>;

/** The medium, whoever the vendor is. */
export const Channel = z.enum([
  'email',
  'sms',
  'rcs',
  'whatsapp',
  'voice',
  'messenger',
  'instagram',
  'telegram',
  'line',
  'viber',
  'slack',
  'discord',
  'teams',
  'x',
  'tiktok',
  'apple',
  'chat',
  'form',
  'web',
  'in-person',
  'push',
  'crm',
]);
export type Channel = z.infer<typeof Channel>;

export const Direction = z.enum(['inbound', 'outbound', 'system']);
export type Direction = z.infer<typeof Direction>;

/** An instant as ISO 8601 in UTC with exactly three decimals, so that instants sort as text. */
export const Instant = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-03-01T09:00:00Z' })
  .transform((text) => new Date(text).toISOString());
export type Instant = string;

export const instant = (epochMilliseconds: number): Instant => new Date(epochMilliseconds).toISOString();

/** A file of an interaction: at the provider (`url`, perhaps short-lived) or in the hub's bucket (`key`). */
export const Attachment = z.strictObject({
  name: z.string().optional(),
  contentType: z.string().optional(),
  /** Bytes. */
  size: z.int().nonnegative().optional(),
  url: z.string().optional(),
  /** The provider's own id of the file, where it must be asked for the address. */
  externalId: z.string().optional(),
  key: z.string().optional(),
});
export type Attachment = z.infer<typeof Attachment>;

/** What an interaction tells of the person: it fills what the profile does not know yet. */
export const PersonName = z.strictObject({
  full: z.string().optional(),
  first: z.string().optional(),
  last: z.string().optional(),
});
export type PersonName = z.infer<typeof PersonName>;

export const ProfileHints = z.strictObject({
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: z.record(z.string(), z.json()).optional(),
});
export type ProfileHints = z.infer<typeof ProfileHints>;

const fields = {
  kind: Kind,
  channel: Channel,
  provider: z.string().min(1),
  /** Which shop, page or number of the provider, where there is more than one. */
  account: z.string().optional(),
  direction: Direction,
  occurredAt: Instant,
  /** Of the customer it belongs to, strongest meaning first as the vendor gives them; never a third party's. */
  identifiers: z.array(Identifier).max(50),
  /** The provider's own id of the message, call or form, where it has one: what a later status refers to. */
  externalId: z.string().optional(),
  text: z.string().optional(),
  subject: z.string().optional(),
  attachments: z.array(Attachment).optional(),
  /** The provider's id of the message that this status, reply, reaction, open or click is about. */
  refersTo: z.string().optional(),
  conversationId: z.string().optional(),
  properties: z.record(z.string(), z.json()).optional(),
  profile: ProfileHints.optional(),
  /** Its content was asked for and did not come: the failure that tells so completes it when it is replayed. */
  incomplete: z.literal(true).optional(),
};

/** One act between a customer and the business. */
export const Interaction = z.strictObject({ id: z.string().min(1), ...fields });
export type Interaction = z.infer<typeof Interaction>;

/**
 * An interaction as a provider's mapping gives it. `key` is what makes two deliveries the same act for this provider
 * (a message id, or id + status); the interaction's id is derived from it. A missing `occurredAt` means that the
 * provider gives no time: the time of receipt is used. `fetch` names content that must be asked for later. An attachment
 * to `keep` is copied into the bucket from its `url`, because that expires or needs a secret; one with `content` (base64)
 * came with the delivery and goes there too. `becomes` are new identifiers of the same person, such as the number that
 * replaces one of `identifiers`: the interaction links them all.
 */
export const DecodedInteraction = z.strictObject({
  key: z.string().min(1),
  ...fields,
  provider: z.never().optional(),
  account: z.never().optional(),
  incomplete: z.never().optional(),
  occurredAt: Instant.optional(),
  becomes: z.array(Identifier).max(10).optional(),
  attachments: z
    .array(Attachment.extend({ keep: z.literal(true).optional(), content: z.string().optional() }))
    .optional(),
  fetch: z.strictObject({ url: z.string() }).optional(),
});
export type DecodedInteraction = z.input<typeof DecodedInteraction>;

/** The provider of acts from a file of history; their ids are apart from those of every vendor. */
export const HISTORY = 'import';

/**
 * The id of an interaction: 128 bits of SHA-256 over provider, account and the provider's own key, URL-safe, so that a
 * redelivery is the same row and CRMs can use it as a key.
 */
export const interactionId = (provider: string, account: string | undefined, key: string): string =>
  createHash('sha256')
    .update(JSON.stringify([provider, account ?? '', key]))
    .digest('base64url')
    .slice(0, 22);
