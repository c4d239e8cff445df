import { beforeEach, expect, it } from 'vitest';
import { snapshotCustomer } from '../../core/identity/customer-snapshot.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import { People } from '../../core/identity/people.ts';
import { resolveInteraction } from '../../core/identity/resolution.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { peopleStore } from '../../functions/aws/customers/people-store.ts';
import { hashedKeysUnder } from '../../functions/aws/erasure/hashed-keys.ts';
import type { Work } from '../../functions/contracts/work.ts';
import { openTestTable, type TestTable } from '../support/open-test-table.ts';

const config = IdentityConfig.parse({});
const at = '2026-03-02T09:00:00.000Z';
let table: TestTable;
beforeEach(async () => {
  table = await openTestTable();
});

const said = (id: string): Interaction => ({
  id,
  kind: 'message',
  channel: 'sms',
  provider: 'standard',
  direction: 'inbound',
  occurredAt: at,
  identifiers: ['phone:+14155550100'],
});

/** What a function does between reading and writing; the writing waits until it is called. */
const begin = async (id: string): Promise<() => Promise<unknown>> => {
  const store = peopleStore(table.rows, async () => hashedKeysUnder('a key of the tests'));
  const interaction = said(id);
  const work: Work = { type: 'interaction', message: id, receivedAt: at, interaction };
  const loaded = await store.load([work], config);
  const people = new People(loaded, config, table.runtime.newId);
  const placement = resolveInteraction(people, interaction, undefined, at);
  const profileId = placement.profileId ?? '';
  const customer = snapshotCustomer(people.customer(profileId), profileId, placement.isNew);
  const stored = { ...interaction, profileId, receivedAt: at, customer };
  const changes = { people, interactions: [{ placement, stored }], commands: [], receivedBeforeErasure: [] };
  return () => store.commit({ ...changes, completions: [], waited: new Set() }, loaded, config, 3600);
};

it('refuses to overwrite rows that changed after they were read', async () => {
  expect(await (await begin('first'))()).toBe(true);
  const [one, other] = [await begin('second'), await begin('third')];
  expect([await one(), await other()]).toEqual([true, false]);
  expect(await (await begin('third'))()).toBe(true);
});

it('creates one customer for two first contacts that were read before either was written', async () => {
  const [one, other] = [await begin('first'), await begin('second')];
  expect([await one(), await other()]).toEqual([true, false]);
});
