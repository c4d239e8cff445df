import * as z from 'zod';
import { ConsentStatus } from '../../core/consent/consent.ts';
import { GivenAnswer } from '../../core/consent/evidence.ts';
import { Activity, CustomerSnapshot, Profile } from '../../core/identity/customer.ts';
import { Identifier } from '../../core/identity/identifier.ts';
import { Merge, Reopening, Review, Split } from '../../core/identity/ledger.ts';
import { Channel, Instant, Interaction } from '../../core/interaction/interaction.ts';
import { RetainedRefusal } from '../../core/privacy/erasure.ts';
import { Reply } from '../../core/timeline/conversation.ts';
import type { Key, Row } from '../aws/clients/dynamo.ts';
import { EventType } from './events/build.ts';
import type { InteractionAddress, StoredInteraction } from './ports/history.ts';

/** The table's layout in one place: the key of each kind of row, and the schema that a row of it must pass. */

export const profileKey = (profileId: string): Key => ({ pk: `customer#${profileId}`, sk: 'profile' });
export const activityKey = (profileId: string): Key => ({ pk: `customer#${profileId}`, sk: 'activity' });
export const interactionKey = ({ profileId, occurredAt, id }: InteractionAddress): Key => ({
  pk: `customer#${profileId}`,
  sk: `at#${occurredAt}#${id}`,
});
export const mergeKey = (survivor: string, at: string, id: string): Key => ({
  pk: `customer#${survivor}`,
  sk: `merge#${at}#${id}`,
});
export const identifierKey = (identifier: Identifier): Key => ({
  pk: `identifier#${identifier}`,
  sk: 'owner',
});
export const messageKey = (provider: string, externalId: string): Key => ({
  pk: `message#${provider}#${externalId}`,
  sk: 'ref',
});
/** What became of a message, under the same id that the interactions which tell it refer to. */
export const standingKey = (provider: string, externalId: string): Key => ({
  ...messageKey(provider, externalId),
  sk: 'standing',
});
/** What was told of a half by a command, so that it can be told again. */
/** Why a command was not done; one that was done has a row that it was seen. */
export const refusedKey = (command: string): Key => ({ pk: `refused#${command}`, sk: 'refused' });
export const commandKey = (profileId: string, id: string): Key => ({
  pk: `customer#${profileId}`,
  sk: `command#${id}`,
});
/** What was read of a conversation that tells only up to when. */
export const readKey = (profileId: string, provider: string, identifier: Identifier): Key => ({
  pk: `customer#${profileId}`,
  sk: `read#${provider}#${identifier}`,
});
export const splitKey = (profileId: string, at: string, id: string): Key => ({
  pk: `customer#${profileId}`,
  sk: `split#${at}#${id}`,
});
export const reopeningKey = ({ profileId, at, id }: Reopening): Key => ({
  pk: `customer#${profileId}`,
  sk: `reopened#${at}#${id}`,
});
/** A list may answer for several channels at once. */
export const answerKey = (profileId: string, { at, source, channel }: GivenAnswer): Key => ({
  pk: `customer#${profileId}`,
  sk: `consent#${at}#${source}#${channel}`,
});
export const reviewPartition = 'review';
export const reviewKey = (id: string): Key => ({ pk: reviewPartition, sk: id });
export const failureKey = (id: string): Key => ({ pk: `failure#${id}`, sk: 'failure' });
export const attemptKey = (message: string): Key => ({ pk: `attempt#${message}`, sk: 'attempt' });
export const budgetKey = (crm: string): Key => ({ pk: `budget#${crm}`, sk: 'window' });
export const leaseKey = (crm: string): Key => ({ pk: `lease#${crm}`, sk: 'token' });
export const jobKey = (id: string): Key => ({ pk: `job#${id}`, sk: 'job' });

export const figuresKey = (day: string, channel: string): Key => ({
  pk: `figures#${day.slice(0, 7)}`,
  sk: `${day}#${channel}`,
});
export const countedPartition = (minute: string): string => `counted#${minute}`;

/** Checks a row without what only the table needs. */
const bare =
  <Schema extends z.ZodType>(schema: Schema) =>
  ({ pk: _pk, sk: _sk, expiresAt: _expiresAt, ...rest }: Row): z.output<Schema> =>
    schema.parse(rest);

export const profileOf = bare(Profile);
export const mergeOf = bare(Merge);
export const splitOf = bare(Split);
export const reopeningOf = bare(Reopening);
export const answerOf = bare(GivenAnswer);
export const reviewOf = bare(Review);
export const activityOf = bare(Activity);

const Owner = z.strictObject({
  identifier: Identifier,
  profileId: z.string(),
  /** The halves of its customer when this row was last written: saves a round trip, never trusted. */
  group: z.array(z.string()),
});
export type Owner = z.infer<typeof Owner>;
export const ownerOf = bare(Owner);

/** What an interaction changed besides itself: enough to publish exactly the same events again. */
export const Caused = z.strictObject({
  merge: z
    .strictObject({
      id: z.string(),
      survivor: z.string(),
      others: z.array(z.string()),
      at: Instant,
      by: z.string(),
    })
    .optional(),
  consent: z.array(z.strictObject({ channel: Channel, from: ConsentStatus, to: ConsentStatus })).optional(),
  reply: Reply.optional(),
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
export const interactionOf = bare(InteractionRow);

/** Names the row of an interaction that was seen; or says that a person must place it, or that a command was done. */
const Seen = z.strictObject({
  address: z.strictObject({ profileId: z.string(), occurredAt: Instant, id: z.string() }).optional(),
  review: z.literal(true).optional(),
  /** Whoever it was of is gone, and it may not come back. */
  erased: z.literal(true).optional(),
  /** What a row of a customer list did. */
  imported: z
    .strictObject({
      profileId: z.string(),
      isNew: z.boolean(),
      merge: Merge.optional(),
      consent: z.array(z.strictObject({ channel: Channel, from: ConsentStatus, to: ConsentStatus })),
    })
    .optional(),
  /** The halves that a command told something of. */
  told: z.array(z.string()).optional(),
});
export type Seen = z.infer<typeof Seen>;
export const seenOf = bare(Seen);

const CommandRow = z.strictObject({
  /** As they were published. */
  events: z.array(z.strictObject({ type: EventType, detail: z.record(z.string(), z.json()), at: Instant })),
});
export const commandOf = bare(CommandRow);

/** What is left of an identifier whose owner was erased at `at`: enough to know what was on its way to them. */
const Erased = z.strictObject({ at: Instant, retainedRefusal: RetainedRefusal.optional() });
export const erasedOf = bare(Erased);

const MessagePointer = z.strictObject({
  address: z.strictObject({ profileId: z.string(), occurredAt: Instant, id: z.string() }),
  account: z.string().optional(),
});
export const messagePointerOf = bare(MessagePointer);
