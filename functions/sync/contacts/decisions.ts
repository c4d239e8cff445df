import { HubError } from '../../../core/errors.ts';
import type { DecidedMessage } from '../../contracts/messages/sync.ts';
import type { SyncPorts, Unsynced, Waiting } from '../ports.ts';
import type { Queued } from '../sync.ts';
import { queueSince } from './queue-since.ts';
import { beingWritten } from './write.ts';

type DecisionPorts = Pick<
  SyncPorts,
  'title' | 'links' | 'history' | 'queueAgain' | 'saveFailure' | 'publishFailed'
>;

/**
 * Carries out what people decided about customers with several records: one becomes the customer's, or a new one may be made
 * without a look-up. Everything that was not written until then is queued again. Returns the messages to queue again.
 */
export const applyDecisions =
  (ports: DecisionPorts) =>
  async (batch: readonly Queued<DecidedMessage>[]): Promise<Unsynced> => {
    const waiting = new Map<string, Waiting>();
    for (const { id, message } of batch)
      if (!(await applyDecision(ports, id, message.decided))) waiting.set(id, { error: beingWritten(ports) });
    return waiting;
  };

/** False where another worker is at the same contact. A decision that is delivered again queues the same again. */
const applyDecision = async (
  ports: DecisionPorts,
  message: string,
  { profileId, record }: DecidedMessage['decided'],
): Promise<boolean> => {
  const { links, history } = ports;
  const customer = await history.customer(profileId);
  const state = (await links.load([profileId])).get(profileId);
  const since = state?.undecidedSince ?? state?.decidedSince;
  if (customer === undefined || state === undefined || since === undefined) return true;
  if (state.undecidedSince === undefined) return queueSince(ports, customer, since);
  const { undecidedSince: _, goneAt: __, ...decided } = state;
  if (record === undefined) {
    const next = { ...decided, unmatched: true as const, decidedSince: since };
    return (await links.save(profileId, next)) && queueSince(ports, customer, since);
  }
  const owner = (await links.owners([record])).get(record);
  if (owner !== undefined && owner !== profileId && !customer.guest) {
    const error = taken(ports);
    await ports.saveFailure(message, error);
    await ports.publishFailed(customer.id, error);
    return true;
  }
  const next = { ...decided, record, fields: {}, decidedSince: since };
  // A record that was found for a guest gets the guest's activity and no field, and is not the guest's.
  const isSaved = customer.guest
    ? await links.save(profileId, { ...next, activityOnly: true })
    : await links.save(profileId, next, record);
  return isSaved && queueSince(ports, customer, since);
};

const taken = ({ title }: Pick<SyncPorts, 'title'>): HubError =>
  new HubError(
    'crm-record-taken',
    `The record in ${title} that was chosen is the contact of another customer by now. Merge the two customers, or choose another record, then replay.`,
    { retry: 'never' },
  );
