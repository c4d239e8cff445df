import { expect, it } from 'vitest';
import { newSourceProfile } from '../../core/identity/source-profile.ts';
import { history } from '../../functions/aws/customers/history.ts';
import { lists } from '../../functions/aws/customers/lists/lists.ts';
import { activityKey, profileKey } from '../../functions/contracts/keys.ts';
import { noPause } from '../support/no-pause.ts';
import { openTestTable } from '../support/open-test-table.ts';

const HALF = 'ada';

it('a worker with an older version of a customer does not move the customer back', async () => {
  const table = (await openTestTable()).rows;
  const known = async (version: number, full: string) => {
    const { profile, activity } = newSourceProfile(HALF, '2026-03-02T09:00:00.000Z');
    await table.transact([
      { put: { ...profileKey(HALF), ...profile, version, name: { full } } },
      { put: { ...activityKey(HALF), ...activity, version } },
    ]);
    return { interactions: [], customers: await history(table).customers([HALF]), notifications: [] };
  };
  const before = await known(1, 'Lovelace');
  const after = await known(2, 'King');
  for (const batch of [after, before]) await lists(table, noPause)(batch);
  const found: string[] = [];
  for (const part of ['name#k', 'name#l'])
    for await (const { sk } of table.query(`list#${part}`)) found.push(sk);
  expect(found).toEqual(['king#ada']);
});
