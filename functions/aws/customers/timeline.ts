import type { Customer } from '../../../core/identity/customer.ts';
import { type Interaction, interactionId, type Kind } from '../../../core/interaction/interaction.ts';
import { firstReadFact, isKnown, messageState } from '../../../core/interaction/message-status.ts';
import { isReference, type Relations, relationOf, targetOf } from '../../../core/interaction/relation.ts';
import {
  conversationReadKey,
  interactionKey,
  type Key,
  keyText,
  messageKey,
  messageStatusKey,
} from '../../contracts/keys.ts';
import type {
  InteractionAddress,
  Reference,
  StoredInteraction,
  TimelineCursor,
  TimelineItem,
  TimelinePage,
  TimelineQuery,
  Timelines,
} from '../../contracts/ports/history.ts';
import {
  type InteractionRow,
  interactionOf,
  messagePointerOf,
  messageStatusOf,
  seenOf,
} from '../../contracts/rows/interactions.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Table } from '../clients/dynamo.ts';
import type { HashedKeys } from '../erasure/hashed-keys.ts';
import { statusKeyOf } from './message-status.ts';
import { timelineReader } from './timeline-reader.ts';

/**
 * Kinds that are shown with the message they report about and, once its status holds the report, not as items of their own.
 * Bounces, complaints and clicks are shown as both.
 */
const foldedKinds: ReadonlySet<Kind> = new Set<Kind>([
  'delivery-status',
  'read',
  'open',
  'edit',
  'delete',
  'reaction',
]);

/** Interactions read at a time, at least. */
const FEWEST_PER_READ = 25;
const SPARE = 5;
const EXCERPT_CHARACTERS = 140;

/** Pages of a customer's timeline. Rejects with `ZodError` where a row does not fit its schema. */
export const timelines = (table: Table, loadHashedKeys: () => Promise<HashedKeys>): Timelines => ({
  async page(customer, query) {
    const { seenKey } = await loadHashedKeys();
    const context = { customer, profileIds: profileIdsOf(customer), rows: readRows(table), seenKey };
    const { items, end } = await itemsOf(table, context, query);
    const shown = query.folded ? await withStatus(context, items) : items.map(withoutCustomer);
    return { ...cursors(query, end), items: isReadAsShown(query) ? shown : shown.toReversed() };
  },
});

/** What one page is built from. */
interface PageContext {
  readonly customer: Customer;
  readonly profileIds: ReadonlySet<string>;
  readonly rows: ReadRows;
  readonly seenKey: HashedKeys['seenKey'];
}

const profileIdsOf = ({ sourceProfiles }: Customer): Set<string> =>
  new Set(sourceProfiles.map(({ profile }) => profile.id));

/** Rows that were read for this page, each once. */
interface ReadRows {
  load(keys: readonly Key[]): Promise<void>;
  get(key: Key): Row | undefined;
}

const readRows = (table: Table): ReadRows => {
  const found = new Map<string, Row | undefined>();
  return {
    async load(keys) {
      const missing = keys.filter((key) => !found.has(keyText(key)));
      for (const key of missing) found.set(keyText(key), undefined);
      for (const row of await table.get(missing)) found.set(keyText(row), row);
    },
    get: (key) => found.get(keyText(key)),
  };
};

/** The end of a page in the direction of reading: the last interaction, and whether there are more behind it. */
interface End {
  readonly last: Pick<StoredInteraction, 'occurredAt' | 'id'> | undefined;
  readonly hasMore: boolean;
}

/** The interactions of a page, in the direction of reading. */
const itemsOf = async (
  table: Table,
  context: PageContext,
  query: TimelineQuery,
): Promise<{ items: StoredInteraction[]; end: End }> => {
  const reader = timelineReader(table, context.customer, query);
  const isFolded = (kind: Kind): boolean => query.folded && query.kinds.size === 0 && foldedKinds.has(kind);
  const items: StoredInteraction[] = [];
  let [examined, fewest, wanted] = [0, FEWEST_PER_READ, Math.max(query.limit, FEWEST_PER_READ)];
  for (;;) {
    const found = await reader.next(wanted);
    const foldable = found.filter(({ kind }) => isFolded(kind));
    await context.rows.load(foldable.flatMap((one) => foldingKeys(one, context)));
    for (const [position, one] of found.entries()) {
      if (isFolded(one.kind) && isInStatus(one, context)) continue;
      items.push(one);
      if (items.length === query.limit) {
        const hasMore = position + 1 < found.length || reader.hasMore();
        return { items, end: { last: one, hasMore } };
      }
    }
    if (!reader.hasMore() || !reader.canRead() || found.length < wanted)
      return { items, end: { last: reader.last(), hasMore: reader.hasMore() } };
    // As many as the share of items so far suggests, and a few to spare; more each time, so that the loop ends.
    examined += found.length;
    const perItem = examined / Math.max(items.length, 1);
    wanted = Math.max(fewest, Math.ceil((query.limit - items.length) * perItem) + SPARE);
    fewest *= 2;
  }
};

const withoutCustomer = ({ customer: _, ...interaction }: StoredInteraction): TimelineItem => interaction;

/** The rows that lead to the message to which an interaction refers: by its own id, or by the provider's id. */
const pointerKeys = ({ provider, account }: Interaction, ref: string, { seenKey }: PageContext): Key[] => [
  seenKey(interactionId(provider, account, ref)),
  messageKey(provider, ref),
];

const foldingKeys = (interaction: StoredInteraction, context: PageContext): Key[] => {
  const [ref, key] = [targetOf(interaction), statusKeyOf(interaction)];
  return [...(ref === undefined ? [] : pointerKeys(interaction, ref, context)), ...(key ? [key] : [])];
};

/** Whether the message that it reports about is this customer's, and its status holds the report. */
const isInStatus = (interaction: StoredInteraction, context: PageContext): boolean => {
  const [ref, key, relation] = [targetOf(interaction), statusKeyOf(interaction), relationOf(interaction)];
  if (key === undefined || relation === undefined) return false;
  if (ref !== undefined && targetAddress(interaction, ref, context) === undefined) return false;
  return isKnown(relationsIn(key, context), interaction.id, relation);
};

const relationsIn = (key: Key | undefined, { rows }: PageContext): Relations => {
  const row = key && rows.get(key);
  return row === undefined ? {} : messageStatusOf(row).relations;
};

/** The message to which an interaction refers, if it is this customer's and of the same account. */
const targetAddress = (
  interaction: StoredInteraction,
  ref: string,
  context: PageContext,
): InteractionAddress | undefined => {
  const { account } = interaction;
  const [ownKey, byProvider] = pointerKeys(interaction, ref, context).map(context.rows.get);
  const pointer = byProvider && messagePointerOf(byProvider);
  const isOther = account !== undefined && pointer?.account !== undefined && pointer.account !== account;
  const found = [ownKey && seenOf(ownKey).address, isOther ? undefined : pointer?.address];
  return found.find(
    (one) => one !== undefined && context.profileIds.has(one.profileId) && one.id !== interaction.id,
  );
};

/** The provider's id of the message that an interaction replies to or reports about. */
const referenceOf = (interaction: StoredInteraction): string | undefined => {
  const { refersTo } = interaction;
  return targetOf(interaction) ?? (isReference(refersTo) ? refersTo : undefined);
};

/** Items with their status and the messages that they refer to, in two reads: status rows and pointers, then interactions. */
const withStatus = async (
  context: PageContext,
  items: readonly StoredInteraction[],
): Promise<TimelineItem[]> => {
  const { rows, profileIds } = context;
  await rows.load(
    items.flatMap((item) => {
      const ref = referenceOf(item);
      const statusKeys = [ownStatusKey(item), conversationKeyOf(item)].filter((key) => key !== undefined);
      return [...statusKeys, ...(ref === undefined ? [] : pointerKeys(item, ref, context))];
    }),
  );
  const views = items.map((item) => {
    const relations = {
      ...relationsIn(ownStatusKey(item), context),
      ...firstReadFact(relationsIn(conversationKeyOf(item), context), item.occurredAt),
    };
    const { edited, status, ...rest } =
      targetOf(item) === undefined ? messageState(item, relations, profileIds) : {};
    const ref = referenceOf(item);
    const addressOf = (id: string | undefined): InteractionAddress | undefined => {
      const relation = id === undefined ? undefined : relations[id];
      return id === undefined || relation === undefined ? undefined : { ...relation, id };
    };
    return {
      ...{ item, rest, edited, status },
      edit: addressOf(edited?.interaction),
      failure: addressOf(status?.failed?.interaction),
      target: ref === undefined ? undefined : targetAddress(item, ref, context),
    };
  });
  await rows.load(
    views
      .flatMap(({ edit, failure, target }) => [edit, failure, target])
      .flatMap((address) => (address === undefined ? [] : [interactionKey(address)])),
  );
  const stored = (address: InteractionAddress | undefined): InteractionRow | undefined => {
    const row = address && rows.get(interactionKey(address));
    return row && interactionOf(row);
  };
  return views.map(({ item, rest, edited, status, edit, failure, target }) => {
    const reference = target && referenceTo(target, stored(target));
    const reason = reasonOf(stored(failure));
    return {
      ...withoutCustomer(item),
      ...rest,
      ...(status && { status: { ...status, ...(reason !== undefined && { reason }) } }),
      ...(edited && { edited: { ...edited, ...contentOf(stored(edit)) } }),
      ...(reference && (targetOf(item) === undefined ? { repliesTo: reference } : { about: reference })),
    };
  });
};

/** The status row of an item to which reports may refer. */
const ownStatusKey = (item: StoredInteraction): Key | undefined =>
  targetOf(item) === undefined && isReference(item.externalId)
    ? messageStatusKey(item.provider, item.externalId)
    : undefined;

/** The status row of the conversation in which an item was sent. */
const conversationKeyOf = ({
  profileId,
  provider,
  identifiers: [identifier],
  direction,
}: StoredInteraction) =>
  direction === 'outbound' && isReference(identifier)
    ? conversationReadKey(profileId, provider, identifier)
    : undefined;

const referenceTo = (
  { profileId, occurredAt, id }: InteractionAddress,
  stored: StoredInteraction | undefined,
): Reference | undefined => {
  if (stored === undefined) return undefined;
  const words = (stored.text ?? stored.subject ?? '').replaceAll(/\s+/gu, ' ').trim();
  const characters = [...words.slice(0, 4 * EXCERPT_CHARACTERS)];
  const excerpt = characters.slice(0, EXCERPT_CHARACTERS).join('');
  return { profileId, occurredAt, id, kind: stored.kind, ...(excerpt !== '' && { excerpt }) };
};

const contentOf = (edit: Interaction | undefined): Pick<Interaction, 'text' | 'subject' | 'attachments'> => ({
  ...(edit?.text !== undefined && { text: edit.text }),
  ...(edit?.subject !== undefined && { subject: edit.subject }),
  ...(edit?.attachments && { attachments: edit.attachments }),
});

/** Why a message failed, in the words and codes of its provider. */
const reasonOf = (failure: Interaction | undefined): string | undefined => {
  const { reason, detail, error, errorCode, code } = failure?.properties ?? {};
  const [text] = [reason, detail, error].filter((one) => typeof one === 'string' && one !== '');
  const [number] = [errorCode, code].filter((one) => typeof one === 'string' || typeof one === 'number');
  const known = [text, number].filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.map(String).join(' ');
};

/** Whether a page is read in the order in which it is shown. */
const isReadAsShown = ({ order, from }: TimelineQuery): boolean =>
  from === undefined || (from.toward === 'older') === (order === 'newest');

/** Onwards from behind the last interaction that was read; back from the other side of the place where this page began. */
const cursors = (query: TimelineQuery, { last, hasMore }: End): Omit<TimelinePage, 'items'> => {
  const { from, order } = query;
  const toward = from?.toward ?? (order === 'newest' ? 'older' : 'newer');
  const onwards: TimelineCursor | undefined =
    hasMore && last ? { toward, occurredAt: last.occurredAt, id: last.id, inclusive: false } : undefined;
  const back: TimelineCursor | undefined = from && {
    ...from,
    toward: toward === 'older' ? 'newer' : 'older',
    inclusive: !from.inclusive,
  };
  const [next, previous] = isReadAsShown(query) ? [onwards, back] : [back, onwards];
  return { ...(next && { next }), ...(previous && { previous }) };
};
