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
import { type Pausing, updateOptimistically } from '../clients/optimistic.ts';

/** What the interactions of a batch report about one message or conversation. */
interface Report {
  readonly key: Key;
  readonly interactions: readonly StoredInteraction[];
  readonly relations: Readonly<Record<string, Relation>>;
}

const SUBJECT = 'The status of a message';
/** Rows written at the same time. */
const CONCURRENT_ROWS = 10;
const DELETED_PER_TRANSACTION = 50;

/**
 * Keeps one status row per message: what later interactions report about it (delivery, reads, reactions, edits), also when
 * a report arrives before its message. `retentionSeconds`: how long interactions are stored after their receipt. Rejects
 * with `HubError` `write-conflict` (later).
 */
export const messageStatuses =
  (table: Table, runtime: Pausing, retentionSeconds: () => Promise<number>): Projection =>
  async ({ interactions }) => {
    const reports = reportsOf(interactions);
    if (reports.length === 0) return;
    const retention = await retentionSeconds();
    await updateRows(table, runtime, reports, ({ key, relations, interactions: own }, present) => {
      const next = mergeFacts(present?.relations ?? {}, relations);
      if (present !== undefined && haveSameFacts(next, present.relations)) return undefined;
      const expiries = own.map(({ receivedAt }) => Math.floor(Date.parse(receivedAt) / 1000) + retention);
      return {
        ...key,
        relations: next,
        version: (present?.version ?? 0) + 1,
        expiresAt: Math.max(present?.expiresAt ?? 0, ...expiries),
      };
    });
    await removeReportsOfErased(table, runtime, reports);
  };

const reportsOf = (interactions: readonly StoredInteraction[]): Report[] => {
  const reports = interactions.flatMap((interaction) => {
    const [key, relation] = [statusKeyOf(interaction), relationOf(interaction)];
    return key === undefined || relation === undefined ? [] : [{ interaction, relation, key }];
  });
  return [...Map.groupBy(reports, ({ key }) => keyText(key)).values()].flatMap((group) =>
    group.slice(0, 1).map(({ key }) => ({
      key,
      interactions: group.map(({ interaction }) => interaction),
      relations: Object.fromEntries(group.map(({ interaction, relation }) => [interaction.id, relation])),
    })),
  );
};

/** An interaction as far as it may report about a message. */
type Reporting = Omit<Interaction, 'id' | 'occurredAt'> & { readonly profileId: string };

/** The row that stores what an interaction reports about a message, or about a conversation that was read. */
export const statusKeyOf = (interaction: Reporting): Key | undefined => {
  const { provider, profileId } = interaction;
  const [target, read] = [targetOf(interaction), readIn(interaction)];
  if (target !== undefined) return messageStatusKey(provider, target);
  return read && conversationReadKey(profileId, provider, read.identifier);
};

/** Changes each row on the condition that it is as it was read. `change` returns undefined where nothing changes. */
const updateRows = async <Wanted extends { readonly key: Key }>(
  table: Table,
  runtime: Pausing,
  wanted: readonly Wanted[],
  change: (wanted: Wanted, present: MessageStatusRow | undefined) => (MessageStatusRow & Key) | undefined,
): Promise<void> => {
  let pending = [...wanted];
  if (pending.length === 0) return;
  await updateOptimistically(runtime, SUBJECT, async () => {
    const found = await table.get(pending.map(({ key }) => key));
    const present = new Map(found.map((row) => [keyText(row), messageStatusOf(row)]));
    const write = async (one: Wanted): Promise<boolean> => {
      const before = present.get(keyText(one.key));
      const next = change(one, before);
      if (next === undefined) return true;
      const condition = before === undefined ? ({ absent: true } as const) : { version: before.version };
      if (Object.keys(next.relations).length > 0) return table.put({ ...next }, condition);
      return table.transact([{ delete: one.key, if: condition }]);
    };
    const changed: Wanted[] = [];
    for (let start = 0; start < pending.length; start += CONCURRENT_ROWS) {
      const group = pending.slice(start, start + CONCURRENT_ROWS);
      const written = await Promise.all(group.map(write));
      changed.push(...group.filter((_, position) => written[position] !== true));
    }
    pending = changed;
    return pending.length === 0;
  });
};

/**
 * Removes the reports of interactions that an erasure removed between their reading and the writing of their reports. An
 * erasure that runs later finds the reports itself.
 */
const removeReportsOfErased = async (
  table: Table,
  runtime: Pausing,
  reports: readonly Report[],
): Promise<void> => {
  const all = reports.flatMap(({ interactions }) => interactions);
  const found = await table.get(all.map(interactionKey));
  const stored = new Set(found.map(keyText));
  const erased = all.filter((one) => !stored.has(keyText(interactionKey(one))));
  await removeReports(table, runtime, erased);
};

/**
 * Removes the pointers and status rows of the messages of these interactions, and what these interactions report about
 * messages of other customers. Rows that are absent are skipped. Rejects with `HubError` `write-conflict` (later).
 */
export const removeMessages = async (
  table: Table,
  runtime: Pausing,
  interactions: readonly Reporting[],
): Promise<void> => {
  const keys = interactions.flatMap((one) =>
    targetOf(one) === undefined && isReference(one.externalId)
      ? [messageKey(one.provider, one.externalId), messageStatusKey(one.provider, one.externalId)]
      : [],
  );
  const profileIds = new Set(interactions.map(({ profileId }) => profileId));
  // A provider may have given the same id to a message of another customer since.
  const found = (await table.get(keys)).filter(
    (row) => isMessageStatusKey(row) || profileIds.has(messagePointerOf(row).address.profileId),
  );
  for (let start = 0; start < found.length; start += DELETED_PER_TRANSACTION) {
    const deletes = found
      .slice(start, start + DELETED_PER_TRANSACTION)
      .map(({ pk, sk }) => ({ delete: { pk, sk } }));
    await updateOptimistically(runtime, SUBJECT, () => table.transact(deletes));
  }
  await removeReports(table, runtime, interactions);
};

const removeReports = async (
  table: Table,
  runtime: Pausing,
  interactions: readonly Reporting[],
): Promise<void> => {
  const reported = interactions.flatMap((interaction) => {
    const key = statusKeyOf(interaction);
    return key === undefined ? [] : [{ profileId: interaction.profileId, key }];
  });
  const wanted = [...Map.groupBy(reported, ({ key }) => keyText(key)).values()].flatMap((group) =>
    group
      .slice(0, 1)
      .map(({ key }) => ({ key, profileIds: new Set(group.map(({ profileId }) => profileId)) })),
  );
  await updateRows(table, runtime, wanted, ({ key, profileIds }, present) => {
    const remaining = Object.entries(present?.relations ?? {}).filter(
      ([, { profileId }]) => !profileIds.has(profileId),
    );
    if (present === undefined || remaining.length === Object.keys(present.relations).length) return undefined;
    return { ...key, ...present, relations: Object.fromEntries(remaining), version: present.version + 1 };
  });
};
