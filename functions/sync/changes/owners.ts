import { unknownState } from '../../../core/crm/state.ts';
import { isLinked, type Rules, type Subject, subjectsOf } from '../contacts/subjects.ts';
import type { SyncPorts } from '../ports.ts';

/** The customer whose a record is. */
export interface RecordOwner {
  /** With the source profile that is linked to the record: a customer who was merged may have several records. */
  readonly subject: Subject;
  /** Whether the customer is written to another record. */
  readonly isSpare: boolean;
}

/** By the CRM's ids, whose these records are; those of nobody are absent. */
export const recordOwners = async (
  {
    links,
    history,
  }: {
    readonly links: Pick<SyncPorts['links'], 'owners' | 'load'>;
    readonly history: Pick<SyncPorts['history'], 'customers'>;
  },
  rules: Rules,
  records: readonly string[],
): Promise<ReadonlyMap<string, RecordOwner>> => {
  const owners = await links.owners(records);
  const profileIds = [...new Set(owners.values())];
  const customers = await history.customers(profileIds);
  const { subjects } = await subjectsOf(links, rules, [...customers.values()]);
  const byCustomer = new Map(subjects.map((one) => [one.customer.id, one]));
  const states = await links.load(profileIds);
  return new Map(
    [...owners].flatMap(([id, owner]) => {
      const written = byCustomer.get(customers.get(owner)?.id ?? '');
      if (written === undefined) return [];
      const subject = { ...written, profileId: owner, state: states.get(owner) ?? unknownState };
      return [[id, { subject, isSpare: written.profileId !== owner && isLinked(written.state) }] as const];
    }),
  );
};
