import { failureKey, sortKeyPrefix } from '../../../functions/contracts/keys.ts';
import { activityOf } from '../../../functions/contracts/rows/people.ts';
import { notificationOf } from '../../../functions/contracts/rows/triggers.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { scanTable } from './scan-table.ts';

/** What the table of a hub holds. */
interface TableTotals {
  readonly customers: number;
  /** The source profiles that were merged into another. */
  readonly mergedIn: ReadonlySet<string>;
  readonly interactions: number;
  /** Notifications that were suppressed. */
  readonly suppressed: number;
  /** What went wrong and waits for a person. */
  readonly failures: number;
}

/** Counts the rows of a hub's table by a scan. */
export const readTableTotals = async (runtime: Runtime): Promise<TableTotals> => {
  const rows = await scanTable(runtime);
  const profiles = rows.filter(({ sk }) => sk === 'activity').map(activityOf);
  const mergedIn = profiles.flatMap(({ id, survivor }) => (survivor === undefined ? [] : [id]));
  return {
    ...{ customers: profiles.length - mergedIn.length, mergedIn: new Set(mergedIn) },
    interactions: rows.filter(({ sk }) => sk.startsWith(sortKeyPrefix.interaction)).length,
    suppressed: rows
      .filter(({ sk }) => sk.startsWith(sortKeyPrefix.notification))
      .filter((row) => notificationOf(row).status === 'suppressed').length,
    failures: rows.filter(({ sk }) => sk === failureKey('').sk).length,
  };
};
