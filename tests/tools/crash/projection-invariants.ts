import { isDeepStrictEqual } from 'node:util';
import { customerView } from '../../../core/crm/customer-view.ts';
import { type CompiledMapping, compileMapping } from '../../../core/crm/mapping.ts';
import { type Customer, resolveCustomer } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { Amounts, addAmounts, countable } from '../../../core/timeline/figures.ts';
import { listEntries } from '../../../core/timeline/lists.ts';
import type { Sandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { rowKey, type StoredState } from './stored-state.ts';

type Records = Sandboxes['salesforce']['records'];

/** Each CRM has every customer and every interaction that its mapping selects, once, with their latest values. */
export const checkCrms = (
  { byKey, interactions, sourceProfiles }: StoredState,
  crms: Sandboxes,
): string[] => {
  const body = (name: string): unknown => byKey.get(rowKey(`config#${name}`, 'current'))?.['body'];
  const identity = IdentityConfig.parse(body('identity'));
  return crms.names.flatMap((crm) => {
    const { records } = crm === 'salesforce' ? crms.salesforce : crms.hubspot;
    const mapping = compileMapping(crm, body(`crm/${crm}`));
    const allowed = new Map<string, Set<string>>();
    const allow = (object: string, key: string): void => {
      allowed.set(object, (allowed.get(object) ?? new Set()).add(key));
    };
    const broken: string[] = [];
    const expectRecord = (object: string, key: string): void => {
      allow(object, key);
      if (records.byKey(object, key) === undefined) broken.push(`${crm} has no ${object} ${key}`);
    };
    for (const { profile, activity } of sourceProfiles.values()) {
      if (activity.survivor !== undefined) {
        // The contact of a customer who was merged later stays.
        allow(mapping.contact.object, profile.id);
        continue;
      }
      // An imported customer is synchronised with the first interaction.
      const customer = resolveCustomer(profile.id, sourceProfiles);
      const own = new Set(customer.sourceProfiles.map((sourceProfile) => sourceProfile.profile.id));
      if (!interactions.some(({ profileId }) => own.has(profileId))) continue;
      expectRecord(mapping.contact.object, profile.id);
      broken.push(...staleFields(crm, mapping, customer, identity, records));
    }
    for (const stored of interactions) {
      const { caused: _caused, customer, profileId: _profileId, ...interaction } = stored;
      const rule = mapping.forInteraction({ ...interaction, proof: customer.guest ? 'claimed' : 'proven' });
      if (rule) expectRecord(rule.object, stored.id);
    }
    for (const [object, keys] of allowed)
      for (const { key } of records.of(object))
        if (!keys.has(key)) broken.push(`${crm} has ${object} ${key}, which the hub does not have`);
    return broken;
  });
};

const staleFields = (
  crm: string,
  { contact }: CompiledMapping,
  customer: Customer,
  identity: IdentityConfig,
  records: Records,
): string[] => {
  const inCrm = records.byKey(contact.object, customer.id)?.fields ?? {};
  const expected = contact.fields(customerView(customer, identity), contact.once);
  return Object.entries(expected)
    .filter(([name, value]) => String(inCrm[name]) !== String(value))
    .map(([name]) => `${crm} ${contact.object} ${customer.id} has an old ${name}`);
};

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
    all.filter(({ pk }) => /^list#(?:recent|name|waiting)#/u.test(pk)).map(({ pk, sk }) => rowKey(pk, sk)),
  );
  return [
    ...[...expected.difference(present)].map((place) => `the list row ${place} is missing`),
    ...[...present.difference(expected)].map((place) => `the list row ${place} must not exist`),
  ];
};
