import { resolveCustomer } from '../../core/identity/customer.ts';
import { identifierValue } from '../../core/identity/identifier.ts';
import type { SourceProfile } from '../../core/identity/profile.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import { type InteractionRow, interactionOf } from '../../functions/contracts/rows/interactions.ts';
import { failureOf } from '../../functions/contracts/rows/operations.ts';
import { activityOf, profileOf } from '../../functions/contracts/rows/people.ts';
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
export const readOutcome = async ({ runtime, crms, earlierNotifications }: ScenarioHub): Promise<Outcome> => {
  const rows = await scanTable(runtime);
  const sourceProfiles = sourceProfilesIn(rows);
  const customerIds = [...sourceProfiles.values()]
    .filter(({ activity }) => activity.survivor === undefined)
    .map(({ profile }) => profile.id);
  const interactions = rows.filter(({ sk }) => sk.startsWith('at#')).map(interactionOf);
  const notifications = [...new Map([...earlierNotifications, ...notificationsByKey(rows)]).values()];
  return {
    customers: customerIds.map((id) => actualCustomer(id, sourceProfiles, interactions)),
    notifications: notifications
      .filter(({ status }) => status === 'sent')
      .flatMap((one) =>
        (one.addresses ?? []).map((address) => ({
          ...actualNotification(one),
          to: identifierValue(address),
        })),
      ),
    suppressed: notifications.filter(({ status }) => status === 'suppressed').map(actualNotification),
    crm: crms.countRecords(new Set(customerIds)),
    review: rows.filter(({ pk }) => pk === 'review').length,
    failures: rows
      .filter(({ sk }) => sk === 'failure')
      .map(failureOf)
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

const actualCustomer = (
  id: string,
  all: ReadonlyMap<string, SourceProfile>,
  interactions: readonly InteractionRow[],
): ActualCustomer => {
  const { identifiers, consent, preferences, sourceProfiles } = resolveCustomer(id, all);
  const ids = new Set(sourceProfiles.map(({ profile }) => profile.id));
  return {
    identifiers,
    timeline: interactions.filter(({ profileId, kind }) => ids.has(profileId) && kind !== 'notification')
      .length,
    consent: Object.fromEntries(
      Object.entries(consent).map(([channel, entry]) => [channel, entry?.status ?? 'unknown']),
    ),
    preferences: preferences.channel === undefined ? {} : { channel: preferences.channel },
    mergedFrom: sourceProfiles.slice(1).map(({ profile }) => profile.identifiers),
  };
};

const actualNotification = ({
  trigger,
  channel,
  at,
  template,
  reason,
}: Notification): Record<string, string> => ({
  trigger,
  at,
  ...(channel && { channel }),
  ...(template !== undefined && { template }),
  ...(reason !== undefined && { reason }),
});
