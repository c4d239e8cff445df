import * as z from 'zod';
import { Direction, Instant, type Interaction, type Kind } from './interaction.ts';

/** What became of a message, from what later interactions say about it. Pure, and the same in whatever order they came. */

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
type RelationKind = z.infer<typeof RelationKind>;
const isRelationKind = (kind: Kind): kind is RelationKind => RelationKind.safeParse(kind).success;

/** What one interaction says about another. */
export const Relation = z.strictObject({
  /** The half of the customer whose interaction this is. */
  half: z.string(),
  /** Two accounts of a provider may have given the same id to two messages. */
  account: z.string().optional(),
  occurredAt: Instant,
  kind: RelationKind,
  direction: Direction,
  status: MessageStatus.optional(),
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

/** Whether others may refer to it by its provider's id; what is said about a message often has the id of the message. */
export const isAnswerable = ({ kind, direction }: Pick<Interaction, 'kind' | 'direction'>): boolean =>
  !isRelationKind(kind) &&
  (direction === 'outbound' || kind === 'message' || kind === 'comment' || kind === 'postback');

const LONGEST_EMOJI = 64;

/** Undefined where an interaction is about no other, or is a status in words that are not known here. */
export const relationOf = (interaction: Interaction & { readonly half: string }): Relation | undefined => {
  const { kind, half, account, occurredAt, direction, text = '' } = interaction;
  if (!isRelationKind(kind) || targetOf(interaction) === undefined) return undefined;
  const status = statusOf(interaction);
  if (kind === 'delivery-status' && status === undefined) return undefined;
  const base = { half, ...(account !== undefined && { account }), occurredAt, kind, direction };
  if (kind !== 'reaction') return { ...base, ...(status && { status }) };
  const emoji = text.slice(0, LONGEST_EMOJI);
  const { removed } = interaction.properties ?? {};
  const reaction = typeof removed !== 'boolean' ? 'only' : removed ? 'removed' : 'added';
  return { ...base, ...(emoji !== '' && { emoji }), reaction };
};

/** The providers' words, in lower case and with hyphens, by what they mean. */
const words: Readonly<Record<MessageStatus, string>> = {
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
const meanings = new Map(
  MessageStatus.options.flatMap((status) =>
    words[status].split(/\s+/u).map((word): [string, MessageStatus] => [word, status]),
  ),
);

/** What a status tells of its message; undefined where it is none, or in words that are not known. */
export const statusOf = ({
  kind,
  properties,
}: Pick<Interaction, 'kind' | 'properties'>): MessageStatus | undefined => {
  if (kind === 'read') return 'read';
  if (kind === 'bounce') return 'failed';
  const told = properties?.['status'];
  if (kind !== 'delivery-status' && kind !== 'notification') return undefined;
  return typeof told === 'string' ? meanings.get(told.toLowerCase().replaceAll(/[_ ]/gu, '-')) : undefined;
};

type Entry = readonly [id: string, relation: Relation];

const earlier = ([id, { occurredAt }]: Entry, [otherId, other]: Entry): number => {
  if (occurredAt !== other.occurredAt) return occurredAt < other.occurredAt ? -1 : 1;
  return id < otherId ? -1 : id > otherId ? 1 : 0;
};
const later = (one: Entry, other: Entry): number => earlier(other, one);

/** Of what counts once, which one: the same status, the last edit, the last reaction of somebody. */
const slotOf = ([id, { half, account, kind, status, direction, emoji, reaction }]: Entry): string => {
  if (kind === 'open' || kind === 'click') return `${kind} ${id}`;
  const what =
    kind === 'reaction' ? `${direction} ${reaction === 'only' ? '' : `each ${emoji}`}` : (status ?? '');
  return JSON.stringify([half, account ?? '', status === undefined ? kind : '', what]);
};

/** For each kind which one of a slot counts, and how many are kept. Statuses are never dropped. */
const kept: Readonly<Record<RelationKind, readonly [order: typeof earlier, most: number]>> = {
  'delivery-status': [earlier, Number.POSITIVE_INFINITY],
  read: [earlier, Number.POSITIVE_INFINITY],
  bounce: [earlier, Number.POSITIVE_INFINITY],
  complaint: [earlier, 20],
  delete: [earlier, 20],
  edit: [later, 20],
  reaction: [later, 60],
  open: [earlier, 40],
  click: [earlier, 40],
};
/** How many opens and clicks of a message are told apart; more count as so many. */
export const MOST_COUNTED = 40;

/** What both tell, as far as it still counts. The same in any order, however often, in whatever parts. */
export const united = (one: Relations, other: Relations): Relations => {
  const slots = new Map<string, Entry>();
  for (const entry of [...Object.entries(one), ...Object.entries(other)]) {
    const slot = slotOf(entry);
    const present = slots.get(slot);
    const [order] = kept[entry[1].kind];
    if (present === undefined || order(entry, present) < 0) slots.set(slot, entry);
  }
  const byKind = Map.groupBy(slots.values(), ([, { kind }]) => kind);
  return Object.fromEntries(
    [...byKind].flatMap(([kind, entries]) => {
      const [order, most] = kept[kind];
      return entries.sort(order).slice(0, most);
    }),
  );
};

/** Whether the interaction would add nothing to what is told already. */
export const isTold = (relations: Relations, id: string, relation: Relation): boolean =>
  same(united(relations, { [id]: relation }), relations);

/** Whether two tell the same, by whom they are told. */
export const same = (one: Relations, other: Relations): boolean => {
  const ids = Object.keys(one);
  return ids.length === Object.keys(other).length && ids.every((id) => Object.hasOwn(other, id));
};

/** `unknown` where it was not told who. */
type Actor = 'customer' | 'business' | 'unknown';
const actors: Readonly<Record<Direction, Actor>> = {
  inbound: 'customer',
  outbound: 'business',
  system: 'unknown',
};

interface Told {
  readonly at: Instant;
  /** The interaction that says so. */
  readonly interaction: string;
}

/** What became of a message. */
export interface Standing {
  readonly status?: {
    /** The furthest that it came. */
    readonly name: MessageStatus;
    readonly at: Instant;
    /** Each status once, when it was first reached, by time. */
    readonly history: readonly (Told & { readonly name: MessageStatus })[];
    /** That it failed is told also where it had been delivered before, or was delivered in the end. */
    readonly failed?: Told;
  };
  readonly edited?: Told;
  readonly deleted?: Told & { readonly by: Actor };
  readonly complained?: Told;
  /** Those that stand, oldest first. */
  readonly reactions?: readonly { readonly by: Actor; readonly emoji: string; readonly at: Instant }[];
  /** At most `MOST_COUNTED`. */
  readonly opens?: number;
  readonly clicks?: number;
}

const rank = (status: MessageStatus): number => MessageStatus.options.indexOf(status);

/**
 * What became of a message, as far as the given halves of its customer tell it: what other people have to do with the
 * same message, in a group or as its other recipients, is theirs.
 */
export const standing = (
  message: Pick<Interaction, 'id' | 'kind' | 'account' | 'occurredAt' | 'properties'>,
  relations: Relations,
  halves: ReadonlySet<string>,
): Standing => {
  const entries = Object.entries(relations)
    .filter(
      ([, { half, account }]) =>
        halves.has(half) &&
        (account === undefined || message.account === undefined || account === message.account),
    )
    .sort(earlier);
  const of = (...kinds: readonly RelationKind[]): Entry[] =>
    entries.filter(([, { kind }]) => kinds.includes(kind));
  const [deletion] = of('delete');
  const edit = of('edit').at(-1);
  const [complaint] = of('complaint');
  const reactions = reactionsOf(of('reaction'));
  const [opens, clicks] = [of('open').length, of('click').length];
  return {
    ...statusesOf(message, of('delivery-status', 'read', 'bounce')),
    ...(edit && { edited: told(edit) }),
    ...(deletion && { deleted: { ...told(deletion), by: actors[deletion[1].direction] } }),
    ...(complaint && { complained: told(complaint) }),
    ...(reactions.length > 0 && { reactions }),
    ...(opens > 0 && { opens }),
    ...(clicks > 0 && { clicks }),
  };
};

const told = ([interaction, { occurredAt: at }]: Entry): Told => ({ at, interaction });

/** Entries in the order of time. A message that the hub sent itself says that it was sent. */
const statusesOf = (
  message: Parameters<typeof standing>[0],
  entries: readonly Entry[],
): Pick<Standing, 'status'> => {
  const own = message.kind === 'notification' ? statusOf(message) : undefined;
  const all = [
    ...(own === undefined ? [] : [{ name: own, at: message.occurredAt, interaction: message.id }]),
    ...entries.flatMap((entry) => (entry[1].status ? [{ name: entry[1].status, ...told(entry) }] : [])),
  ];
  const first = [...Map.groupBy(all, ({ name }) => name).values()].flatMap((same) => same.slice(0, 1));
  const history = first.sort((one, other) =>
    one.at === other.at ? rank(one.name) - rank(other.name) : one.at < other.at ? -1 : 1,
  );
  const [furthest] = history.toSorted((one, other) => rank(other.name) - rank(one.name));
  if (furthest === undefined) return {};
  const failed = history.find(({ name }) => name === 'failed');
  return {
    status: {
      name: furthest.name,
      at: furthest.at,
      history,
      ...(failed && { failed: { at: failed.at, interaction: failed.interaction } }),
    },
  };
};

/**
 * What is all that somebody thinks takes the place of what they thought; what is added or taken back is one emoji. All
 * halves of a customer are one person here.
 */
const reactionsOf = (entries: readonly Entry[]): NonNullable<Standing['reactions']>[number][] => {
  const last = new Map(
    entries.map((entry): [string, Entry] => {
      const [, { direction, reaction, emoji }] = entry;
      return [`${direction} ${reaction === 'only' ? '' : emoji}`, entry];
    }),
  );
  return [...last.values()]
    .sort(earlier)
    .flatMap(([, { emoji, reaction, direction, occurredAt: at }]) =>
      emoji === undefined || reaction === 'removed' ? [] : [{ by: actors[direction], emoji, at }],
    );
};
