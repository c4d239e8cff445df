import type { HeldRecord } from '../../../core/crm/connector.ts';
import { isReachable } from '../../../core/crm/customer-view.ts';
import { isReserved, released } from '../../../core/crm/reservation.ts';
import { planAdoption, planCreation, planUpdate, takenOverStates } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import { fillFromGuests } from '../../../core/identity/proof/guests.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Place } from './find.ts';
import { isLinked, type Subject, subjectsOf, viewOf } from './subjects.ts';
import { beingWritten, type Change, changeOf, contactKey, type Writing } from './write.ts';

const MOST_TAKEN_TIMES = 5;

/** What has to be written for a customer whose place in the CRM is known. */
export const firstChanges = async (
  writing: Writing,
  subject: Subject,
  place: Place,
): Promise<readonly Change[]> => {
  const { ports, rules, contacts } = writing;
  const { contact } = rules.mapping;
  const { customer } = subject;
  if ('takeOver' in place) return takenOver(writing, subject, place);
  if ('elsewhere' in place && customer.guest) {
    await logAtFoundRecord(writing, subject, place.elsewhere);
    return [];
  }
  if ('choose' in place) {
    await openRecordReview(writing, subject, place.choose);
    return [];
  }
  if ('adopt' in place) {
    const { adopt } = place;
    const isOwn = adopt.fields[contact.key] === contactKey(ports, subject);
    if (adopt.object !== undefined || (customer.guest && !isOwn)) {
      await logAtFoundRecord(writing, subject, adopt);
      return [];
    }
    // The hub made this record, and its worker ended before it could note that.
    const plan = isOwn
      ? planCreation(contact.fields, subject.ours)
      : planAdoption(contact.fields, subject.ours, adopt);
    const change = changeOf(ports, subject, plan, adopt.id, adopt);
    return [{ ...change, ...(isOwn && { isOwn: true as const }) }];
  }
  const mayCreate = contact.create === 'always' || (contact.create === 'reachable' && isReachable(customer));
  if (!mayCreate) {
    await noteUnwritten(writing, subject);
    return [];
  }
  contacts.ids.delete(customer.id);
  const change = changeOf(ports, subject, planCreation(contact.fields, subject.ours));
  return 'elsewhere' in place ? afterOwners(writing, change, [place.owner]) : [change];
};

/** The contact of a guest, who turned out to be this person. */
export const takenOver = (
  { ports, rules, contacts }: Writing,
  subject: Subject,
  { takeOver, shown: { guest, holder } }: Extract<Place, { takeOver: HeldRecord }>,
): readonly Change[] => {
  if (isReserved(holder.state, ports.now())) {
    contacts.waiting.set(subject.customer.id, { error: beingWritten(ports) });
    return [];
  }
  const { ours } = viewOf(fillFromGuests(subject.customer, [guest]), rules);
  const fields = takenOverStates(subject.ours, ours, holder.state.fields);
  const linked = { ...subject, state: { ...subject.state, fields } };
  const plan = planUpdate(rules.mapping.contact.fields, subject.ours, fields);
  return [{ ...changeOf(ports, linked, plan, takeOver.id, takeOver), isOwn: true, from: holder }];
};

/** Remembers that interactions are left out, so that they are written when the customer has a contact. */
const noteUnwritten = async (
  { ports, contacts }: Writing,
  { customer, profileId, state, since }: Subject,
): Promise<void> => {
  if (since === undefined || (state.unwrittenSince !== undefined && state.unwrittenSince <= since)) return;
  if (!(await ports.links.save(profileId, { ...state, unwrittenSince: since })))
    contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/**
 * The activity of a guest is logged at a record that staff made, and that of a person at the record of another object by
 * which the CRM knows them; nothing is written to it. That of a person is theirs.
 */
export const logAtFoundRecord = async (
  { ports, contacts }: Writing,
  { customer, profileId, state }: Subject,
  { id, object }: HeldRecord,
): Promise<void> => {
  const next = { ...state, record: id, object, activityOnly: true as const, goneAt: undefined };
  if (await ports.links.save(profileId, next, customer.guest ? undefined : id))
    contacts.ids.set(customer.id, id);
  else contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/** Nothing is written for the customer until a person has decided which record is theirs. */
export const openRecordReview = async (
  { ports, contacts }: Writing,
  { customer, profileId, state, since }: Subject,
  records: readonly Pick<HeldRecord, 'id'>[],
): Promise<void> => {
  const at = instant(ports.now());
  await ports.openReview({
    ...{ type: 'record', reason: 'several-records', crm: ports.crm, profileId, openedAt: at },
    ...(ports.scope !== ports.crm && { scope: ports.scope }),
    records: records.map(({ id }) => id),
  });
  const undecidedSince = since !== undefined && since < at ? since : at;
  if (!(await ports.links.save(profileId, { ...state, undecidedSince })))
    contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/**
 * Contacts of other customers hold a value that is this customer's: where the hub wrote it there, and it is theirs no longer,
 * they give it up first.
 */
export const afterOwners = async (
  writing: Writing,
  change: Change,
  owners: readonly string[],
): Promise<readonly Change[]> => {
  const { ports, rules, contacts } = writing;
  const customers = [...(await ports.history.customers(owners)).values()];
  const { subjects } = await subjectsOf(ports.links, rules, customers);
  const updates = subjects.flatMap((subject): Change[] => {
    const plan = planUpdate(rules.mapping.contact.fields, subject.ours, subject.state.fields);
    const isOutdated = isLinked(subject.state) && Object.keys(plan.write).length > 0;
    return isOutdated ? [changeOf(ports, subject, plan, subject.state.record)] : [];
  });
  if (updates.some(({ subject }) => isReserved(subject.state, ports.now())))
    contacts.waiting.set(change.subject.customer.id, { error: beingWritten(ports) });
  else if (updates.length > 0) return [...updates, change];
  else await deferToOwner(writing, change.subject);
  return [];
};

/** The record belongs to another customer, with whom this one is about to be merged, or never will be. */
const deferToOwner = async ({ ports, contacts }: Writing, subject: Subject): Promise<void> => {
  const { customer, profileId, state } = subject;
  const times = (state.takenTimes ?? 0) + 1;
  await ports.links.save(profileId, { ...released(state), takenTimes: times % MOST_TAKEN_TIMES });
  if (times < MOST_TAKEN_TIMES) contacts.waiting.set(customer.id, { error: beingWritten(ports) });
  else
    contacts.refused.set(
      customer.id,
      new HubError(
        'crm-record-taken',
        `The record in ${ports.title} that has an address of this customer is the contact of another customer. Are they one person? Decide in the review list, or correct the address in ${ports.title}, then replay.`,
        { retry: 'never' },
      ),
    );
};
