import { isDeepStrictEqual } from 'node:util';
import { customerView } from '../../../core/crm/customer-view.ts';
import { type CompiledMapping, compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { Amounts, addAmounts, countable } from '../../../core/timeline/figures.ts';
import { listEntries } from '../../../core/timeline/lists.ts';
import type { HeldRecord, Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import type { Sandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { rowKey, type StoredState } from './stored-state.ts';

/** The CRM's records of an object by the hub's keys. */
const recordsByKey = (
  sandbox: Sandbox | undefined,
  { object, key }: { readonly object: string; readonly key: string },
): ReadonlyMap<string, HeldRecord> =>
  new Map((sandbox?.records(object) ?? []).map((record) => [String(record.fields[key] ?? ''), record]));

/**
 * Each CRM has every customer whom it can reach and every interaction of theirs that its mapping selects, once, with their
 * latest values, and nothing else.
 */
export const checkCrms = (
  { byKey, interactions, sourceProfiles }: StoredState,
  crms: Sandboxes,
  hub: string,
): string[] => {
  const body = (name: string): unknown => byKey.get(rowKey(`config#${name}`, 'current'))?.['body'];
  const identity = IdentityConfig.parse(body('identity'));
  return crms.names.flatMap((crm) => {
    const mapping = compileMapping(crm, body(`crm/${crm}`));
    const { contact } = mapping;
    const contacts = recordsByKey(crms.byName[crm], contact);
    const allowed = new Set<string>();
    const broken: string[] = [];
    const withContact = new Set<string>();
    for (const { profile, activity } of sourceProfiles.values()) {
      // The contact of a customer who was merged later stays.
      allowed.add(`${hub}:${profile.id}`);
      if (activity.survivor !== undefined) continue;
      const customer = resolveCustomer(profile.id, sourceProfiles);
      const own = customer.sourceProfiles.map((sourceProfile) => sourceProfile.profile.id);
      // An imported customer is synchronised with the first interaction.
      if (!interactions.some(({ profileId }) => own.includes(profileId)) || !isReachable(customer)) continue;
      for (const id of own) withContact.add(id);
      const held = own.flatMap((id) => contacts.get(`${hub}:${id}`) ?? []);
      if (held.length === 0) broken.push(`${crm} has no ${contact.object} ${customer.id}`);
      else if (held.every(({ fields }) => staleFields(mapping, customer, identity, fields).length > 0))
        broken.push(`${crm} ${contact.object} ${customer.id} has old values`);
    }
    for (const key of contacts.keys())
      if (!allowed.has(key)) broken.push(`${crm} has ${contact.object} ${key}, which the hub does not have`);
    return [...broken, ...brokenActivities(crm, mapping, crms, interactions, withContact)];
  });
};

/** By default a record is made of those who can be reached through it. */
const isReachable = ({ identifiers }: Customer): boolean =>
  identifiers.some((one) => /^(?:email|phone):/u.test(one));

/** Interactions of customers with a contact have their activity, and every activity is of a stored interaction. */
const brokenActivities = (
  crm: string,
  mapping: CompiledMapping,
  crms: Sandboxes,
  interactions: StoredState['interactions'],
  withContact: ReadonlySet<string>,
): string[] => {
  const stored = new Set(interactions.map(({ id }) => id));
  const expected = new Map<string, Set<string>>();
  for (const one of interactions) {
    const { caused: _caused, customer, profileId, ...interaction } = one;
    if (!withContact.has(profileId)) continue;
    const proof = customer.guest ? 'claimed' : 'proven';
    for (const { object } of mapping.forInteraction({ ...interaction, proof }))
      expected.set(object, (expected.get(object) ?? new Set()).add(one.id));
  }
  return mapping.interactionObjects.flatMap(({ object, key }) => {
    const wanted = expected.get(object) ?? new Set<string>();
    const present = new Set(recordsByKey(crms.byName[crm], { object, key }).keys());
    return [
      ...[...wanted.difference(present)].map((one) => `${crm} has no ${object} ${one}`),
      ...[...present.difference(stored)].map(
        (one) => `${crm} has ${object} ${one}, which the hub does not have`,
      ),
    ];
  });
};

const staleFields = (
  { contact }: CompiledMapping,
  customer: Customer,
  identity: IdentityConfig,
  inCrm: Readonly<Record<string, unknown>>,
): string[] =>
  Object.entries(contact.fields.values(customerView(customer, identity))).flatMap(([name, value]) =>
    String(inCrm[name] ?? '') === String(value) ? [] : [name],
  );

/** The figures are the sums of the stored interactions. */
export const checkFigures = ({ all, interactions }: StoredState): string[] => {
  const sum = (amounts: readonly Amounts[]): Amounts => {
    const { suppressed: _suppressed, failed: _failed, ...rest } = amounts.reduce(addAmounts, {});
    return rest;
  };
  const figures = sum(
    all
      .filter(({ pk }) => pk.startsWith('figures#'))
      .map(({ pk: _pk, sk: _sk, ...amounts }) => Amounts.parse(amounts)),
  );
  const expected = sum(interactions.flatMap((one) => countable(one, one.caused?.reply)?.amounts ?? []));
  return isDeepStrictEqual(figures, expected)
    ? []
    : [`the figures are ${JSON.stringify(figures)} and must be ${JSON.stringify(expected)}`];
};

/** The lists of customers have each customer in the right places, and no other rows. */
export const checkLists = ({ all, sourceProfiles }: StoredState): string[] => {
  const canonical = [...sourceProfiles.values()].filter(({ activity }) => activity.survivor === undefined);
  const expected = new Set(
    canonical
      .flatMap(({ profile }) => listEntries(resolveCustomer(profile.id, sourceProfiles)))
      .map(({ part, key }) => rowKey(`list#${part}`, key)),
  );
  const present = new Set(
    all
      .filter(({ pk }) => /^list#(?:directory|recent|name|waiting|zone)#/u.test(pk))
      .map(({ pk, sk }) => rowKey(pk, sk)),
  );
  return [
    ...[...expected.difference(present)].map((place) => `the list row ${place} is missing`),
    ...[...present.difference(expected)].map((place) => `the list row ${place} must not exist`),
  ];
};
