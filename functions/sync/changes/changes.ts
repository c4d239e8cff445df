import { identifiersIn } from '../../../core/crm/adoption.ts';
import type { CrmChange } from '../../../core/crm/change.ts';
import type { HeldRecord } from '../../../core/crm/connector.ts';
import { firstInboundValues } from '../../../core/crm/first-read.ts';
import { isReserved } from '../../../core/crm/reservation.ts';
import { mayHaveChanged, planReport } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import { usableIdentifiers } from '../../../core/identity/normalise.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import { log } from '../../contracts/log.ts';
import { erasedRecords } from '../contacts/erased-records.ts';
import { holderOf, moveTo } from '../contacts/holder.ts';
import type { Rules, Subject } from '../contacts/subjects.ts';
import { beingWritten } from '../contacts/write.ts';
import { crmInteraction, optOutInteractions } from '../crm-interaction.ts';
import type { SyncPorts, Unsynced, Waiting } from '../ports.ts';
import { knownError, type Queued } from '../sync.ts';
import { type Reading, recordOtherChanges } from './other-objects.ts';
import { type RecordOwner, recordOwners } from './owners.ts';

/** A message of the queue that reports changes in the CRM. */
export type QueuedChange = Queued<{ readonly change: CrmChange }>;

/** A changed record, and whose it is, if it is anybody's. */
interface Changed extends Partial<RecordOwner> {
  readonly change: CrmChange;
  readonly messages: string[];
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
      await recordOtherChanges({ ports, session, rules }, others);
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
  const owners = await recordOwners(ports, rules, ids);
  return [...byRecord].flatMap(([id, queued]): Changed[] => {
    const [first, ...others] = queued.map(({ message }) => message.change);
    if (first === undefined) return [];
    const change = combineChanges(first, ...others);
    const owner = [id, ...change.merged].map((one) => owners.get(one)).find((one) => one !== undefined);
    return [{ change, messages: queued.map((one) => one.id), ...owner }];
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
  const unknown = changed.flatMap(({ change, subject }) => {
    const record = subject === undefined ? records.get(change.id) : undefined;
    return record === undefined ? [] : [record];
  });
  const ofErased = await erasedRecords(
    ports,
    unknown,
    new Map(unknown.map((one) => [one.id, usableIdentifiers(identifiersIn(one), rules.identity)])),
  );
  const waiting = new Map<string, Waiting>();
  for (const one of changed) {
    const record = records.get(one.change.id);
    if (erased.has(one.change.id) || (record !== undefined && ofErased.has(record.id))) continue;
    const isDone = await applyOne(reading, one, record);
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
  { change, messages, isSpare }: Changed,
  { profileId, state, customer }: Subject,
): Promise<boolean> => {
  const { ports, rules } = reading;
  if (state.goneAt !== undefined) return true;
  const at = timeOf(reading, change);
  const record = { id: change.id, emails: [], phones: [], byStaff: true };
  const { object } = rules.mapping.contact;
  await ports.recordInteraction(crmInteraction(ports, { object, record, act: 'deleted', at, inbound: [] }));
  if (!(await ports.links.save(profileId, { ...state, fields: {}, goneAt: at }))) return false;
  if (isSpare) return true;
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
  subject: Subject,
  record: HeldRecord,
): Promise<boolean> => {
  const { ports, rules } = reading;
  const { customer, profileId, state } = subject;
  const { object } = rules.mapping.contact;
  const former = [...new Set([change.id, ...change.merged, ...(state.record ? [state.record] : [])])];
  const others = former.filter((id) => id !== record.id);
  const at = timeOf(reading, change);
  await ports.recordInteraction(
    crmInteraction(ports, { object, record, act: 'merged', at, inbound: [], customer, others }),
  );
  const holder = await holderOf(ports.links, subject, record.id);
  const isSaved =
    holder === undefined
      ? await ports.links.save(profileId, { ...state, fields: {}, goneAt: at })
      : await moveTo(ports.links, holder, record.id);
  return isSaved && unlinkOthers(ports, { profileId: holder?.profileId ?? profileId, at }, others);
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
  const at = record.modifiedAt;
  const inbound = plan.inbound.filter(({ field }) => !fields.optOuts.has(field));
  if (inbound.length > 0 || isNew)
    await ports.recordInteraction(
      crmInteraction(ports, { object, record, act: 'changed', at, inbound, customer }),
    );
  const optOuts = { object, record: record.id, at, inbound: plan.inbound };
  for (const one of optOutInteractions(ports, optOuts)) await ports.recordInteraction(one);
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
