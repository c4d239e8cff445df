import type { CrmSession, HeldRecord } from '../../../../core/crm/connector.ts';
import { planAdoption } from '../../../../core/crm/state.ts';
import { firstChange } from '../../contacts/begin.ts';
import { resolveTakenValues } from '../../contacts/release.ts';
import { isStale, type Rules, type Subject } from '../../contacts/subjects.ts';
import {
  beingWritten,
  type Change,
  type Contacts,
  changeOf,
  type Writing,
  write,
} from '../../contacts/write.ts';
import type { SyncPorts } from '../../ports.ts';

/** A record of the CRM that was read just now, and the customer whose contact it is. */
export interface Adopted {
  readonly subject: Subject;
  readonly record: HeldRecord;
}

/**
 * Makes records the contacts of customers: the hub's key and what a record lacks is written to it. Nothing is looked up.
 * Customers who have another contact, who are not synchronised, or for whom a person has to decide are left out.
 */
export const writeAdopted = async (
  ports: SyncPorts,
  session: CrmSession,
  rules: Rules,
  adopted: readonly Adopted[],
): Promise<Contacts> => {
  const contacts: Contacts = { ids: new Map(), waiting: new Map(), refused: new Map() };
  const writing = { ports, session, rules, contacts };
  const changes: Change[] = [];
  for (const one of adopted) {
    const change = await changeFor(writing, one);
    if (change) changes.push(change);
  }
  const taken = await write(writing, changes);
  if (taken.length > 0) await write(writing, await resolveTakenValues(writing, taken));
  return contacts;
};

const changeFor = async (writing: Writing, { subject, record }: Adopted): Promise<Change | undefined> => {
  const { ports, rules, contacts } = writing;
  const { contact } = rules.mapping;
  const { customer, state, view, ours } = subject;
  if (!contact.includes(view) || state.undecidedSince !== undefined) return undefined;
  const hasContact = state.record !== undefined && state.goneAt === undefined;
  const isLinkedOnly = hasContact && state.record === record.id && Object.keys(state.fields).length === 0;
  if ((hasContact && !isLinkedOnly) || state.activityOnly) return undefined;
  if ((state.reservedUntil ?? 0) > ports.now() || isStale(subject)) {
    contacts.waiting.set(customer.id, { error: beingWritten(ports) });
    return undefined;
  }
  // What the record of an imported customer holds came with the import.
  if (isLinkedOnly && !customer.guest)
    return {
      ...changeOf(ports, subject, planAdoption(contact.fields, ours, record), record.id),
      read: record,
    };
  return firstChange(writing, subject, { adopt: record });
};
