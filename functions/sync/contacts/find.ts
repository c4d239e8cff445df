import { type Choice, chooseRecord, type Found } from '../../../core/crm/adoption.ts';
import type { CrmSession, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import type { SyncPorts } from '../ports.ts';
import { type Rules, type Subject, valuesOfType } from './subjects.ts';

/** What the look-up found for a customer. `elsewhere`: a source profile that has the only record already. */
export type Place = Choice | { readonly elsewhere: string; readonly record: HeldRecord };

/**
 * Looks customers without a contact up in the CRM before anything is created: one look-up per key for all of them. Records
 * of erased people, and of customers that must stay apart from this one, are left out.
 */
export const findRecords = async (
  ports: Pick<SyncPorts, 'links' | 'call'>,
  session: CrmSession,
  rules: Rules,
  subjects: readonly Subject[],
): Promise<ReadonlyMap<Subject, Place>> => {
  const { object, match, fields, ambiguous, key, links } = rules.mapping.contact;
  const names = [...new Set([...fields.writes.keys(), ...Object.keys(links), key])];
  const byType = new Map<string, ReadonlyMap<string, readonly HeldRecord[]>>();
  for (const type of match) {
    const values = [...new Set(subjects.flatMap((one) => valuesOfType(one, type)))];
    const by = lookUpOf(type, rules);
    if (values.length > 0 && by !== undefined)
      byType.set(type, await session.find(object, by, values, names, ports.call));
  }
  const ids = [...byType.values()].flatMap((found) => [...found.values()].flat().map(({ id }) => id));
  const owners = await ports.links.owners(ids);
  const erased = await ports.links.erased(ids);
  return new Map(
    subjects.map((subject) => {
      const found = match.map(
        (type): Found => ({
          by: type,
          records: valuesOfType(subject, type)
            .flatMap((value) => byType.get(type)?.get(value) ?? [])
            .filter(({ id }) => !erased.has(id) && !mustStayApart(subject, owners.get(id))),
        }),
      );
      return [subject, placeOf(subject, chooseRecord(found, ambiguous), owners)] as const;
    }),
  );
};

/** A look-up by user id needs the field that holds it. */
const lookUpOf = (type: string, { mapping }: Rules): LookUp | undefined => {
  if (type === 'email' || type === 'phone') return type;
  const field = mapping.contact.identifierFields.get(type);
  return field === undefined ? undefined : { field };
};

const mustStayApart = ({ customer }: Subject, owner: string | undefined): boolean =>
  owner !== undefined &&
  customer.sourceProfiles.some(
    ({ profile }) => profile.neverAutoMerge.includes(owner) || profile.confirmedDistinct.includes(owner),
  );

const placeOf = (subject: Subject, choice: Choice, owners: ReadonlyMap<string, string>): Place => {
  if (!('adopt' in choice)) return choice;
  const owner = owners.get(choice.adopt.id);
  const isOwn = subject.customer.sourceProfiles.some(({ profile }) => profile.id === owner);
  return owner === undefined || isOwn ? choice : { elsewhere: owner, record: choice.adopt };
};
