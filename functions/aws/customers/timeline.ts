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
import { toldIn } from './message-status.ts';
import { timelineReader } from './timeline-reader.ts';

/**
 * Kinds that are told with the message they are about, and are no items of their own once they are. What closes an
 * address and what shows interest is both.
 */
const foldedKinds: ReadonlySet<Kind> = new Set<Kind>([
  'delivery-status',
  'read',
  'open',
  'edit',
  'delete',
  'reaction',
]);

/** Interactions looked at together, at least. */
const FEWEST_AT_ONCE = 25;
const SPARE = 5;
const EXCERPT_CHARACTERS = 140;

export const timelines = (table: Table, loadHashedKeys: () => Promise<HashedKeys>): Timelines => ({
  async page(customer, query) {
    const { seenKey } = await loadHashedKeys();
    const looking = { customer, profileIds: halvesOf(customer), known: knownRows(table), seenKey };
    const { items, end } = await itemsOf(table, looking, query);
    const shown = query.folded ? await viewed(looking, items) : items.map(withoutCustomer);
    return { ...cursors(query, end), items: isNatural(query) ? shown : shown.toReversed() };
  },
});

interface Looking {
  readonly customer: Customer;
  readonly profileIds: ReadonlySet<string>;
  readonly known: KnownRows;
  readonly seenKey: HashedKeys['seenKey'];
}

const halvesOf = ({ sourceProfiles }: Customer): Set<string> =>
  new Set(sourceProfiles.map(({ profile }) => profile.id));

/** Rows that were read for this page, each once. */
interface KnownRows {
  load(keys: readonly Key[]): Promise<void>;
  get(key: Key): Row | undefined;
}

const knownRows = (table: Table): KnownRows => {
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

/** Where a page ends in the direction of reading: at which interaction, and whether something lies behind it. */
interface End {
  readonly last: Pick<StoredInteraction, 'occurredAt' | 'id'> | undefined;
  readonly hasMore: boolean;
}

/** What a page shows, in the direction of reading. */
const itemsOf = async (
  table: Table,
  looking: Looking,
  query: TimelineQuery,
): Promise<{ items: StoredInteraction[]; end: End }> => {
  const reader = timelineReader(table, looking.customer, query);
  const isFolded = (kind: Kind): boolean => query.folded && query.kinds.size === 0 && foldedKinds.has(kind);
  const items: StoredInteraction[] = [];
  let [looked, fewest, wanted] = [0, FEWEST_AT_ONCE, Math.max(query.limit, FEWEST_AT_ONCE)];
  for (;;) {
    const taken = await reader.take(wanted);
    const foldable = taken.filter(({ kind }) => isFolded(kind));
    await looking.known.load(foldable.flatMap((one) => foldingKeys(one, looking)));
    for (const [position, one] of taken.entries()) {
      if (isFolded(one.kind) && isToldElsewhere(one, looking)) continue;
      items.push(one);
      if (items.length === query.limit) {
        const hasMore = position + 1 < taken.length || reader.hasMore();
        return { items, end: { last: one, hasMore } };
      }
    }
    if (!reader.hasMore() || !reader.mayRead() || taken.length < wanted)
      return { items, end: { last: reader.last(), hasMore: reader.hasMore() } };
    // A few more than show what is missing if it goes on like this; more each time, so that it comes to an end.
    looked += taken.length;
    const perItem = looked / Math.max(items.length, 1);
    wanted = Math.max(fewest, Math.ceil((query.limit - items.length) * perItem) + SPARE);
    fewest *= 2;
  }
};

const withoutCustomer = ({ customer: _, ...interaction }: StoredInteraction): TimelineItem => interaction;

/** The rows that name the message which an interaction refers to: by its own key, or by the provider's id. */
const pointerKeys = ({ provider, account }: Interaction, ref: string, { seenKey }: Looking): Key[] => [
  seenKey(interactionId(provider, account, ref)),
  messageKey(provider, ref),
];

const foldingKeys = (interaction: StoredInteraction, looking: Looking): Key[] => {
  const [ref, key] = [targetOf(interaction), toldIn(interaction)];
  return [...(ref === undefined ? [] : pointerKeys(interaction, ref, looking)), ...(key ? [key] : [])];
};

/** Whether the message that it is about is this person's, and tells what it says. */
const isToldElsewhere = (interaction: StoredInteraction, looking: Looking): boolean => {
  const [ref, key, relation] = [targetOf(interaction), toldIn(interaction), relationOf(interaction)];
  if (key === undefined || relation === undefined) return false;
  if (ref !== undefined && addressed(interaction, ref, looking) === undefined) return false;
  return isKnown(relationsIn(key, looking), interaction.id, relation);
};

const relationsIn = (key: Key | undefined, { known }: Looking): Relations => {
  const row = key && known.get(key);
  return row === undefined ? {} : messageStatusOf(row).relations;
};

/** Where the message lies that an interaction refers to, if it is this person's and of the same account. */
const addressed = (
  interaction: StoredInteraction,
  ref: string,
  looking: Looking,
): InteractionAddress | undefined => {
  const { account } = interaction;
  const [ownKey, byProvider] = pointerKeys(interaction, ref, looking).map(looking.known.get);
  const pointer = byProvider && messagePointerOf(byProvider);
  const isOther = account !== undefined && pointer?.account !== undefined && pointer.account !== account;
  const found = [ownKey && seenOf(ownKey).address, isOther ? undefined : pointer?.address];
  return found.find(
    (one) => one !== undefined && looking.profileIds.has(one.profileId) && one.id !== interaction.id,
  );
};

/** What an interaction answers to or is about, in its provider's words. */
const referenceOf = (interaction: StoredInteraction): string | undefined => {
  const { refersTo } = interaction;
  return targetOf(interaction) ?? (isReference(refersTo) ? refersTo : undefined);
};

/** Items with what became of them and what they answer to: a read for what is told, and one for the words of it. */
const viewed = async (looking: Looking, items: readonly StoredInteraction[]): Promise<TimelineItem[]> => {
  const { known, profileIds } = looking;
  await known.load(
    items.flatMap((item) => {
      const ref = referenceOf(item);
      const told = [standingKeyOf(item), readKeyOf(item)].filter((key) => key !== undefined);
      return [...told, ...(ref === undefined ? [] : pointerKeys(item, ref, looking))];
    }),
  );
  const told = items.map((item) => {
    const relations = {
      ...relationsIn(standingKeyOf(item), looking),
      ...firstReadFact(relationsIn(readKeyOf(item), looking), item.occurredAt),
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
      target: ref === undefined ? undefined : addressed(item, ref, looking),
    };
  });
  await known.load(
    told
      .flatMap(({ edit, failure, target }) => [edit, failure, target])
      .flatMap((address) => (address === undefined ? [] : [interactionKey(address)])),
  );
  const stored = (address: InteractionAddress | undefined): InteractionRow | undefined => {
    const row = address && known.get(interactionKey(address));
    return row && interactionOf(row);
  };
  return told.map(({ item, rest, edited, status, edit, failure, target }) => {
    const reference = target && referred(target, stored(target));
    const reason = reasonOf(stored(failure));
    return {
      ...withoutCustomer(item),
      ...rest,
      ...(status && { status: { ...status, ...(reason !== undefined && { reason }) } }),
      ...(edited && { edited: { ...edited, ...wordsOf(stored(edit)) } }),
      ...(reference && (targetOf(item) === undefined ? { repliesTo: reference } : { about: reference })),
    };
  });
};

/** Of what others may refer to. */
const standingKeyOf = (item: StoredInteraction): Key | undefined =>
  targetOf(item) === undefined && isReference(item.externalId)
    ? messageStatusKey(item.provider, item.externalId)
    : undefined;

/** What was read of the conversation in which something was sent. */
const readKeyOf = ({ profileId, provider, identifiers: [identifier], direction }: StoredInteraction) =>
  direction === 'outbound' && isReference(identifier)
    ? conversationReadKey(profileId, provider, identifier)
    : undefined;

const referred = (
  { profileId, occurredAt, id }: InteractionAddress,
  stored: StoredInteraction | undefined,
): Reference | undefined => {
  if (stored === undefined) return undefined;
  const words = (stored.text ?? stored.subject ?? '').replaceAll(/\s+/gu, ' ').trim();
  const characters = [...words.slice(0, 4 * EXCERPT_CHARACTERS)];
  const excerpt = characters.slice(0, EXCERPT_CHARACTERS).join('');
  return { profileId, occurredAt, id, kind: stored.kind, ...(excerpt !== '' && { excerpt }) };
};

const wordsOf = (edit: Interaction | undefined): Pick<Interaction, 'text' | 'subject' | 'attachments'> => ({
  ...(edit?.text !== undefined && { text: edit.text }),
  ...(edit?.subject !== undefined && { subject: edit.subject }),
  ...(edit?.attachments && { attachments: edit.attachments }),
});

const reasonOf = (failure: Interaction | undefined): string | undefined => {
  const { reason, detail, error, errorCode, code } = failure?.properties ?? {};
  const [said] = [reason, detail, error].filter((one) => typeof one === 'string' && one !== '');
  const [numbered] = [errorCode, code].filter((one) => typeof one === 'string' || typeof one === 'number');
  const told = [said, numbered].filter((one) => one !== undefined);
  return told.length === 0 ? undefined : told.map(String).join(' ');
};

/** Whether a page is read in the order in which it is shown. */
const isNatural = ({ order, from }: TimelineQuery): boolean =>
  from === undefined || (from.toward === 'older') === (order === 'newest');

/** The way on is behind the last that was read; the way back is the other side of where this page began. */
const cursors = (query: TimelineQuery, { last, hasMore }: End): Omit<TimelinePage, 'items'> => {
  const { from, order } = query;
  const toward = from?.toward ?? (order === 'newest' ? 'older' : 'newer');
  const on: TimelineCursor | undefined =
    hasMore && last ? { toward, occurredAt: last.occurredAt, id: last.id, inclusive: false } : undefined;
  const back: TimelineCursor | undefined = from && {
    ...from,
    toward: toward === 'older' ? 'newer' : 'older',
    inclusive: !from.inclusive,
  };
  const [next, previous] = isNatural(query) ? [on, back] : [back, on];
  return { ...(next && { next }), ...(previous && { previous }) };
};
