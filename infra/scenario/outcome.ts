import { resolveCustomer, type SourceProfile } from '../../core/identity/customer.ts';
import { identifierValue } from '../../core/identity/identifier.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import { interactionOf } from '../../functions/contracts/rows/interactions.ts';
import { activityOf, profileOf } from '../../functions/contracts/rows/people.ts';
import type { Row } from '../../functions/contracts/rows/row.ts';
import { notificationOf } from '../../functions/contracts/rows/triggers.ts';
import type { ActualCustomer, Outcome } from './compare.ts';
import { scanTable } from './scan-table.ts';
import type { ScenarioHub } from './scenario-hub.ts';

/** The notifications among rows, by the keys of their rows. */
export const notificationsByKey = (rows: readonly Row[]): Map<string, Notification> =>
  new Map(
    rows
      .filter(({ sk }) => sk.startsWith('notification#'))
      .map((row) => [`${row.pk} ${row.sk}`, notificationOf(row)]),
  );

/** How a story has ended. */
export const readOutcome = async (stage: ScenarioHub): Promise<Outcome> => {
  const rows = await scanTable(stage.runtime);
  const sourceProfiles = new Map<string, SourceProfile>();
  for (const row of rows.filter(({ sk }) => sk === 'profile')) {
    const activity = rows.find(({ pk, sk }) => pk === row.pk && sk === 'activity');
    if (activity)
      sourceProfiles.set(profileOf(row).id, { profile: profileOf(row), activity: activityOf(activity) });
  }
  const roots = [...sourceProfiles.values()]
    .filter(({ activity }) => activity.survivor === undefined)
    .map(({ profile }) => profile.id);
  const acts = rows.filter(({ sk }) => sk.startsWith('at#')).map(interactionOf);
  const customers = roots.map((root): ActualCustomer => {
    const customer = resolveCustomer(root, sourceProfiles);
    const ids = new Set(customer.sourceProfiles.map(({ profile }) => profile.id));
    return {
      identifiers: customer.identifiers,
      timeline: acts.filter(({ profileId, kind }) => ids.has(profileId) && kind !== 'notification').length,
      consent: Object.fromEntries(
        Object.entries(customer.consent).map(([channel, entry]) => [channel, entry?.status ?? 'unknown']),
      ),
      preferences:
        customer.preferences.channel === undefined ? {} : { channel: customer.preferences.channel },
      mergedFrom: customer.sourceProfiles.slice(1).map(({ profile }) => profile.identifiers),
    };
  });
  const decided = [...new Map([...stage.earlierNotifications, ...notificationsByKey(rows)]).values()];
  const told = ({ trigger, channel, at, template, reason }: Notification): Record<string, string> => ({
    trigger,
    at,
    ...(channel && { channel }),
    ...(template !== undefined && { template }),
    ...(reason !== undefined && { reason }),
  });
  return {
    customers,
    notifications: decided
      .filter(({ status }) => status === 'sent')
      .flatMap((one) =>
        (one.addresses ?? []).map((address) => ({ ...told(one), to: identifierValue(address) })),
      ),
    suppressed: decided.filter(({ status }) => status === 'suppressed').map(told),
    crm: stage.crms.countRecords(new Set(roots)),
    review: rows.filter(({ pk }) => pk === 'review').length,
    refused: rows
      .filter(({ sk }) => sk === 'failure')
      .map((row) => `not done: ${String(row['code'])}: ${String(row['reason'])}`),
  };
};
