import type { Instant } from '../../../../core/interaction/interaction.ts';
import type { Directory } from '../../../aws/customers/lists/directory.ts';
import type { SyncMessage } from '../../../contracts/messages/sync.ts';
import type { StoredInteraction } from '../../../contracts/ports/history.ts';
import type { SyncPorts } from '../../ports.ts';
import type { Place } from './checkpoint.ts';

export interface BatchPorts {
  readonly sync: Pick<SyncPorts, 'history' | 'links'>;
  readonly directory: Directory;
  /** Customers and interactions that are written at once. */
  readonly batch: number;
}

/** A message, with its interaction if it is about one. */
export interface Entry {
  readonly message: SyncMessage;
  readonly interaction?: StoredInteraction;
}

export interface Batch {
  readonly entries: readonly Entry[];
  readonly next: Place;
  readonly isLast: boolean;
}

const CUSTOMERS_PER_PAGE = 100;

/** Batches from a place on, until they have so many messages. */
export async function* batchesFrom(
  ports: BatchPorts,
  place: Place,
  since: Instant | undefined,
  most: number,
): AsyncGenerator<Batch> {
  let [read, from] = [0, place];
  while (read < most) {
    const batch = await nextBatch(ports, from, since);
    yield batch;
    if (batch.isLast) return;
    read += batch.entries.length;
    from = batch.next;
  }
}

/** The messages of the next customers: each customer, and what they did. */
export const nextBatch = async (
  { sync, directory, batch: size }: BatchPorts,
  { cursor, customers: done, upTo, counts }: Place,
  since: Instant | undefined,
): Promise<Batch> => {
  const page = await directory.page(cursor, Math.max(CUSTOMERS_PER_PAGE, size / 2));
  const customers = await sync.history.customers(page.ids);
  const states = await sync.links.load(page.ids);
  const entries: Entry[] = [];
  let [position, interactions, after] = [done, 0, upTo];
  for (; position < page.ids.length; position++) {
    const id = page.ids[position] ?? '';
    const customer = customers.get(id);
    const isChanged = since === undefined || states.has(id) || (customer?.lastSeenAt ?? '') >= since;
    if (customer === undefined || customer.id !== id || !isChanged) continue;
    if (after === undefined) entries.push({ message: { profileId: id } });
    const from = after ?? since;
    let last: StoredInteraction | undefined;
    for await (const one of sync.history.timeline(customer, { ...(from !== undefined && { after: from }) })) {
      // A batch ends between two instants, so that the next one can begin there.
      if (entries.length >= size && last !== undefined && one.occurredAt > last.occurredAt)
        return batchUpTo({ cursor, position, upTo: last.occurredAt, entries, interactions, done, counts });
      const { profileId, id: interaction, occurredAt } = one;
      entries.push({ message: { profileId, interaction, occurredAt }, interaction: one });
      last = one;
      interactions++;
    }
    after = undefined;
    if (entries.length >= size && position + 1 < page.ids.length)
      return batchUpTo({ cursor, position: position + 1, entries, interactions, done, counts });
  }
  const next = {
    ...(page.next !== undefined && { cursor: page.next }),
    ...{ customers: 0, tries: 0, counts: sum(counts, page.ids.length - done, interactions) },
  };
  return { entries, next, isLast: page.next === undefined };
};

const sum = (counts: Place['counts'], customers: number, interactions: number): Place['counts'] => ({
  customers: counts.customers + customers,
  interactions: counts.interactions + interactions,
});

const batchUpTo = (place: {
  readonly cursor: string | undefined;
  readonly position: number;
  readonly upTo?: Instant;
  readonly entries: readonly Entry[];
  readonly interactions: number;
  readonly done: number;
  readonly counts: Place['counts'];
}): Batch => ({
  entries: place.entries,
  isLast: false,
  next: {
    ...(place.cursor !== undefined && { cursor: place.cursor }),
    ...(place.upTo !== undefined && { upTo: place.upTo }),
    ...{ customers: place.position, tries: 0 },
    counts: sum(place.counts, place.position - place.done, place.interactions),
  },
});
