import type { Customer } from '../../../core/identity/customer.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import type { SyncMessage } from '../../contracts/messages/sync.ts';
import type { SyncPorts } from '../ports.ts';

const MESSAGES_PER_CALL = 500;

/** Queues a customer and every interaction since an instant. */
export const queueSince = async (
  ports: Pick<SyncPorts, 'history' | 'queueAgain'>,
  customer: Customer,
  since: Instant,
): Promise<true> => {
  let messages: SyncMessage[] = [{ profileId: customer.id }];
  const before = new Date(Date.parse(since) - 1).toISOString();
  for await (const { profileId, id: interaction, occurredAt } of ports.history.timeline(customer, {
    after: before,
  })) {
    messages.push({ profileId, interaction, occurredAt });
    if (messages.length < MESSAGES_PER_CALL) continue;
    await ports.queueAgain(messages);
    messages = [];
  }
  await ports.queueAgain(messages);
  return true;
};
