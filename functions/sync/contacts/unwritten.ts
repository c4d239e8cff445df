import type { SyncPorts } from '../ports.ts';
import { queueSince } from './queue-since.ts';
import { profileIdsOf, type Subject } from './subjects.ts';
import type { Contacts } from './write.ts';

/**
 * Queues what was left out while customers had no contact, for those who have one now. The note is removed after that, so that
 * a worker that ends in between queues the same again.
 */
export const queueUnwritten = async (
  ports: Pick<SyncPorts, 'history' | 'queueAgain' | 'links'>,
  subjects: readonly Subject[],
  { ids }: Pick<Contacts, 'ids'>,
): Promise<void> => {
  for (const { customer, unwrittenSince } of subjects) {
    if (unwrittenSince === undefined || !ids.has(customer.id)) continue;
    await queueSince(ports, customer, unwrittenSince);
    for (const [profileId, state] of await ports.links.load(profileIdsOf(customer))) {
      const { unwrittenSince: noted, ...rest } = state;
      if (noted !== undefined) await ports.links.save(profileId, rest);
    }
  }
};
