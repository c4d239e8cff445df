import { identifierType } from '../../../../core/identity/identifier.ts';
import { openRecordReview } from '../../contacts/begin.ts';
import { findRecords } from '../../contacts/find.ts';
import { customersOf, type Rules, type Subject, subjectsOf } from '../../contacts/subjects.ts';
import type { Contacts } from '../../contacts/write.ts';
import { type Adopting, after, type Pass } from './context.ts';

/** As many as one look-up of a CRM takes. */
const PEOPLE_PER_PAGE = 100;
const PHONE: Rules['mapping']['contact']['match'] = ['phone'];

/**
 * Looks up the customers whose addresses no record holds in the hub's spelling, by their phone numbers: a CRM holds these
 * as somebody typed them, and only the CRM finds them then. One look-up for a hundred customers.
 */
export const peoplePass: Pass = async (adopting, checkpoint) => {
  const { ports, notes, sync, session, rules, parameters } = adopting;
  const { match } = rules.mapping.contact;
  if (!match.includes('phone')) return after(checkpoint, {}, 'import');
  const listed = await ports.directory.page(checkpoint.cursor, PEOPLE_PER_PAGE);
  const sought = await soughtOf(adopting, listed.ids);
  const { contact } = rules.mapping;
  const byPhone = { ...rules, mapping: { ...rules.mapping, contact: { ...contact, match: PHONE } } };
  const places = sought.length === 0 ? [] : await findRecords(sync, session, byPhone, sought);
  const contacts: Contacts = { ids: new Map(), waiting: new Map(), refused: new Map() };
  for (const [{ customer, ...subject }, place] of places) {
    const [records, isOneOfSeveral] =
      'choose' in place ? [place.choose, true] : 'adopt' in place ? [[place.adopt], false] : [[], false];
    for (const { id } of records) await notes.addFound(id, { profileId: customer.id, isOneOfSeveral });
    if (isOneOfSeveral && !parameters.dryRun)
      await openRecordReview({ ports: sync, session, rules, contacts }, { ...subject, customer }, records);
  }
  return after(checkpoint, listed, 'import');
};

/** The customers without a contact who have a phone number, and of whose identifiers the list of the CRM has none. */
const soughtOf = async (
  { notes, sync, rules }: Adopting,
  ids: readonly string[],
): Promise<readonly Subject[]> => {
  const customers = await customersOf(sync, ids);
  const { subjects } = await subjectsOf(sync.links, rules, [...customers.values()]);
  const open = subjects.filter(
    ({ customer, state, view }) =>
      !customer.guest &&
      (state.record === undefined || state.goneAt !== undefined) &&
      state.undecidedSince === undefined &&
      rules.mapping.contact.includes(view) &&
      customer.identifiers.some((one) => identifierType(one) === 'phone'),
  );
  const held = await notes.holders(open.flatMap(({ customer }) => customer.identifiers));
  return open.filter(({ customer }) => !customer.identifiers.some((one) => held.has(one)));
};
