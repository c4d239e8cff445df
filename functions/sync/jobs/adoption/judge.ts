import { judgeRecord, type Verdict } from '../../../../core/crm/adopted-record.ts';
import type { HeldRecord } from '../../../../core/crm/connector.ts';
import type { Identifier } from '../../../../core/identity/identifier.ts';
import { erasedRecords } from '../../contacts/erased-records.ts';
import { customersOf, type Subject, subjectsOf } from '../../contacts/subjects.ts';
import { type Adopting, identifiersOf } from './context.ts';

/** A record of a page, and what becomes of it. */
export type Judged = { readonly record: HeldRecord } & (
  | { readonly fate: 'erased' | 'without-address' }
  /** `subject`: absent where the hub does not know the customer yet. */
  | { readonly fate: 'linked'; readonly subject?: Subject; readonly names: readonly Identifier[] }
  /** `subject`: the customer for whom a person must choose among `records`. */
  | {
      readonly fate: 'ambiguous';
      readonly why: 'shared-address' | 'several-records' | 'another-contact';
      readonly subject?: Subject;
      readonly records: readonly string[];
    }
);

/** Judges the records of one page, by what the hub has stored and what the earlier passes have noted. */
export const judgePage = async (
  adopting: Adopting,
  records: readonly HeldRecord[],
): Promise<readonly Judged[]> => {
  const { sync, notes, rules } = adopting;
  const ids = records.map(({ id }) => id);
  const identifiers = new Map(records.map((record) => [record.id, identifiersOf(adopting, record)]));
  const [erased, linked, found] = await Promise.all([
    erasedRecords(sync, records, identifiers),
    sync.links.owners(ids),
    notes.found(ids),
  ]);
  const all = [...new Set([...identifiers.values()].flat())];
  const [holders, owners] = await Promise.all([notes.holders(all), sync.identifierOwners(all)]);
  const profileIds = [
    ...linked.values(),
    ...[...found.values()].map(({ profileId }) => profileId),
    ...owners.values(),
  ];
  const subjectOf = await subjectsByProfile(adopting, profileIds);
  return records.map((record): Judged => {
    const { id } = record;
    if (erased.has(id)) return { record, fate: 'erased' };
    const owner = linked.get(id);
    if (owner !== undefined) return { record, fate: 'linked', names: [], ...given(subjectOf(owner)) };
    const note = found.get(id);
    if (note !== undefined) {
      const subject = subjectOf(note.profileId);
      return note.isOneOfSeveral
        ? { record, fate: 'ambiguous', why: 'several-records', records: [id] }
        : { record, fate: 'linked', names: [], ...given(subject) };
    }
    const own = identifiers.get(id) ?? [];
    const verdict = judgeRecord(record, own, (one) => holders.get(one) ?? [], rules.mapping.contact);
    return judged(record, verdict, (one) => subjectOf(owners.get(one)));
  });
};

const given = (subject: Subject | undefined): { readonly subject?: Subject } => (subject ? { subject } : {});

const judged = (
  record: HeldRecord,
  verdict: Verdict,
  subjectOf: (identifier: Identifier) => Subject | undefined,
): Judged => {
  if ('withoutAddress' in verdict) return { record, fate: 'without-address' };
  if ('shared' in verdict)
    return {
      ...{ record, fate: 'ambiguous', why: 'shared-address', records: verdict.holders },
      ...given(subjectOf(verdict.shared)),
    };
  const subject = verdict.names.map(subjectOf).find((one) => one !== undefined);
  if (subject !== undefined && hasAnother(subject, record.id))
    return { record, fate: 'ambiguous', why: 'another-contact', records: [subject.state.record ?? ''] };
  return { record, fate: 'linked', names: verdict.names, ...given(subject) };
};

/** A record of another object gives way to a contact. */
const hasAnother = ({ state }: Subject, id: string): boolean =>
  state.record !== undefined &&
  state.object === undefined &&
  state.goneAt === undefined &&
  state.record !== id;

const subjectsByProfile = async (
  { sync, rules }: Adopting,
  profileIds: readonly string[],
): Promise<(profileId: string | undefined) => Subject | undefined> => {
  const customers = await customersOf(sync, [...new Set(profileIds)]);
  const { subjects } = await subjectsOf(sync.links, rules, [...customers.values()]);
  const byCustomer = new Map(subjects.map((subject) => [subject.customer.id, subject]));
  return (profileId) => byCustomer.get(customers.get(profileId ?? '')?.id ?? '');
};
