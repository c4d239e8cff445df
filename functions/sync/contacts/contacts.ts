import type { CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import { isReserved } from '../../../core/crm/reservation.ts';
import { fieldsWithoutBase, planAdoption, planUpdate } from '../../../core/crm/state.ts';
import type { SyncPorts } from '../ports.ts';
import { firstChanges, logAtFoundRecord } from './begin.ts';
import { withCompanies } from './companies.ts';
import { findRecords, type Place } from './find.ts';
import { resolveTakenValues } from './release.ts';
import { isLinked, isStale, type Rules, type Subject, valuesOfType } from './subjects.ts';
import {
  beingWritten,
  type Change,
  type Contacts,
  changeOf,
  isParked,
  unlink,
  type Writing,
  write,
} from './write.ts';

/** Writes what differs of these customers, after it has found those that the CRM knows already. */
export const writeContacts = async (
  ports: SyncPorts,
  session: CrmSession,
  rules: Rules,
  subjects: readonly Subject[],
): Promise<Contacts> => {
  const contacts: Contacts = { ids: new Map(), waiting: new Map(), refused: new Map() };
  const writing = { ports, session, rules, contacts };
  await writeChanges(writing, await planContacts(writing, subjects));
  return contacts;
};

/** What has to be written for these customers, of whom those without a contact are looked up. */
export const planContacts = async (writing: Writing, subjects: readonly Subject[]): Promise<Change[]> => {
  const open = subjects.filter((subject) => isOpen(writing, subject));
  const linked = open.filter(({ state }) => isLinked(state));
  const unlinked = open.filter(({ state }) => !isLinked(state));
  const beginnings = await withCompanies(writing, await beginningsOf(writing, unlinked));
  return [...(await updatesOf(writing, linked)), ...beginnings];
};

/** Writes contacts; a value that another record holds is resolved first. */
export const writeChanges = async (writing: Writing, changes: readonly Change[]): Promise<void> => {
  const taken = await write(writing, changes);
  if (taken.length > 0) await write(writing, await resolveTakenValues(writing, taken));
};

/** Whether something may be written for a customer now. */
const isOpen = ({ ports, rules, contacts }: Writing, subject: Subject): boolean => {
  const { contact } = rules.mapping;
  const { customer, state, view } = subject;
  if (!contact.includes(view) || state.undecidedSince !== undefined) return false;
  if (state.goneAt !== undefined && !contact.recreate) return false;
  if (isReserved(state, ports.now()) || isStale(subject)) {
    contacts.waiting.set(customer.id, { error: beingWritten(ports, state) });
    return false;
  }
  if (!ports.parked.has(contact.object)) return true;
  contacts.waiting.set(customer.id, { error: isParked(ports, contact.object), object: contact.object });
  return false;
};

/** The changes of contacts that are known. Where it is not known what they hold, they are read first. */
const updatesOf = async (writing: Writing, linked: readonly Subject[]): Promise<Change[]> => {
  const { ports, session, rules, contacts } = writing;
  const { object, key, fields } = rules.mapping.contact;
  const names = [...fields.writes.keys()];
  const unknown = linked.filter(
    ({ state, ours }) =>
      state.object !== undefined ||
      (!state.activityOnly && fieldsWithoutBase(fields, ours.values, state.fields).length > 0),
  );
  const held =
    unknown.length === 0
      ? new Map<string, HeldRecord>()
      : await session.read(object, unknown.map(recordOf), [...names, key], ports.call);
  const changes: Change[] = [];
  for (const subject of linked) {
    const id = recordOf(subject);
    if (!unknown.includes(subject)) {
      const plan = subject.state.activityOnly
        ? undefined
        : planUpdate(fields, subject.ours, subject.state.fields);
      if (plan === undefined || Object.keys(plan.write).length === 0)
        contacts.ids.set(subject.customer.id, id);
      else changes.push(changeOf(ports, subject, plan, id));
      continue;
    }
    const record = held.get(id);
    if (record === undefined) await unlink(writing, subject);
    else changes.push(...(await changesOfRead(writing, subject, record)));
  }
  return changes;
};

/** Nothing is written to a record of another object, until it has become a contact. */
const changesOfRead = async (
  writing: Writing,
  subject: Subject,
  record: HeldRecord,
): Promise<readonly Change[]> => {
  const { ports, contacts } = writing;
  const { customer, state } = subject;
  const isSame = record.id === state.record && record.object === state.object;
  if (isSame && state.activityOnly) {
    contacts.ids.set(customer.id, record.id);
    return [];
  }
  if (record.object !== undefined || (customer.guest && state.object !== undefined)) {
    await logAtFoundRecord(writing, subject, record);
    return [];
  }
  if (state.object === undefined) return [readChange(writing, subject, record)];
  const owner = (await ports.links.owners([record.id])).get(record.id);
  const isFree = owner === undefined || customer.sourceProfiles.some(({ profile }) => profile.id === owner);
  return firstChanges(writing, subject, isFree ? { adopt: record } : { elsewhere: record, owner });
};

const recordOf = ({ state }: Subject): string => state.record ?? '';

/** The change of a contact that was read: what nothing was known of is judged by what it holds. */
const readChange = ({ ports, rules }: Writing, subject: Subject, record: HeldRecord): Change => {
  const { fields } = rules.mapping.contact;
  const first = planAdoption(fields, subject.ours, record);
  const { fields: states, adopting } = subject.state;
  // A worker whose adoption was interrupted has not recorded what the record holds.
  if (Object.keys(states).length === 0)
    return { ...changeOf(ports, subject, first, record.id, adopting ? record : undefined), read: record };
  const later = planUpdate(fields, subject.ours, states);
  const names = new Set(fieldsWithoutBase(fields, subject.ours.values, states));
  const pick = <Value>(one: Readonly<Record<string, Value>>, other: Readonly<Record<string, Value>>) => ({
    ...Object.fromEntries(Object.entries(one).filter(([name]) => !names.has(name))),
    ...Object.fromEntries(Object.entries(other).filter(([name]) => names.has(name))),
  });
  const plan = { write: pick(later.write, first.write), states: pick(later.states, first.states) };
  return { ...changeOf(ports, subject, plan, record.id), read: record };
};

/** The changes of customers without a contact: the CRM's own record of them is adopted, or one is made. */
const beginningsOf = async (writing: Writing, unlinked: readonly Subject[]): Promise<Change[]> => {
  const { ports, session, rules } = writing;
  const { match } = rules.mapping.contact;
  const isSought = (subject: Subject): boolean =>
    subject.state.unmatched === undefined && match.some((type) => valuesOfType(subject, type).length > 0);
  const sought = unlinked.filter(isSought);
  const places =
    sought.length === 0 ? new Map<Subject, Place>() : await findRecords(ports, session, rules, sought);
  const changes: Change[] = [];
  for (const subject of unlinked) {
    changes.push(...(await firstChanges(writing, subject, places.get(subject) ?? { create: true })));
  }
  return changes;
};
