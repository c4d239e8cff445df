import type { HeldRecord } from '../../../core/crm/connector.ts';
import { isReachable } from '../../../core/crm/customer-view.ts';
import { released } from '../../../core/crm/reservation.ts';
import { planAdoption, planCreation } from '../../../core/crm/state.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Place } from './find.ts';
import type { Subject } from './subjects.ts';
import { beingWritten, type Change, changeOf, contactKey, type Writing } from './write.ts';

const MOST_TAKEN_TIMES = 5;

/** What has to be written for a customer whose place in the CRM is known; undefined where nothing is. */
export const firstChange = async (
  writing: Writing,
  subject: Subject,
  place: Place,
): Promise<Change | undefined> => {
  const { ports, rules, contacts } = writing;
  const { contact } = rules.mapping;
  const { customer } = subject;
  if ('elsewhere' in place) {
    await deferToOwner(writing, subject);
    return undefined;
  }
  const [oldest] = 'choose' in place ? place.choose : 'adopt' in place ? [place.adopt] : [];
  const isOwn = oldest !== undefined && oldest.fields[contact.key] === contactKey(ports, subject);
  const isOther = 'adopt' in place && place.adopt.object !== undefined;
  if (oldest !== undefined && (isOther || (customer.guest && !isOwn))) {
    await logAtFoundRecord(writing, subject, oldest);
    return undefined;
  }
  if ('choose' in place) {
    await openRecordReview(writing, subject, place.choose);
    return undefined;
  }
  if ('adopt' in place) {
    const { adopt } = place;
    // The hub made this record, and its worker ended before it could note that.
    const plan = isOwn
      ? planCreation(contact.fields, subject.ours)
      : planAdoption(contact.fields, subject.ours, adopt);
    return { ...changeOf(ports, subject, plan, adopt.id, adopt), ...(isOwn && { isOwn: true as const }) };
  }
  const mayCreate = contact.create === 'always' || (contact.create === 'reachable' && isReachable(customer));
  if (!mayCreate) {
    await noteUnwritten(writing, subject);
    return undefined;
  }
  contacts.ids.delete(customer.id);
  return changeOf(ports, subject, planCreation(contact.fields, subject.ours));
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
    records: records.map(({ id }) => id),
  });
  const undecidedSince = since !== undefined && since < at ? since : at;
  if (!(await ports.links.save(profileId, { ...state, undecidedSince })))
    contacts.waiting.set(customer.id, { error: beingWritten(ports) });
};

/** The record belongs to another customer, with whom this one is about to be merged, or never will be. */
export const deferToOwner = async ({ ports, contacts }: Writing, subject: Subject): Promise<void> => {
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
