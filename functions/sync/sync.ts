import type { CrmSession } from '../../core/crm/connector.ts';
import { HubError } from '../../core/errors.ts';
import type { Customer } from '../../core/identity/customer.ts';
import type { SyncMessage } from '../contracts/messages/sync.ts';
import { interactionsOf, logInteractions } from './activities.ts';
import { logCases } from './cases/cases.ts';
import type { CaseBatch } from './cases/parties.ts';
import { writeContacts } from './contacts/contacts.ts';
import { relink } from './contacts/relink.ts';
import { customersOf, type Rules, type Subject, subjectsOf } from './contacts/subjects.ts';
import { queueUnwritten } from './contacts/unwritten.ts';
import type { SyncPorts, Unsynced, Waiting } from './ports.ts';

export interface Queued<Message = SyncMessage> {
  /** The id of the message in the queue. */
  readonly id: string;
  readonly message: Message;
}

/**
 * Writes the customers of a batch and their interactions into the CRM by the hub's own keys. It writes the newest state, so
 * that the CRM converges whatever the order of events. One refused record is a failure of its own. Returns the messages to
 * queue again, each with the reason.
 */
export const sync =
  (ports: SyncPorts) =>
  async (batch: readonly Queued[]): Promise<Unsynced> => {
    if (batch.length === 0) return new Map();
    const rules = { mapping: await ports.mapping(), identity: await ports.identity() };
    const customers = await customersOf(ports, [...new Set(batch.map(({ message }) => message.profileId))]);
    try {
      const session = await ports.open();
      return await syncBatch(ports, session, rules, batch, customers);
    } catch (error) {
      const known = knownError(ports, error);
      return new Map(batch.map(({ id }): [string, Waiting] => [id, { error: known }]));
    }
  };

const syncBatch = async (
  ports: SyncPorts,
  session: CrmSession,
  rules: Rules,
  batch: readonly Queued[],
  customers: ReadonlyMap<string, Customer>,
): Promise<Unsynced> => {
  const unsynced = new Map<string, Waiting>();
  const { subjects, refused } = await subjectsOf(ports.links, rules, [...customers.values()]);
  const messages = batch.map(({ message }) => message);
  const linked = await relink(ports, messages, subjects);
  const dated = linked.subjects.map((subject) => ({ ...subject, ...earliestOf(subject, messages) }));
  const contacts = await writeContacts(ports, session, rules, dated);
  await queueUnwritten(ports, dated, contacts);
  const interactions = await interactionsOf(ports, messages, customers, contacts.ids);
  const logged = await logBatch(ports, session, rules, {
    messages,
    interactions,
    customers,
    contacts: contacts.ids,
  });
  for (const { id, message } of batch) {
    const customer = customers.get(message.profileId);
    if (customer === undefined) continue;
    const { interaction = '' } = message;
    const waiting =
      linked.waiting.get(customer.id) ??
      contacts.waiting.get(customer.id) ??
      logged.waiting(customer.id, interaction);
    const error =
      refused.get(customer.id) ??
      contacts.refused.get(customer.id) ??
      logged.refused(customer.id, interaction);
    if (error === undefined && waiting !== undefined) unsynced.set(id, waiting);
    if (error === undefined) continue;
    await ports.saveFailure(id, error);
    await ports.publishFailed(customer.id, error);
  }
  return unsynced;
};

/** Activities and cases. What is told of the customer concerns messages without an interaction. */
const logBatch = async (
  ports: SyncPorts,
  session: CrmSession,
  rules: Rules,
  batch: CaseBatch,
): Promise<{
  readonly waiting: (customer: string, interaction: string) => Waiting | undefined;
  readonly refused: (customer: string, interaction: string) => HubError | undefined;
}> => {
  const activities = await logInteractions(ports, session, rules, batch);
  const cases = await logCases(ports, session, rules, batch);
  return {
    waiting: (customer, interaction) =>
      activities.waiting.get(interaction) ?? cases.waiting.get(interaction || customer),
    refused: (customer, interaction) =>
      activities.refused.get(interaction) ?? cases.refused.get(interaction || customer),
  };
};

/** When the earliest of these messages' interactions of a customer occurred. */
export const earliestOf = (
  { customer }: Subject,
  messages: readonly SyncMessage[],
): Pick<Subject, 'since'> => {
  const own = new Set(customer.sourceProfiles.map(({ profile }) => profile.id));
  const [since] = messages
    .flatMap(({ profileId, occurredAt }) =>
      own.has(profileId) && occurredAt !== undefined ? [occurredAt] : [],
    )
    .toSorted();
  return since === undefined ? {} : { since };
};

/** An error of an unknown kind is retried: nothing is known of the records. */
export const knownError = ({ title }: Pick<SyncPorts, 'title'>, error: unknown): HubError =>
  error instanceof HubError
    ? error
    : new HubError('sync-failure', `The sync with ${title} failed; the queue retries the records.`, {
        retry: 'later',
        cause: error,
      });
