import { expect, it } from 'vitest';
import type { SourceProfile } from '../../core/identity/profile.ts';
import { newSourceProfile } from '../../core/identity/source-profile.ts';
import { recentParts } from '../../core/timeline/lists.ts';
import type { Table } from '../../functions/aws/clients/dynamo.ts';
import { history } from '../../functions/aws/customers/history.ts';
import { lists } from '../../functions/aws/customers/lists/lists.ts';
import { eraseRows } from '../../functions/aws/erasure/erase-rows.ts';
import { erasures } from '../../functions/aws/erasure/erasures.ts';
import { hashedKeysUnder } from '../../functions/aws/erasure/hashed-keys.ts';
import { activityKey, profileKey } from '../../functions/contracts/keys.ts';
import { noPause } from '../support/no-pause.ts';
import { openTestTable } from '../support/open-test-table.ts';

const AT = '2026-03-02T09:00:00.000Z';
const HALF = 'ada';

const sourceProfile = (version: number, full: string): SourceProfile => {
  const { profile, activity } = newSourceProfile(HALF, AT);
  return { profile: { ...profile, version, name: { full } }, activity: { ...activity, version } };
};
const put = (table: Table, { profile, activity }: SourceProfile) =>
  table.transact([
    { put: { ...profileKey(HALF), ...profile } },
    { put: { ...activityKey(HALF), ...activity } },
  ]);

/** A table that lets something happen before its call number `at`. */
const interrupted = (table: Table, at: number, act: () => Promise<void>): Table => {
  let calls = 0;
  const before = async (): Promise<void> => {
    if (++calls === at) await act();
  };
  return {
    ...table,
    async get(keys) {
      await before();
      return table.get(keys);
    },
    async transact(writes) {
      await before();
      return table.transact(writes);
    },
    async *query(pk, range) {
      await before();
      yield* table.query(pk, range);
    },
  };
};

/** Taken up again until it is done, as a job does. */
const erased = async (table: Table, once: Table): Promise<void> => {
  const customer = await history(table).customer(HALF);
  if (customer === undefined) return;
  const loadHashedKeys = async () => hashedKeysUnder('a key of the tests 0123');
  const at = (one: Table) =>
    eraseRows({
      table: one,
      loadHashedKeys,
      erasures: erasures(one),
      runtime: { ...noPause, now: () => Date.parse(AT) },
    });
  try {
    await at(once).remove('e', HALF, () => true);
  } catch {
    await at(table).remove('e', HALF, () => true);
  }
};
const listed = async (table: Table, once: Table): Promise<void> => {
  const customers = await history(table).customers([HALF]);
  await lists(once, noPause)({ interactions: [], customers, notifications: [] });
};

it.each([
  ['for the first time', false],
  ['under another name', true],
])('a customer who is listed %s and erased at the same time is in no list', async (_, before) => {
  const left: string[] = [];
  for (const [first, second] of [
    [erased, listed],
    [listed, erased],
  ] as const)
    for (let at = 1; at <= 14; at++) {
      const table = (await openTestTable()).rows;
      await put(table, sourceProfile(1, 'Ada Lovelace'));
      if (before) {
        await listed(table, table);
        await put(table, sourceProfile(2, 'Ada King'));
      }
      await first(
        table,
        interrupted(table, at, () => second(table, table)),
      );
      await erased(table, table);
      const parts = [...recentParts('2026-03-02'), 'name#a', 'name#l', 'name#k'].map(
        (part) => `list#${part}`,
      );
      for (const pk of [...parts, `customer#${HALF}`])
        for await (const { sk } of table.query(pk)) left.push(`${first.name} ${at}: ${pk} ${sk}`);
    }
  expect(left).toEqual([]);
});
