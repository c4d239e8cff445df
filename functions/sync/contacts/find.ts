import { type Choice, chooseRecord, type Found } from '../../../core/crm/adoption.ts';
import type { CrmSession, HeldRecord, LookUp } from '../../../core/crm/connector.ts';
import type { SyncPorts } from '../ports.ts';
import { guestsWithPerson, type ShownGuest } from './holder.ts';
import { type Rules, type Subject, valuesOfType } from './subjects.ts';

/**
 * What the look-up found for a customer. `elsewhere`: the only record, which another customer has already; `takeOver`: one
 * that a guest has who is shown with this person.
 */
export type Place =
  | Choice
  | { readonly elsewhere: HeldRecord; readonly owner: string }
  | { readonly takeOver: HeldRecord; readonly shown: ShownGuest };

/**
 * Looks customers without a contact up in the CRM before anything is created: one look-up per key for all of them. Records
 * of erased people, and of customers that must stay apart from this one, are left out.
 */
export const findRecords = async (
  ports: Pick<SyncPorts, 'links' | 'call' | 'history' | 'guests'>,
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
  const places = new Map<Subject, Choice>(
    subjects.map((subject) => {
      const found = match.map(
        (type): Found => ({
          by: type,
          records: valuesOfType(subject, type)
            .flatMap((value) => byType.get(type)?.get(value) ?? [])
            .filter(({ id }) => !erased.has(id) && !mustStayApart(subject, owners.get(id))),
        }),
      );
      return [subject, chooseRecord(found, ambiguous)] as const;
    }),
  );
  const others = [...places].flatMap(([subject, choice]) => otherOwner(subject, choice, owners) ?? []);
  const shown = await guestsWithPerson(ports, [...new Set(others)]);
  return new Map(
    [...places].map(([subject, choice]): [Subject, Place] => {
      const owner = otherOwner(subject, choice, owners);
      if (owner === undefined || !('adopt' in choice)) return [subject, choice];
      const { adopt: record } = choice;
      const guest = shown.get(owner);
      return guest?.person === subject.customer.id
        ? [subject, { takeOver: record, shown: guest }]
        : [subject, { elsewhere: record, owner }];
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

/** The source profile of another customer that has the only record already. */
const otherOwner = (
  { customer }: Subject,
  choice: Choice,
  owners: ReadonlyMap<string, string>,
): string | undefined => {
  const owner = 'adopt' in choice ? owners.get(choice.adopt.id) : undefined;
  return customer.sourceProfiles.some(({ profile }) => profile.id === owner) ? undefined : owner;
};
