import { identifiersIn } from '../../../core/crm/adoption.ts';
import type { CrmChange } from '../../../core/crm/change.ts';
import type { CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import { isReserved } from '../../../core/crm/reservation.ts';
import { firstInboundValues, mayHaveChanged, planReport } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import { log } from '../../contracts/log.ts';
import { type Rules, type Subject, subjectsOf } from '../contacts/subjects.ts';
import { beingWritten } from '../contacts/write.ts';
import { crmInteraction } from '../crm-interaction.ts';
import type { SyncPorts, Unsynced, Waiting } from '../ports.ts';
import { knownError, type Queued } from '../sync.ts';
import { recordOtherChanges } from './other-objects.ts';

/** A message of the queue that reports changes in the CRM. */
export type QueuedChange = Queued<{ readonly change: CrmChange }>;

/** What the functions below share. */
interface Reading {
  readonly ports: SyncPorts;
  readonly session: CrmSession;
  readonly rules: Rules;
}

/** A changed record, and the customer whose contact it is, if it is anybody's. */
interface Changed {
  readonly change: CrmChange;
  readonly messages: string[];
  readonly subject: Subject | undefined;
}

/**
 * Follows what a CRM reports about its contacts: what the hub wrote itself is recognised and leaves nothing; the record of a
 * change that may be news is read, all of a batch together, and what it tells is sent to be recorded; who is unknown and has
 * an address becomes known. Returns the messages to queue again.
 */
export const applyChanges =
  (ports: SyncPorts) =>
  async (batch: readonly QueuedChange[]): Promise<Unsynced> => {
    if (batch.length === 0) return new Map();
    try {
      const rules = { mapping: await ports.mapping(), identity: await ports.identity() };
      const changed = await subjectsOfChanges(ports, rules, batch);
      const seen = changed.filter(({ change, subject }) => isRelevant(rules, change, subject));
      const others = batch
        .map(({ message }) => message.change)
        .filter(({ object, own }) => object !== rules.mapping.contact.object && own !== true);
      if (seen.length + others.length === 0) return new Map();
      const session = await ports.open();
      await recordOtherChanges(ports, session, others);
      return await applyAll({ ports, session, rules }, seen);
    } catch (error) {
      const known = knownError(ports, error);
      return new Map(batch.map(({ id }): [string, Waiting] => [id, { error: known }]));
    }
  };

/** One entry per record: the newest act of each, with the fields of all. */
const subjectsOfChanges = async (
  ports: SyncPorts,
  rules: Rules,
  batch: readonly QueuedChange[],
): Promise<Changed[]> => {
  const { object } = rules.mapping.contact;
  const byRecord = Map.groupBy(
    batch.filter(({ message }) => message.change.object === object),
    ({ message }) => message.change.id,
  );
  const ids = [...byRecord].flatMap(([id, queued]) => [
    id,
    ...queued.flatMap(({ message }) => message.change.merged),
  ]);
  const owners = await ports.links.owners(ids);
  const customers = await ports.history.customers([...new Set(owners.values())]);
  const { subjects } = await subjectsOf(ports.links, rules, [...customers.values()]);
  const byCustomer = new Map(subjects.map((one) => [one.customer.id, one]));
  return [...byRecord].flatMap(([id, queued]): Changed[] => {
    const [first, ...others] = queued.map(({ message }) => message.change);
    if (first === undefined) return [];
    const change = combineChanges(first, ...others);
    const owner = [id, ...change.merged].map((one) => owners.get(one)).find((one) => one !== undefined);
    const customer = customers.get(owner ?? '');
    return [{ change, messages: queued.map((one) => one.id), subject: byCustomer.get(customer?.id ?? '') }];
  });
};

/** Acts that say more than that something changed, the most important last. */
const precedence = ['changed', 'created', 'restored', 'merged', 'deleted', 'erased'] as const;

const combineChanges = (first: CrmChange, ...others: readonly CrmChange[]): CrmChange => {
  const inTime = [first, ...others].toSorted((one, other) => ((one.at ?? '') < (other.at ?? '') ? -1 : 1));
  const main = inTime.reduce((one, other) =>
    precedence.indexOf(other.act) > precedence.indexOf(one.act) ? other : one,
  );
  const isOwn = inTime.every(({ own }) => own === true);
  const { own: _, ...rest } = main;
  return {
    ...rest,
    at: inTime.at(-1)?.at ?? rest.at,
    fields: inTime.some(({ act, fields }) => act === 'changed' && Object.keys(fields).length === 0)
      ? {}
      : Object.assign({}, ...inTime.map(({ fields }) => fields)),
    merged: [...new Set(inTime.flatMap(({ merged }) => merged))],
    ...(isOwn && { own: true as const }),
  };
};

/** Whether a change must be looked at. */
const isRelevant = (rules: Rules, { act, own, fields }: CrmChange, subject: Subject | undefined): boolean => {
  if (subject === undefined) return act !== 'deleted' && act !== 'erased';
  if (act === 'created') return false;
  const states = { ...subject.state.fields, ...subject.state.bulk?.fields };
  return act !== 'changed' || (!own && mayHaveChanged(rules.mapping.contact.fields, states, fields));
};

const applyAll = async (reading: Reading, changed: readonly Changed[]): Promise<Unsynced> => {
  const { ports, session, rules } = reading;
  const { object, key, fields } = rules.mapping.contact;
  if (changed.length === 0) return new Map();
  const ids = [...new Set(changed.map(({ change }) => change.id))];
  const names = [...fields.writes.keys(), key];
  const records = await session.read(object, ids, names, ports.call);
  const erased = await ports.links.erased(ids);
  const waiting = new Map<string, Waiting>();
  for (const one of changed) {
    if (erased.has(one.change.id)) continue;
    const isDone = await applyOne(reading, one, records.get(one.change.id));
    if (!isDone)
      for (const id of one.messages) waiting.set(id, { error: beingWritten(ports, one.subject?.state) });
  }
  return waiting;
};

/** False where another worker is at the same contact. */
const applyOne = async (
  reading: Reading,
  changed: Changed,
  record: HeldRecord | undefined,
): Promise<boolean> => {
  const { change, subject } = changed;
  if (subject === undefined) return recordUnknown(reading, change, record);
  const { state } = subject;
  if (isReserved(state, reading.ports.now())) return false;
  if (record === undefined) return unlinkDeleted(reading, changed, subject);
  if (record.id !== state.record || change.act === 'merged')
    return followMerge(reading, change, subject, record);
  // What a contact holds that was linked just now is judged when the customer is written for the first time.
  const isBeginning = Object.keys(state.fields).length === 0 && state.goneAt === undefined;
  return isBeginning || recordChange(reading, changed, subject, record);
};

const timeOf = ({ ports }: Reading, { at }: CrmChange): Instant => at ?? instant(ports.now());

/** An unknown record: one that the hub made itself is about to be linked; one with an address tells who it is. */
const recordUnknown = async (
  { ports, rules }: Reading,
  change: CrmChange,
  record: HeldRecord | undefined,
): Promise<boolean> => {
  const { object, key, fields } = rules.mapping.contact;
  if (record === undefined) return true;
  const [hub, ...profileId] = String(record.fields[key] ?? '').split(':');
  const isOwn = hub === ports.hub && (await ports.history.customer(profileId.join(':'))) !== undefined;
  if (isOwn) return true;
  if (identifiersIn(record).length === 0) {
    log('info', 'crm-record-without-address', { crm: ports.crm, record: record.id });
    return true;
  }
  const at = change.at ?? record.modifiedAt;
  const inbound = firstInboundValues(fields, { values: {} }, record.fields);
  await ports.recordInteraction(crmInteraction(ports, { object, record, act: 'found', at, inbound }));
  return true;
};

/** The record of a customer was deleted. */
const unlinkDeleted = async (
  reading: Reading,
  { change, messages }: Changed,
  { profileId, state, customer }: Subject,
): Promise<boolean> => {
  const { ports, rules } = reading;
  if (state.goneAt !== undefined) return true;
  const at = timeOf(reading, change);
  const record = { id: change.id, emails: [], phones: [], byStaff: true };
  const { object } = rules.mapping.contact;
  await ports.recordInteraction(crmInteraction(ports, { object, record, act: 'deleted', at, inbound: [] }));
  if (!(await ports.links.save(profileId, { ...state, fields: {}, goneAt: at }))) return false;
  await report(
    ports,
    messages,
    customer.id,
    new HubError(
      'crm-record-gone',
      `The contact of this customer was deleted in ${ports.title}; nothing more is written for the customer there.`,
      { retry: 'never' },
    ),
  );
  return true;
};

/** Agents have merged records: the customers join, and the record that remains is the customer's. */
const followMerge = async (
  reading: Reading,
  change: CrmChange,
  { customer, profileId, state }: Subject,
  record: HeldRecord,
): Promise<boolean> => {
  const { ports, rules } = reading;
  const { object } = rules.mapping.contact;
  const former = [...new Set([change.id, ...change.merged, ...(state.record ? [state.record] : [])])];
  const others = former.filter((id) => id !== record.id);
  const owner = (await ports.links.owners([record.id])).get(record.id);
  const isFree = owner === undefined || customer.sourceProfiles.some(({ profile }) => profile.id === owner);
  const at = timeOf(reading, change);
  await ports.recordInteraction(
    crmInteraction(ports, { object, record, act: 'merged', at, inbound: [], customer, others }),
  );
  const isSaved = isFree
    ? await ports.links.save(
        profileId,
        { ...state, record: record.id, fields: {}, goneAt: undefined },
        record.id,
      )
    : await ports.links.save(profileId, { ...state, fields: {}, goneAt: at });
  return isSaved && unlinkOthers(ports, { profileId, at }, others);
};

/** The customers whose records vanished in a merge have none any more; those of one person are joined. */
const unlinkOthers = async (
  { links }: Pick<SyncPorts, 'links'>,
  { profileId, at }: { readonly profileId: string; readonly at: Instant },
  records: readonly string[],
): Promise<boolean> => {
  const owners = new Set((await links.owners(records)).values());
  owners.delete(profileId);
  const states = await links.load([...owners]);
  const saved = await Promise.all(
    [...states]
      .filter(([, { goneAt }]) => goneAt === undefined)
      .map(([id, state]) => links.save(id, { ...state, fields: {}, goneAt: at })),
  );
  return saved.every(Boolean);
};

/** What the record holds now, against where both sides last stood. */
const recordChange = async (
  reading: Reading,
  { messages }: Changed,
  { customer, profileId, state, ours }: Subject,
  record: HeldRecord,
): Promise<boolean> => {
  const { ports, rules } = reading;
  const { object, fields } = rules.mapping.contact;
  const plan = planReport(fields, ours, state.fields, {
    ...{ fields: record.fields, at: record.modifiedAt },
  });
  const known = new Set<string>(customer.identifiers);
  const isNew = identifiersIn(record).some((one) => !known.has(one));
  const isRelevant = plan.inbound.length > 0 || isNew;
  if (isRelevant) {
    const at = record.modifiedAt;
    await ports.recordInteraction(
      crmInteraction(ports, { object, record, act: 'changed', at, inbound: plan.inbound, customer }),
    );
  }
  const { goneAt: _, ...linked } = state;
  if (!(await ports.links.save(profileId, { ...linked, fields: plan.states }))) return false;
  for (const field of plan.contested)
    await report(ports, messages, customer.id, contestedField(ports, field));
  return true;
};

/** One line for the admin. */
const report = async (
  ports: Pick<SyncPorts, 'saveFailure' | 'publishFailed'>,
  [message]: readonly string[],
  customer: string,
  error: HubError,
): Promise<void> => {
  if (message !== undefined) await ports.saveFailure(message, error);
  await ports.publishFailed(customer, error);
};

const contestedField = ({ title }: Pick<SyncPorts, 'title'>, field: string): HubError =>
  new HubError(
    'crm-field-contested',
    `${title} has set ${field} back three times within an hour after the hub wrote it. The field is left to ${title}: look for a workflow there, or set \`write: never\`.`,
    { retry: 'never' },
  );
