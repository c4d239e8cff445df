import type { Direction, Instant, Interaction } from './interaction.ts';
import {
  MessageStatus,
  messageStatusOf,
  type Relation,
  type RelationKind,
  type Relations,
} from './relation.ts';

/** One status fact about a message, with the id of the interaction that reported it. */
type Entry = readonly [id: string, relation: Relation];

const compareEntries = ([id, { occurredAt }]: Entry, [otherId, other]: Entry): number => {
  if (occurredAt !== other.occurredAt) return occurredAt < other.occurredAt ? -1 : 1;
  return id < otherId ? -1 : id > otherId ? 1 : 0;
};
const compareNewestFirst = (one: Entry, other: Entry): number => compareEntries(other, one);

/** Facts of one slot count once: the same status, the edits, the reactions of one side. */
const slotOf = ([id, relation]: Entry): string => {
  const { profileId, account, kind, status, direction, emoji, reaction, upTo } = relation;
  if (kind === 'open' || kind === 'click' || upTo !== undefined) return `${kind} ${id}`;
  const what =
    kind === 'reaction' ? `${direction} ${reaction === 'only' ? '' : `each ${emoji}`}` : (status ?? '');
  return JSON.stringify([profileId, account ?? '', status === undefined ? kind : '', what]);
};

const retentionClass = ({ kind, upTo }: Relation): RelationKind | 'read up to' =>
  upTo === undefined ? kind : 'read up to';
/** Above this number, further opens and clicks of a message are not counted. */
const MOST_COUNTED = 40;

/** Per class: which fact of a slot counts, and how many facts are stored. Statuses are never dropped. */
const retention: Readonly<
  Record<ReturnType<typeof retentionClass>, readonly [order: typeof compareEntries, most: number]>
> = {
  'delivery-status': [compareEntries, Number.POSITIVE_INFINITY],
  read: [compareEntries, Number.POSITIVE_INFINITY],
  bounce: [compareEntries, Number.POSITIVE_INFINITY],
  complaint: [compareEntries, 20],
  delete: [compareEntries, 20],
  edit: [compareNewestFirst, 20],
  reaction: [compareNewestFirst, 60],
  open: [compareEntries, MOST_COUNTED],
  click: [compareEntries, MOST_COUNTED],
  'read up to': [compareNewestFirst, 50],
};
/**
 * Merges the facts about one message. The result does not depend on the order, and merging the same facts again changes
 * nothing. Facts that no longer count are dropped.
 */
export const mergeFacts = (one: Relations, other: Relations): Relations => {
  const slots = new Map<string, Entry>();
  for (const entry of [...Object.entries(one), ...Object.entries(other)]) {
    const slot = slotOf(entry);
    const present = slots.get(slot);
    const [order] = retention[retentionClass(entry[1])];
    if (present === undefined || order(entry, present) < 0) slots.set(slot, entry);
  }
  const classes = Map.groupBy(slots.values(), ([, relation]) => retentionClass(relation));
  return Object.fromEntries(
    [...classes].flatMap(([name, entries]) => {
      const [order, most] = retention[name];
      return entries.sort(order).slice(0, most);
    }),
  );
};

/** Whether a fact adds nothing to those that are stored. */
export const isKnown = (relations: Relations, id: string, relation: Relation): boolean =>
  haveSameFacts(mergeFacts(relations, { [id]: relation }), relations);

/** From the read facts of a conversation, the first one that covers a message sent at `sentAt`. */
export const firstReadFact = (relations: Relations, sentAt: Instant): Relations =>
  Object.fromEntries(
    Object.entries(relations)
      .filter(([, { upTo = '' }]) => upTo >= sentAt)
      .sort(compareEntries)
      .slice(0, 1),
  );

/** Whether both come from the same interactions. */
export const haveSameFacts = (one: Relations, other: Relations): boolean => {
  const ids = Object.keys(one);
  return ids.length === Object.keys(other).length && ids.every((id) => Object.hasOwn(other, id));
};

/** `unknown` if the provider does not report who. */
type Actor = 'customer' | 'business' | 'unknown';
const actors: Readonly<Record<Direction, Actor>> = {
  inbound: 'customer',
  outbound: 'business',
  system: 'unknown',
};

interface StatusFact {
  readonly at: Instant;
  /** The id of the interaction that reported it. */
  readonly interaction: string;
}

/** The status of a message and all that later interactions report about it. */
export interface MessageState {
  readonly status?: {
    /** The furthest status. */
    readonly name: MessageStatus;
    readonly at: Instant;
    /** Each status once, at the time it was first reached, oldest first. */
    readonly history: readonly (StatusFact & { readonly name: MessageStatus })[];
    /** Set if it ever failed, even if it was delivered before or afterwards. */
    readonly failed?: StatusFact;
  };
  readonly edited?: StatusFact;
  readonly deleted?: StatusFact & { readonly by: Actor };
  readonly complained?: StatusFact;
  /** Reactions that are not removed, oldest first. */
  readonly reactions?: readonly { readonly by: Actor; readonly emoji: string; readonly at: Instant }[];
  /** At most `MOST_COUNTED`. */
  readonly opens?: number;
  readonly clicks?: number;
}

const rank = (status: MessageStatus): number => MessageStatus.options.indexOf(status);

/**
 * The state of a message from the facts of the given source profiles. Facts of other people about the same message, in a
 * group or as other recipients, do not count.
 */
export const messageState = (
  message: Pick<Interaction, 'id' | 'kind' | 'account' | 'occurredAt' | 'properties'>,
  relations: Relations,
  profileIds: ReadonlySet<string>,
): MessageState => {
  const entries = Object.entries(relations)
    .filter(
      ([, { profileId, account }]) =>
        profileIds.has(profileId) &&
        (account === undefined || message.account === undefined || account === message.account),
    )
    .sort(compareEntries);
  const of = (...kinds: readonly RelationKind[]): Entry[] =>
    entries.filter(([, { kind }]) => kinds.includes(kind));
  const [deletion] = of('delete');
  const edit = of('edit').at(-1);
  const [complaint] = of('complaint');
  const reactions = reactionsOf(of('reaction'));
  const [opens, clicks] = [of('open').length, of('click').length];
  return {
    ...statusesOf(message, of('delivery-status', 'read', 'bounce')),
    ...(edit && { edited: toFact(edit) }),
    ...(deletion && { deleted: { ...toFact(deletion), by: actors[deletion[1].direction] } }),
    ...(complaint && { complained: toFact(complaint) }),
    ...(reactions.length > 0 && { reactions }),
    ...(opens > 0 && { opens }),
    ...(clicks > 0 && { clicks }),
  };
};

const toFact = ([interaction, { occurredAt: at }]: Entry): StatusFact => ({ at, interaction });

/** `entries`: oldest first. A message that the hub sent itself reports that it was sent. */
const statusesOf = (
  message: Parameters<typeof messageState>[0],
  entries: readonly Entry[],
): Pick<MessageState, 'status'> => {
  const own = message.kind === 'notification' ? messageStatusOf(message) : undefined;
  const all = [
    ...(own === undefined ? [] : [{ name: own, at: message.occurredAt, interaction: message.id }]),
    ...entries.flatMap((entry) => (entry[1].status ? [{ name: entry[1].status, ...toFact(entry) }] : [])),
  ];
  const first = [...Map.groupBy(all, ({ name }) => name).values()].flatMap((sameStatus) =>
    sameStatus.slice(0, 1),
  );
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
 * The present reactions. A reaction `only` replaces all earlier ones of its side; `added` and `removed` concern one emoji.
 * All source profiles of a customer count as one person.
 */
const reactionsOf = (entries: readonly Entry[]): NonNullable<MessageState['reactions']>[number][] => {
  const last = new Map(
    entries.map((entry): [string, Entry] => {
      const [, { direction, reaction, emoji }] = entry;
      return [`${direction} ${reaction === 'only' ? '' : emoji}`, entry];
    }),
  );
  return [...last.values()]
    .sort(compareEntries)
    .flatMap(([, { emoji, reaction, direction, occurredAt: at }]) =>
      emoji === undefined || reaction === 'removed' ? [] : [{ by: actors[direction], emoji, at }],
    );
};
