import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CrmChange } from '../crm/change.ts';
import { JsonObject } from '../formats/json.ts';
import { openWords } from '../formats/tolerant.ts';
import { Identifier } from '../identity/identifier.ts';
import { Instant } from './instant.ts';

export { Instant, instant } from './instant.ts';

/** The type of an interaction. docs/model.md defines each kind. */
export const Kind = z
  .enum([
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
    'privacy-export',
    'privacy-erasure',
    'crm-record',
    'behaviour',
    'notification',
    'system',
    'unknown',
  ])
  .register(openWords);
export type Kind = z.infer<typeof Kind>;

/** The medium, independent of the provider. */
export const Channel = z
  .enum([
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
  ])
  .register(openWords);
export type Channel = z.infer<typeof Channel>;

export const Direction = z.enum(['inbound', 'outbound', 'system']);
export type Direction = z.infer<typeof Direction>;

/** A file of an interaction: at the provider (`url`, perhaps short-lived) or in the hub's bucket (`key`). */
export const Attachment = z.strictObject({
  name: z.string().optional(),
  contentType: z.string().optional(),
  /** Bytes. */
  size: z.int().nonnegative().optional(),
  url: z.string().optional(),
  /** The provider's own id of the file, if its address must be requested from the provider. */
  externalId: z.string().optional(),
  key: z.string().optional(),
});
export type Attachment = z.infer<typeof Attachment>;

/** A person's name as far as it is known; `nameParts` derives the missing parts. */
export const PersonName = z.strictObject({
  full: z.string().optional(),
  first: z.string().optional(),
  last: z.string().optional(),
});
export type PersonName = z.infer<typeof PersonName>;

/** Profile fields that an interaction reports. They fill unknown fields of the profile. */
export const ProfileHints = z.strictObject({
  name: PersonName.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: JsonObject.optional(),
});
export type ProfileHints = z.infer<typeof ProfileHints>;

const fields = {
  kind: Kind,
  channel: Channel,
  provider: z.string().min(1),
  /** The shop, page or number of the provider, if there are several. */
  account: z.string().optional(),
  direction: Direction,
  occurredAt: Instant,
  /** The identifiers of the customer, in the provider's order; never those of a third party. */
  identifiers: z.array(Identifier).max(50),
  /** Those of `identifiers` for which nobody vouches: a visitor could have typed them (FORMATS, "Proof"). */
  claimed: z.array(Identifier).max(50).optional(),
  /** The provider's own id of the message, call or form, to which a later status refers. */
  externalId: z.string().optional(),
  text: z.string().optional(),
  subject: z.string().optional(),
  attachments: z.array(Attachment).optional(),
  /** The provider's id of the message that this status, reply, reaction, open or click is about. */
  refersTo: z.string().optional(),
  conversationId: z.string().optional(),
  properties: JsonObject.optional(),
  profile: ProfileHints.optional(),
  /** Its content could not be fetched. Replaying the failure completes the interaction. */
  incomplete: z.literal(true).optional(),
};

/** One event between a customer and the business, as it is stored. */
export const Interaction = z.strictObject({ id: z.string().min(1), ...fields });
export type Interaction = z.infer<typeof Interaction>;

/**
 * An interaction as a provider's mapping returns it.
 *
 * - `key`: equal for two deliveries of the same event of this provider (a message id, or an id and a status). The id of the
 *   interaction is derived from it.
 * - `occurredAt`: if the provider sends no time, the time of receipt is used.
 * - `fetch`: content to fetch from the provider later.
 * - `attachments`: one with `keep` is copied from its `url` into the bucket, because the address expires or needs a secret;
 *   one with `content` (base64) came with the delivery and is stored there too.
 * - `becomes`: new identifiers of the same person, such as the number that replaces one of `identifiers`. The interaction
 *   links them all.
 * - `change`: set if it reports a change of a contact in a CRM. Where that CRM is switched on, the change is published in the
 *   place of the interaction, and the sync of that CRM decides what it means. It is never stored.
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
  change: CrmChange.optional(),
});
export type DecodedInteraction = z.input<typeof DecodedInteraction>;

/** The `provider` of interactions from an imported file, so that their ids differ from those of every vendor. */
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
