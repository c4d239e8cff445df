import * as z from 'zod';
import type { Identifier } from '../identity/identifier.ts';
import { Direction, Instant, type Interaction, type Kind } from './interaction.ts';

/** The statuses of a message that the hub or the business sent, in order: a later one is never replaced by an earlier one. */
export const MessageStatus = z.enum(['accepted', 'sent', 'deferred', 'failed', 'delivered', 'read']);
export type MessageStatus = z.infer<typeof MessageStatus>;

/** Kinds that report something about another interaction. */
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

/** What one interaction reports about another one: a status, an edit, a reaction. */
export const Relation = z.strictObject({
  /** The source profile of the reporting interaction. */
  profileId: z.string(),
  /** Distinguishes two accounts of a provider that gave the same id to two messages. */
  account: z.string().optional(),
  occurredAt: Instant,
  kind: RelationKind,
  direction: Direction,
  status: MessageStatus.optional(),
  /** For a read that names no message: everything sent in the conversation until then is read. */
  upTo: Instant.optional(),
  /** For a reaction; absent if one was removed and the provider does not report which. */
  emoji: z.string().optional(),
  /** For a reaction: `only` replaces all earlier ones of the person; `added` and `removed` concern one emoji. */
  reaction: z.enum(['only', 'added', 'removed']).optional(),
});
export type Relation = z.infer<typeof Relation>;

/** By the id of the reporting interaction. */
export const Relations = z.record(z.string(), Relation);
export type Relations = Readonly<Record<string, Relation>>;

/** Longer ids do not fit into a key of the table. */
const LONGEST_ID_BYTES = 1500;
export const isReference = (id: string | undefined): id is string =>
  id !== undefined && id !== '' && Buffer.byteLength(id) <= LONGEST_ID_BYTES;

/** The provider's id of the message that an interaction is about; undefined if it is about none. A comment is edited under its own id. */
export const targetOf = ({
  kind,
  refersTo,
  externalId,
}: Pick<Interaction, 'kind' | 'refersTo' | 'externalId'>): string | undefined => {
  const target = refersTo ?? (kind === 'edit' || kind === 'delete' ? externalId : undefined);
  return isRelationKind(kind) && isReference(target) ? target : undefined;
};

/** For a read up to a time: the identifier of the conversation and that time; undefined for every other interaction. */
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

/** Whether other interactions may refer to it by its `externalId`. A report about a message often has the message's own id. */
export const isAnswerable = ({ kind, direction }: Pick<Interaction, 'kind' | 'direction'>): boolean =>
  !isRelationKind(kind) &&
  (direction === 'outbound' || kind === 'message' || kind === 'comment' || kind === 'postback');

const LONGEST_EMOJI = 64;

/** The relation that an interaction reports; undefined if it is about no message, or its status word is unknown. */
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

/** The providers' status words, in lower case with hyphens, by their meaning. */
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

/** The message status that an interaction reports; undefined if it reports none, or its status word is unknown. */
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
