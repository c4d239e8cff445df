import * as z from 'zod';
import type { Identifier } from '../identity/identifier.ts';
import { Direction, Instant, type Interaction, type Kind } from './interaction.ts';

/** What an interaction says about a message, in whatever words its provider says it. */

/** From the first that is told of a message that we send to the last; a later one is never taken back by an earlier one. */
export const MessageStatus = z.enum(['accepted', 'sent', 'deferred', 'failed', 'delivered', 'read']);
export type MessageStatus = z.infer<typeof MessageStatus>;

/** Kinds that say something about another interaction instead of something of their own. */
const relationKinds = [
  'delivery-status',
  'read',
  'bounce',
  'complaint',
  'open',
  'click',
  'edit',
  'delete',
  'reaction',
] as const satisfies readonly Kind[];
const RelationKind = z.enum(relationKinds);
export type RelationKind = z.infer<typeof RelationKind>;
const isRelationKind = (kind: Kind): kind is RelationKind => RelationKind.safeParse(kind).success;

/** What one interaction says about another. */
export const Relation = z.strictObject({
  /** The half of the customer whose interaction this is. */
  profileId: z.string(),
  /** Two accounts of a provider may have given the same id to two messages. */
  account: z.string().optional(),
  occurredAt: Instant,
  kind: RelationKind,
  direction: Direction,
  status: MessageStatus.optional(),
  /** Of a read that names no message: everything that was sent in the conversation until then. */
  upTo: Instant.optional(),
  /** Of a reaction; absent where one was taken back and it was not told which. */
  emoji: z.string().optional(),
  /** What a reaction does: it is all that this person thinks of the message, or one emoji more, or one less. */
  reaction: z.enum(['only', 'added', 'removed']).optional(),
});
export type Relation = z.infer<typeof Relation>;

/** By the id of the interaction that says it. */
export const Relations = z.record(z.string(), Relation);
export type Relations = Readonly<Record<string, Relation>>;

/** What others may report an id to be: the table's keys have an end. */
const LONGEST_ID_BYTES = 1500;
export const isReference = (id: string | undefined): id is string =>
  id !== undefined && id !== '' && Buffer.byteLength(id) <= LONGEST_ID_BYTES;

/** The provider's id of what an interaction is about, if it is about another: comments are edited under their own id. */
export const targetOf = ({
  kind,
  refersTo,
  externalId,
}: Pick<Interaction, 'kind' | 'refersTo' | 'externalId'>): string | undefined => {
  const target = refersTo ?? (kind === 'edit' || kind === 'delete' ? externalId : undefined);
  return isRelationKind(kind) && isReference(target) ? target : undefined;
};

/** The conversation in which everything was read up to a time, by the identifier that it is held with. */
export const readIn = ({
  kind,
  refersTo,
  identifiers,
  properties,
}: Pick<Interaction, 'kind' | 'refersTo' | 'identifiers' | 'properties'>):
  | { readonly identifier: Identifier; readonly upTo: Instant }
  | undefined => {
  const upTo = Instant.safeParse(properties?.['watermark']);
  const [identifier] = identifiers;
  if (kind !== 'read' || refersTo !== undefined || !upTo.success) return undefined;
  return isReference(identifier) ? { identifier, upTo: upTo.data } : undefined;
};

/** Whether others may refer to it by its provider's id; what is said about a message often has the id of the message. */
export const isAnswerable = ({ kind, direction }: Pick<Interaction, 'kind' | 'direction'>): boolean =>
  !isRelationKind(kind) &&
  (direction === 'outbound' || kind === 'message' || kind === 'comment' || kind === 'postback');

const LONGEST_EMOJI = 64;

/** Undefined where an interaction is about no other, or is a status in words that are not known here. */
export const relationOf = (
  interaction: Interaction & { readonly profileId: string },
): Relation | undefined => {
  const { kind, profileId, account, occurredAt, direction, text = '' } = interaction;
  const read = readIn(interaction);
  if (!isRelationKind(kind) || (targetOf(interaction) ?? read) === undefined) return undefined;
  const status = messageStatusOf(interaction);
  if (kind === 'delivery-status' && status === undefined) return undefined;
  const base = { profileId, ...(account !== undefined && { account }), occurredAt, kind, direction };
  if (kind !== 'reaction') return { ...base, ...(status && { status }), ...(read && { upTo: read.upTo }) };
  const emoji = text.slice(0, LONGEST_EMOJI);
  const { removed } = interaction.properties ?? {};
  const reaction = typeof removed !== 'boolean' ? 'only' : removed ? 'removed' : 'added';
  return { ...base, ...(emoji !== '' && { emoji }), reaction };
};

/** The providers' words, in lower case and with hyphens, by what they mean. */
const statusWords: Readonly<Record<MessageStatus, string>> = {
  accepted: 'accepted scheduled queued sending processed processing submitted buffered pending',
  sent: 'sent transmitted partially-delivered delivery-unconfirmed dlr-unconfirmed dlr-timeout',
  deferred: 'deferred delayed delivery-delayed transient',
  delivered: 'delivered',
  read: 'read seen played',
  failed: `failed undelivered undeliverable delivery-failed sending-failed rejected refused canceled cancelled dropped
    skipped suppressed expired ttl-expired gw-timeout bounce bounced soft-bounced softbounce blocked spam invalid
    invalid-message unreachable unsupported carrier-blocked carrier-unreachable protect-blocked dnserror dmarcpolicy
    spamnotification virusnotification`,
};
const statusByWord = new Map(
  MessageStatus.options.flatMap((status) =>
    statusWords[status].split(/\s+/u).map((word): [string, MessageStatus] => [word, status]),
  ),
);

/** What a status tells of its message; undefined where it is none, or in words that are not known. */
export const messageStatusOf = ({
  kind,
  properties,
}: Pick<Interaction, 'kind' | 'properties'>): MessageStatus | undefined => {
  if (kind === 'read') return 'read';
  if (kind === 'bounce') return 'failed';
  const word = properties?.['status'];
  if (kind !== 'delivery-status' && kind !== 'notification') return undefined;
  return typeof word === 'string'
    ? statusByWord.get(word.toLowerCase().replaceAll(/[_ ]/gu, '-'))
    : undefined;
};
