import { HubError } from '../../../core/errors.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { haveSameFacts, mergeFacts } from '../../../core/interaction/message-status.ts';
import {
  isReference,
  type Relation,
  readIn,
  relationOf,
  targetOf,
} from '../../../core/interaction/relation.ts';
import {
  conversationReadKey,
  interactionKey,
  isMessageStatusKey,
  type Key,
  keyText,
  messageKey,
  messageStatusKey,
} from '../../contracts/keys.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import type { Projection } from '../../contracts/ports/projections.ts';
import {
  type MessageStatusRow,
  messagePointerOf,
  messageStatusOf,
} from '../../contracts/rows/interactions.ts';
import type { Table } from '../clients/dynamo.ts';

/** What some interactions say about one message. */
interface News {
  readonly key: Key;
  readonly interactions: readonly StoredInteraction[];
  readonly relations: Readonly<Record<string, Relation>>;
}

/** How often a row that others write at the same time is tried again at once. The queue tries later still. */
const ATTEMPTS = 8;
/** Rows written at the same time. */
const AT_ONCE = 10;
const DELETED_AT_ONCE = 50;

/**
 * Keeps what became of messages: what later interactions say about a message is added to one row of it, also before the
 * message itself has come. `retentionSeconds` is how long interactions are kept after they were received.
 */
export const standings =
  (table: Table, retentionSeconds: () => Promise<number>): Projection =>
  async ({ interactions }) => {
    const news = newsOf(interactions);
    if (news.length === 0) return;
    const retention = await retentionSeconds();
    await untilWritten(table, news, ({ key, relations, interactions: told }, present) => {
      const next = mergeFacts(present?.relations ?? {}, relations);
      if (present !== undefined && haveSameFacts(next, present.relations)) return undefined;
      const expiries = told.map(({ receivedAt }) => Math.floor(Date.parse(receivedAt) / 1000) + retention);
      return {
        ...key,
        relations: next,
        version: (present?.version ?? 0) + 1,
        expiresAt: Math.max(present?.expiresAt ?? 0, ...expiries),
      };
    });
    await takeBackErased(table, news);
  };

const newsOf = (interactions: readonly StoredInteraction[]): News[] => {
  const told = interactions.flatMap((interaction) => {
    const [key, relation] = [toldIn(interaction), relationOf(interaction)];
    return key === undefined || relation === undefined ? [] : [{ interaction, relation, key }];
  });
  return [...Map.groupBy(told, ({ key }) => keyText(key)).values()].flatMap((group) =>
    group.slice(0, 1).map(({ key }) => ({
      key,
      interactions: group.map(({ interaction }) => interaction),
      relations: Object.fromEntries(group.map(({ interaction, relation }) => [interaction.id, relation])),
    })),
  );
};

const writeConflict = (): HubError =>
  new HubError(
    'write-conflict',
    `What became of a message was changed ${ATTEMPTS} times in between; the queue delivers the message again.`,
    { retry: 'later' },
  );

/** The row that keeps what an interaction says about a message, or about a conversation. */
export const toldIn = (interaction: Teller): Key | undefined => {
  const { provider, profileId } = interaction;
  const [ref, read] = [targetOf(interaction), readIn(interaction)];
  if (ref !== undefined) return messageStatusKey(provider, ref);
  return read && conversationReadKey(profileId, provider, read.identifier);
};

type Change = MessageStatusRow & Key;

/** Changes rows as they stand; those that others have changed in between are read and tried again. */
const untilWritten = async <Wanted extends { readonly key: Key }>(
  table: Table,
  wanted: readonly Wanted[],
  change: (wanted: Wanted, present: MessageStatusRow | undefined) => Change | undefined,
): Promise<void> => {
  let waiting = [...wanted];
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (attempt === ATTEMPTS) throw writeConflict();
    const found = await table.get(waiting.map(({ key }) => key));
    const present = new Map(found.map((row) => [keyText(row), messageStatusOf(row)]));
    const write = async (one: Wanted): Promise<boolean> => {
      const before = present.get(keyText(one.key));
      const next = change(one, before);
      if (next === undefined) return true;
      const condition = before === undefined ? ({ absent: true } as const) : { version: before.version };
      if (Object.keys(next.relations).length > 0) return table.put({ ...next }, condition);
      return table.transact([{ delete: one.key, if: condition }]);
    };
    const missed: Wanted[] = [];
    for (let at = 0; at < waiting.length; at += AT_ONCE) {
      const some = waiting.slice(at, at + AT_ONCE);
      const written = await Promise.all(some.map(write));
      missed.push(...some.filter((_, position) => written[position] !== true));
    }
    waiting = missed;
  }
};

/**
 * An erasure that ran between reading the interactions and writing what they say has left this behind. One that comes
 * later finds it.
 */
const takeBackErased = async (table: Table, news: readonly News[]): Promise<void> => {
  const all = news.flatMap(({ interactions }) => interactions);
  const found = await table.get(all.map(interactionKey));
  const standing = new Set(found.map(keyText));
  const gone = all.filter((one) => !standing.has(keyText(interactionKey(one))));
  if (gone.length > 0) await forgetTold(table, gone);
};

type Teller = Omit<Interaction, 'id' | 'occurredAt'> & { readonly profileId: string };

/**
 * Removes what names the messages of these interactions by the provider's ids, with what became of them; and what these
 * interactions say about other people's messages. What is gone already is passed by.
 */
export const forgetMessages = async (table: Table, interactions: readonly Teller[]): Promise<void> => {
  const keys = interactions.flatMap((one) =>
    targetOf(one) === undefined && isReference(one.externalId)
      ? [messageKey(one.provider, one.externalId), messageStatusKey(one.provider, one.externalId)]
      : [],
  );
  const profileIds = new Set(interactions.map(({ profileId }) => profileId));
  // The same id may name a message of somebody else by now.
  const found = (await table.get(keys)).filter(
    (row) => isMessageStatusKey(row) || profileIds.has(messagePointerOf(row).address.profileId),
  );
  for (let at = 0; at < found.length; at += DELETED_AT_ONCE) {
    const some = found.slice(at, at + DELETED_AT_ONCE);
    if (!(await table.transact(some.map(({ pk, sk }) => ({ delete: { pk, sk } }))))) throw writeConflict();
  }
  await forgetTold(table, interactions);
};

const forgetTold = async (table: Table, tellers: readonly Teller[]): Promise<void> => {
  const told = tellers.flatMap((teller) => {
    const key = toldIn(teller);
    return key === undefined ? [] : [{ profileId: teller.profileId, key }];
  });
  const wanted = [...Map.groupBy(told, ({ key }) => keyText(key)).values()].flatMap((group) =>
    group
      .slice(0, 1)
      .map(({ key }) => ({ key, profileIds: new Set(group.map(({ profileId }) => profileId)) })),
  );
  await untilWritten(table, wanted, ({ key, profileIds }, present) => {
    const kept = Object.entries(present?.relations ?? {}).filter(
      ([, { profileId }]) => !profileIds.has(profileId),
    );
    if (present === undefined || kept.length === Object.keys(present.relations).length) return undefined;
    return { ...key, ...present, relations: Object.fromEntries(kept), version: present.version + 1 };
  });
};
