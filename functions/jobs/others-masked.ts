import * as z from 'zod';
import type { Customer } from '../../core/identity/customer.ts';
import { type Identifier, identifierType, identifierValue } from '../../core/identity/identifier.ts';
import { normaliseIdentifier, phoneIdentifiers } from '../../core/identity/normalise.ts';
import { PersonName } from '../../core/interaction/interaction.ts';
import { maskOf } from '../../core/privacy/masking.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import { identifierKey } from '../contracts/keys.ts';
import { ownerOf } from '../contracts/rows/people.ts';

/** Masks in a record of one person what belongs to other people. */
export type OthersMasked = <Value extends object>(record: Value) => Promise<Value>;

/**
 * Masks identifiers that other people own, wherever they stand in a record; the name in an interaction that carries these;
 * and the customer of an event as it was while merged with somebody else. `profileIds`: of the person who asks.
 */
export const othersMasked = (
  table: Pick<Table, 'get'>,
  profileIds: ReadonlySet<string>,
  { identifiers, name }: Pick<Customer, 'identifiers' | 'name'>,
): OthersMasked => {
  const isOthers = new Map<Identifier, boolean>(identifiers.map((one) => [one, false]));
  return async (record) => {
    const named = [...new Set(identifiersIn(record).flatMap(normalForms))];
    const unknown = named.filter((one) => !isOthers.has(one));
    for (const one of unknown) isOthers.set(one, false);
    for (const row of await table.get(unknown.map(identifierKey))) {
      const { identifier, profileId } = ownerOf(row);
      isOthers.set(identifier, !profileIds.has(profileId));
    }
    const others = named.filter((one) => isOthers.get(one));
    const own = withoutSnapshots(record, profileIds);
    return others.length === 0 ? own : withoutNames(maskOf(others)(own), name);
  };
};

const IDENTIFIER = /^[a-z][a-z0-9-]*:(?!\/\/)\S{1,300}$/u;

/** Every text and key of a record that may be an identifier. */
const identifiersIn = (value: unknown): Identifier[] => {
  if (typeof value === 'string') return IDENTIFIER.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(identifiersIn);
  return Object.entries(value).flatMap(([key, member]) => [...identifiersIn(key), ...identifiersIn(member)]);
};

/** The number of a WhatsApp account may be another person's `phone`. */
const normalForms = (identifier: Identifier): Identifier[] => [
  normaliseIdentifier(identifier) ?? identifier,
  ...(identifierType(identifier) === 'whatsapp' ? phoneIdentifiers(`+${identifierValue(identifier)}`) : []),
];

const Snapshot = z.looseObject({ id: z.string(), profileId: z.string() });
const WithSnapshot = z.looseObject({ customer: Snapshot });
const WithEvents = z.looseObject({ events: z.array(z.looseObject({ detail: WithSnapshot })) });

/** What an interaction or event says of its customer may have been another person's, where the two were merged then. */
const withoutSnapshots = <Value extends object>(record: Value, profileIds: ReadonlySet<string>): Value => {
  const { customer } = WithSnapshot.safeParse(record).data ?? {};
  if (customer && !profileIds.has(customer.id))
    return { ...record, customer: { profileId: customer.profileId } };
  const { events } = WithEvents.safeParse(record).data ?? {};
  if (events === undefined) return record;
  const ids = ({ id, profileId }: z.infer<typeof Snapshot>) => ({ id, profileId });
  return {
    ...record,
    events: events.map(({ detail, ...event }) => ({
      ...event,
      detail: { ...detail, customer: ids(detail.customer) },
    })),
  };
};

const WithName = z.looseObject({ profile: z.looseObject({ name: PersonName }) });

/** The name that an interaction reports may be that of the other person whom it names. */
const withoutNames = <Value extends object>(record: Value, own: Customer['name']): Value => {
  const { profile } = WithName.safeParse(record).data ?? {};
  if (profile === undefined || JSON.stringify(profile.name) === JSON.stringify(own)) return record;
  return { ...record, profile: { ...profile, name: { full: '…' } } };
};
