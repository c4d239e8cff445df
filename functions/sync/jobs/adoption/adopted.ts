import type { HeldRecord } from '../../../../core/crm/connector.ts';
import { isReserved } from '../../../../core/crm/reservation.ts';
import { planAdoption } from '../../../../core/crm/state.ts';
import { firstChanges } from '../../contacts/begin.ts';
import { isLinked, isStale, type Subject } from '../../contacts/subjects.ts';
import { beingWritten, type Change, changeOf, type Writing } from '../../contacts/write.ts';
import type { Adopting } from './context.ts';
import { judgePage } from './judge.ts';

/** A record of the CRM that was read just now, and the customer whose contact it is. */
export interface Adopted {
  readonly subject: Subject;
  readonly record: HeldRecord;
}

/** The records of a page that are customers' whom the hub knows by now, one for each customer. */
export const adoptedOf = async (
  adopting: Adopting,
  records: readonly HeldRecord[],
): Promise<readonly Adopted[]> => {
  const byCustomer = new Map<string, Adopted>();
  for (const one of await judgePage(adopting, records))
    if (one.fate === 'linked' && one.subject !== undefined && !byCustomer.has(one.subject.customer.id))
      byCustomer.set(one.subject.customer.id, { subject: one.subject, record: one.record });
  return [...byCustomer.values()];
};

/**
 * What makes records the contacts of customers: the hub's key and what a record lacks is written to it. Nothing is looked up.
 * Customers who have another contact, who are not synchronised, or for whom a person has to decide are left out. `job`: the
 * job that adopts, which may write what it has reserved itself.
 */
export const changesOf = async (
  writing: Writing,
  adopted: readonly Adopted[],
  job: string,
): Promise<Change[]> => {
  const changes: Change[] = [];
  for (const one of adopted) changes.push(...(await changesFor(writing, one, job)));
  return changes;
};

const changesFor = async (
  writing: Writing,
  { subject, record }: Adopted,
  job: string,
): Promise<readonly Change[]> => {
  const { ports, rules, contacts } = writing;
  const { contact } = rules.mapping;
  const { customer, state, view, ours } = subject;
  if (!contact.includes(view) || state.undecidedSince !== undefined) return [];
  const hasContact = isLinked(state);
  const isLinkedOnly = hasContact && state.record === record.id && Object.keys(state.fields).length === 0;
  if (state.object === undefined && ((hasContact && !isLinkedOnly) || state.activityOnly)) return [];
  if (isReserved(state, ports.now(), job) || isStale(subject)) {
    contacts.waiting.set(customer.id, { error: beingWritten(ports, state) });
    return [];
  }
  // What the record of an imported customer holds came with the import.
  if (isLinkedOnly && !customer.guest && !state.adopting) {
    const plan = planAdoption(contact.fields, ours, record);
    // A worker that ended after it had reserved the contact may not have recorded what the record adds.
    const unrecorded = state.bulk === undefined ? undefined : record;
    return [{ ...changeOf(ports, subject, plan, record.id, unrecorded), read: record }];
  }
  return firstChanges(writing, subject, { adopt: record });
};
