import { chooseRecord } from '../../../core/crm/adoption.ts';
import type { HeldRecord } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { planCreation, planUpdate, withoutWrite } from '../../../core/crm/state.ts';
import { afterOwners, firstChanges, takenOver } from './begin.ts';
import { guestsWithPerson } from './holder.ts';
import { type Subject, viewOf } from './subjects.ts';
import { type Change, contactKey, type Writing } from './write.ts';

interface Taken {
  readonly change: Change;
  readonly fault: CrmFault;
}

/**
 * What to write where another record holds a value that only one may hold: the CRM has named a record that is nobody's, which
 * is adopted; or that of a guest who is shown with this person, which becomes the person's; or one of a customer
 * whose value it is no longer, which gives it up first; or one that was merged into this one, which stays as it is, with
 * the value.
 */
export const resolveTakenValues = async (writing: Writing, taken: readonly Taken[]): Promise<Change[]> => {
  const { ports, session, rules } = writing;
  const { object, key, fields } = rules.mapping.contact;
  const ids = [...new Set(taken.flatMap(({ fault }) => fault.records))];
  const names = [...fields.writes.keys(), key];
  const records: ReadonlyMap<string, HeldRecord> =
    ids.length === 0 ? new Map() : await session.read(object, ids, names, ports.call);
  const owners = await ports.links.owners(ids);
  const erased = await ports.links.erased(ids);
  const shown = await guestsWithPerson(ports, [...new Set(owners.values())]);
  const changes: Change[] = [];
  for (const { change, fault } of taken) {
    const { subject } = change;
    const own = new Set(subject.customer.sourceProfiles.map(({ profile }) => profile.id));
    const others = fault.records.flatMap((id) => owners.get(id) ?? []);
    const [guest] = fault.records.flatMap((id) => {
      const [one, takeOver] = [shown.get(owners.get(id) ?? ''), records.get(id)];
      return one?.person === subject.customer.id && takeOver ? [{ takeOver, shown: one }] : [];
    });
    const merged = others.filter((owner) => own.has(owner) && owner !== subject.profileId);
    if (guest !== undefined) changes.push(...takenOver(writing, subject, guest));
    else if (merged.length > 0) changes.push(without(writing, change, merged));
    else if (others.length > 0) changes.push(...(await afterOwners(writing, change, others)));
    else {
      const free = fault.records.flatMap((id) => (erased.has(id) ? [] : (records.get(id) ?? [])));
      const place = chooseRecord([{ by: 'email', records: free }], rules.mapping.contact.ambiguous);
      // A person has decided against these records already: only the CRM's duplicate rules can be changed then.
      const isDecided = subject.state.unmatched === true;
      if ('create' in place || isDecided) writing.contacts.refused.set(subject.customer.id, fault);
      else changes.push(...(await firstChanges(writing, subject, place)));
    }
  }
  return changes;
};

/** The change without the identifiers of merged-in source profiles, whose own contacts keep them. */
const without = (
  { ports, rules }: Writing,
  { subject, record }: Change,
  merged: readonly string[],
): Change => {
  const { customer, state } = subject;
  const elsewhere = new Set(
    customer.sourceProfiles
      .filter(({ profile }) => merged.includes(profile.id))
      .flatMap(({ profile }) => profile.identifiers),
  );
  const seen = { ...subject, ...viewOf(customer, rules, elsewhere) };
  const { fields } = rules.mapping.contact;
  const { write, states } =
    record.id === undefined ? planCreation(fields, seen.ours) : planUpdate(fields, seen.ours, state.fields);
  return {
    subject,
    // The values that were left out are no change from now on.
    states: { ...states, ...leftOut(subject, seen) },
    record: { ...record, key: contactKey(ports, subject), fields: write },
  };
};

const leftOut = (whole: Subject, seen: Subject): Change['states'] =>
  Object.fromEntries(
    Object.entries(whole.ours.values).flatMap(([name, value]) =>
      seen.ours.values[name] === value ? [] : [[name, withoutWrite(whole.state.fields[name], value)]],
    ),
  );
