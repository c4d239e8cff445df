import type { CrmRecord, CrmResult, CrmSession, HeldRecord } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { firstOptOuts } from '../../../core/crm/first-read.ts';
import { released } from '../../../core/crm/reservation.ts';
import { type FieldPlan, type FieldStates, type SyncState, withAnswer } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { InteractionMessage } from '../../contracts/messages/record.ts';
import { adoptionInteraction, optOutInteractions } from '../crm-interaction.ts';
import type { Holder, SyncPorts, Waiting } from '../ports.ts';
import { holderOf, moveTo } from './holder.ts';
import { type Rules, type Subject, versionsOf } from './subjects.ts';

/** What became of the contacts of a batch, by customer. A customer in none of these has no contact in this CRM. */
export interface Contacts {
  /** The CRM's own id of the contact. */
  readonly ids: Map<string, string>;
  readonly waiting: Map<string, Waiting>;
  readonly refused: Map<string, HubError>;
}

/** A contact to write. */
export interface Change {
  readonly subject: Subject;
  readonly record: CrmRecord;
  /** Where both sides stand once it is written. */
  readonly states: FieldStates;
  /** The record of the CRM that becomes the customer's before it is written. */
  readonly adopts?: HeldRecord;
  /** The record as it was read just now, if it was. */
  readonly read?: HeldRecord;
  /** Set if the hub made that record itself. */
  readonly isOwn?: true;
  /** The source profile of a guest that gives the record up. */
  readonly from?: Holder;
}

/** What the functions below share. */
export interface Writing {
  readonly ports: SyncPorts;
  readonly session: CrmSession;
  readonly rules: Rules;
  readonly contacts: Contacts;
}

/** Longer than the function may run: a worker that ends meanwhile holds its contacts no longer. */
export const RESERVATION_MS = 900_000;
/** Jobs end work that takes longer. */
const BULK_RESERVATION_MS = 3_600_000;
const SECONDS_FOR_OTHERS = 5;
const SECONDS_FOR_BULK = 60;

/** `state`: of the contact, if a job may have reserved it. */
export const beingWritten = ({ title }: Pick<SyncPorts, 'title'>, state?: SyncState): CrmFault =>
  new CrmFault('crm-pause', `Another worker is writing the same contact to ${title}.`, {
    ...{ scope: 'record', why: 'raced' },
    afterSeconds: state?.bulk === undefined ? SECONDS_FOR_OTHERS : SECONDS_FOR_BULK,
  });

export const isParked = ({ title }: Pick<SyncPorts, 'title'>, object: string): HubError =>
  new HubError('crm-pause', `${title} accepts no ${object} until its set-up is corrected.`, {
    retry: 'later',
  });

/** The hub's key of a customer's contact. */
export const contactKey = ({ hub }: Pick<SyncPorts, 'hub'>, { profileId }: Subject): string =>
  `${hub}:${profileId}`;

export const changeOf = (
  ports: SyncPorts,
  subject: Subject,
  { write, states }: FieldPlan,
  id?: string,
  adopts?: HeldRecord,
): Change => ({
  ...{ subject, states },
  record: { key: contactKey(ports, subject), fields: write, ...(id !== undefined && { id }) },
  ...(adopts && { adopts, read: adopts }),
});

/** Writes contacts. Returns those whose values another record holds, each with the refusal. */
export const write = async (
  writing: Writing,
  changes: readonly Change[],
): Promise<{ readonly change: Change; readonly fault: CrmFault }[]> => {
  const { rules, contacts } = writing;
  const { object } = rules.mapping.contact;
  const reserved = await reserveContacts(writing, changes);
  if (reserved.length === 0) return [];
  const byKey = new Map(reserved.map((change) => [change.record.key, change]));
  const records = reserved.map(({ record }) => record);
  const taken: { change: Change; fault: CrmFault }[] = [];
  const results = await upsertContacts(writing, records).catch(async (error: unknown) => {
    await Promise.all(reserved.map(({ subject }) => release(writing, subject)));
    throw error;
  });
  for (const result of results) {
    const change = byKey.get(result.key);
    if (change === undefined) continue;
    if (!('fault' in result)) await saveWritten(writing, change, result);
    else if (result.fault.why === 'gone') await followMergedRecord(writing, change.subject, result.fault);
    else {
      const subject = await release(writing, change.subject);
      if (result.fault.why === 'taken') taken.push({ change: { ...change, subject }, fault: result.fault });
      else noteFault(contacts, subject, result.fault, object);
    }
  }
  return taken;
};

/** Contacts go by the import set that the mapping names, or to their own object. */
const upsertContacts = async (
  { ports, session, rules }: Writing,
  records: readonly CrmRecord[],
): Promise<CrmResult[]> => {
  const { object, key, importSet } = rules.mapping.contact;
  if (importSet === undefined) return session.upsert(object, key, records, ports.call);
  if (session.imports === undefined) throw withoutImportSets(ports, object);
  return session.imports.upsert({ table: importSet, object, keyField: key }, records, ports.call);
};

const withoutImportSets = ({ crm, title }: Pick<SyncPorts, 'crm' | 'title'>, object: string): CrmFault =>
  new CrmFault(
    'invalid-configuration',
    `${title} has no import sets. Remove contact.importSet from mappings/crm/${crm}.yaml.`,
    { scope: 'object', why: 'setup', object },
  );

/**
 * Keeps other workers from these contacts while they are written; what is adopted becomes the customer's before that. `job`:
 * for which the CRM writes them by itself. Returns those that are reserved now.
 */
export const reserveContacts = async (
  { ports, rules, contacts }: Writing,
  changes: readonly Change[],
  job?: string,
): Promise<Change[]> => {
  const reservedUntil = ports.now() + (job === undefined ? RESERVATION_MS : BULK_RESERVATION_MS);
  const reserved = await Promise.all(
    changes.map(async (change): Promise<Change | undefined> => {
      const { subject, adopts, states, isOwn, from } = change;
      const { activityOnly: _, object: __, ...state } = released(subject.state);
      const next: SyncState = {
        ...state,
        reservedUntil,
        ...(job !== undefined && { bulk: { job, fields: states, profiles: versionsOf(subject.customer) } }),
        ...(adopts && { goneAt: undefined, undecidedSince: undefined }),
        ...(adopts && (job !== undefined || !isOwn) && { record: adopts.id }),
        ...(adopts && job === undefined && !isOwn && { adopting: true }),
      };
      const isSaved =
        adopts && from
          ? await ports.links.takeOver(subject.profileId, { ...next, record: adopts.id }, from)
          : await ports.links.save(subject.profileId, next, adopts?.id);
      if (!isSaved) {
        contacts.waiting.set(subject.customer.id, { error: beingWritten(ports) });
        return undefined;
      }
      if (job !== undefined && adopts && !isOwn)
        await ports.recordInteraction(adoptionInteraction(ports, rules, subject, adopts));
      return { ...change, subject: { ...subject, state: { ...next, version: state.version + 1 } } };
    }),
  );
  return reserved.flatMap((change) => change ?? []);
};

/** Notes that the CRM has written a contact that is reserved for a job. False where it was changed since: that holds. */
export const saveBulk = async (
  { links }: Pick<SyncPorts, 'links'>,
  profileId: string,
  state: SyncState,
  record: string,
): Promise<boolean> => {
  const { goneAt: _, takenTimes: __, ...kept } = released(state);
  const { fields = {}, profiles = {} } = state.bulk ?? {};
  const link = state.record === record ? undefined : record;
  return links.save(profileId, { ...kept, record, fields, profiles }, link);
};

const saveWritten = async (
  { ports, rules, contacts }: Writing,
  { subject, states, adopts, isOwn, read }: Change,
  { id, held, at }: Extract<CrmResult, { id: string }>,
): Promise<void> => {
  const { customer, profileId, state } = subject;
  const { adopting: _, goneAt: __, takenTimes: ___, ...kept } = released(state);
  const next: SyncState = {
    ...kept,
    record: id,
    fields: withAnswer(states, held, at),
    profiles: versionsOf(customer),
  };
  for (const one of optOutsIn(rules, subject, read, ports)) await ports.recordInteraction(one);
  if (adopts && !isOwn) await ports.recordInteraction(adoptionInteraction(ports, rules, subject, adopts));
  const isKnown = state.record === id;
  if (await ports.links.save(profileId, next, isKnown ? undefined : id)) contacts.ids.set(customer.id, id);
  else contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/** Opt-outs in a record that was there before; it can have been changed last when it was. */
const optOutsIn = (
  { mapping: { contact } }: Rules,
  { state }: Subject,
  read: HeldRecord | undefined,
  ports: SyncPorts,
): InteractionMessage[] =>
  read === undefined
    ? []
    : optOutInteractions(ports, {
        ...{ object: contact.object, record: read.id, at: read.modifiedAt },
        inbound: firstOptOuts(contact.fields, state.fields, read.fields),
      });

/** A record that is gone: the one into which it was merged takes its place, unless it is another customer's. */
const followMergedRecord = async (writing: Writing, subject: Subject, fault: CrmFault): Promise<void> => {
  const { ports, contacts } = writing;
  const { customer, profileId } = subject;
  const [merged] = fault.records;
  const holder = merged === undefined ? undefined : await holderOf(ports.links, subject, merged);
  if (merged === undefined || holder === undefined) return unlink(writing, subject);
  await moveTo(ports.links, holder, merged);
  if (holder.profileId !== profileId) await markGone(ports, subject);
  contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/** Lets other workers write the contact again. */
const release = async ({ ports }: Writing, subject: Subject): Promise<Subject> => {
  const state = released(subject.state);
  await ports.links.save(subject.profileId, state);
  return { ...subject, state: { ...state, version: state.version + 1 } };
};

/** What a refusal means for the messages of a customer. */
const noteFault = (contacts: Contacts, { customer }: Subject, fault: CrmFault, object: string): void => {
  if (fault.scope === 'record' && fault.retry === 'never') contacts.refused.set(customer.id, fault);
  else contacts.waiting.set(customer.id, { error: fault, ...(fault.scope === 'object' && { object }) });
};

const markGone = async (
  { links, now }: Pick<SyncPorts, 'links' | 'now'>,
  { profileId, state }: Subject,
): Promise<void> => {
  await links.save(profileId, { ...released(state), goneAt: instant(now()), fields: {} });
};

/** The customer has no contact any more. */
export const unlink = async ({ ports, contacts }: Writing, subject: Subject): Promise<void> => {
  const { customer } = subject;
  await markGone(ports, subject);
  contacts.refused.set(
    customer.id,
    new HubError(
      'crm-record-gone',
      `The contact of this customer was deleted in ${ports.title}. Nothing more is written for the customer there, unless the mapping says \`recreate: true\`, an import names them, or a new record there has their address.`,
      { retry: 'never' },
    ),
  );
};
