import type { SourceProfile } from '../../../core/identity/profile.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { type InteractionRow, interactionOf } from '../../../functions/contracts/rows/interactions.ts';
import { activityOf, profileOf } from '../../../functions/contracts/rows/people.ts';
import type { Row } from '../../../functions/contracts/rows/row.ts';
import { notificationOf } from '../../../functions/contracts/rows/triggers.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';

/** The table, and its rows by kind. */
export interface StoredState {
  readonly all: readonly Row[];
  readonly byKey: ReadonlyMap<string, Row>;
  readonly sourceProfiles: ReadonlyMap<string, SourceProfile>;
  readonly interactions: readonly InteractionRow[];
  readonly notifications: readonly Notification[];
}

export const rowKey = (pk: string, sk: string): string => `${pk} ${sk}`;

/** Reads the whole table. */
export const readState = async (runtime: Runtime): Promise<StoredState> => {
  const all = await scanTable(runtime);
  const byKey = new Map(all.map((row) => [rowKey(row.pk, row.sk), row]));
  const sourceProfiles = new Map<string, SourceProfile>();
  for (const row of all.filter(({ sk }) => sk === 'profile')) {
    const activity = byKey.get(rowKey(row.pk, 'activity'));
    const profile = profileOf(row);
    if (activity) sourceProfiles.set(profile.id, { profile, activity: activityOf(activity) });
  }
  return {
    ...{ all, byKey, sourceProfiles },
    interactions: all.filter(({ sk }) => sk.startsWith('at#')).map(interactionOf),
    notifications: all.filter(({ sk }) => sk.startsWith('notification#')).map(notificationOf),
  };
};
