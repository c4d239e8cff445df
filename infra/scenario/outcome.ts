import { type Customer, resolveCustomer } from '../../core/identity/customer.ts';
import { identifierValue } from '../../core/identity/identifier.ts';
import type { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { SourceProfile } from '../../core/identity/profile.ts';
import { fillFromGuests, shownWith } from '../../core/identity/proof/guests.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import { senderStatus } from '../../core/triggers/sending/pace.ts';
import { isOwnerKey } from '../../functions/contracts/keys.ts';
import { paceOf } from '../../functions/contracts/rows/connections.ts';
import { type InteractionRow, interactionOf } from '../../functions/contracts/rows/interactions.ts';
import { failureOf } from '../../functions/contracts/rows/operations.ts';
import { activityOf, ownerOf, profileOf } from '../../functions/contracts/rows/people.ts';
import type { Row } from '../../functions/contracts/rows/row.ts';
import { notificationOf } from '../../functions/contracts/rows/triggers.ts';
import type { ActualCustomer, Outcome } from './compare.ts';
import { scanTable } from './hub/scan-table.ts';
import type { ScenarioHub } from './scenario-hub.ts';

/** The notifications of the table by `pk` and `sk` of their rows. */
export const notificationsByKey = (rows: readonly Row[]): Map<string, Notification> =>
  new Map(
    rows
      .filter(({ sk }) => sk.startsWith('notification#'))
      .map((row) => [`${row.pk} ${row.sk}`, notificationOf(row)]),
  );

/** Reads the end of a scenario from the table and the CRMs. */
export const readOutcome = async ({
  runtime,
  crms,
  identity,
  earlierNotifications,
}: ScenarioHub): Promise<Outcome> => {
  const rows = await scanTable(runtime);
  const sourceProfiles = sourceProfilesIn(rows);
  const customerIds = [...sourceProfiles.values()]
    .filter(({ activity }) => activity.survivor === undefined)
    .map(({ profile }) => profile.id);
  const interactions = rows
    .filter(({ pk, sk }) => pk.startsWith('customer#') && sk.startsWith('at#'))
    .map(interactionOf);
  const owned = new Set([...sourceProfiles.values()].flatMap(({ profile }) => profile.identifiers));
  const notifications = [...new Map([...earlierNotifications, ...notificationsByKey(rows)]).values()];
  return {
    customers: shownCustomers(customerIds, sourceProfiles, rows, identity).map((shown) =>
      actualCustomer(shown, owned, interactions),
    ),
    notifications: notifications
      .filter(({ status }) => status === 'sent')
      .flatMap((one) =>
        (one.addresses ?? []).map((address) => ({
          ...actualNotification(one),
          to: identifierValue(address),
        })),
      ),
    suppressed: notifications.filter(({ status }) => status === 'suppressed').map(actualNotification),
    crm: crms.records(new Set([...sourceProfiles.keys()].filter((id) => !customerIds.includes(id)))),
    connections: Object.fromEntries(
      rows.flatMap((row): [string, string][] => {
        const [kind, id = ''] = row.pk.split('#');
        if (kind === 'connection') return [[id, String(row['status'])]];
        return kind === 'pace' ? [[id, senderStatus(paceOf(row))]] : [];
      }),
    ),
    review: rows.filter(({ pk }) => pk === 'review').length,
    failures: rows
      .filter(({ sk }) => sk === 'failure')
      .map(failureOf)
      .filter(({ status }) => status === 'open')
      .map(({ stage, about, code, reason }) => {
        const subject = Object.entries(about).map(([key, value]) => `${key} ${value}`);
        return `failure in ${[stage, ...subject].join(', ')}: ${code}: ${reason}`;
      }),
  };
};

const sourceProfilesIn = (rows: readonly Row[]): Map<string, SourceProfile> => {
  const activities = new Map(rows.filter(({ sk }) => sk === 'activity').map((row) => [row.pk, row]));
  return new Map(
    rows
      .filter(({ sk }) => sk === 'profile')
      .flatMap((row) => {
        const activity = activities.get(row.pk);
        const profile = profileOf(row);
        return activity ? [[profile.id, { profile, activity: activityOf(activity) }] as const] : [];
      }),
  );
};

/** A customer, with the guests that are shown with it. */
interface ShownCustomer {
  readonly customer: Customer;
  readonly guests: readonly Customer[];
}

const actualCustomer = (
  { customer, guests }: ShownCustomer,
  owned: ReadonlySet<string>,
  interactions: readonly InteractionRow[],
): ActualCustomer => {
  const { identifiers, consent, preferences, sourceProfiles } = customer;
  const all = [customer, ...guests];
  const ids = new Set(all.flatMap((one) => one.sourceProfiles.map(({ profile }) => profile.id)));
  const { name, language, timeZone, stage, tags, traits } = fillFromGuests(customer, guests);
  return {
    identifiers,
    claimed: [...new Set(all.flatMap(({ claimed }) => claimed))].filter((one) => !owned.has(one)),
    profile: { name, language, timeZone, stage, tags, traits },
    timeline: interactions.filter((one) => ids.has(one.profileId) && isCounted(one)).length,
    consent: Object.fromEntries(
      Object.entries(consent).map(([channel, entry]) => [channel, entry?.status ?? 'unknown']),
    ),
    preferences: preferences.channel === undefined ? {} : { channel: preferences.channel },
    mergedFrom: sourceProfiles.slice(1).map(({ profile }) => profile.identifiers),
  };
};

/** What a CRM tells about a merge or a deletion there, and what the hub sent, is no act of the customer. */
const isCounted = ({ kind, channel, properties = {} }: InteractionRow): boolean =>
  kind !== 'notification' &&
  !(channel === 'crm' && ['merged', 'deleted'].includes(String(properties['act'])));

/** Persons with their guests, and the guests that are customers of their own. */
const shownCustomers = (
  customerIds: readonly string[],
  sourceProfiles: ReadonlyMap<string, SourceProfile>,
  rows: readonly Row[],
  config: IdentityConfig,
): ShownCustomer[] => {
  const owners = new Map(
    rows
      .filter(isOwnerKey)
      .map(ownerOf)
      .map(({ identifier, profileId }) => [identifier, profileId]),
  );
  const canonicalId = (profileId: string): string => {
    const survivor = sourceProfiles.get(profileId)?.activity.survivor?.id;
    return survivor === undefined ? profileId : canonicalId(survivor);
  };
  const customers = customerIds.map((id) => resolveCustomer(id, sourceProfiles));
  const personOf = ({ sourceProfiles: [guest] }: Customer): string | undefined => {
    const owner =
      guest &&
      shownWith(
        guest.profile,
        config,
        (identifier) => owners.get(identifier),
        (profileId) => resolveCustomer(canonicalId(profileId), sourceProfiles),
      );
    return owner === undefined ? undefined : canonicalId(owner);
  };
  const guests = Map.groupBy(
    customers.filter(({ guest }) => guest),
    personOf,
  );
  return [
    ...customers
      .filter(({ guest }) => !guest)
      .map((customer) => ({ customer, guests: guests.get(customer.id) ?? [] })),
    ...(guests.get(undefined) ?? []).map((customer) => ({ customer, guests: [] })),
  ];
};

const actualNotification = ({
  trigger,
  channel,
  at,
  template,
  step,
  file,
  reason,
}: Notification): Record<string, string> => ({
  trigger,
  at,
  ...(channel && { channel }),
  ...(template !== undefined && { template }),
  ...(step !== undefined && { step }),
  ...(file !== undefined && { file }),
  ...(reason !== undefined && { reason }),
});
