import { beforeEach, describe, expect, it } from 'vitest';
import type { Identifier } from '../../core/identity/identifier.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import { mergeManually } from '../../core/identity/merge.ts';
import { People } from '../../core/identity/people.ts';
import { resolveInteraction } from '../../core/identity/resolution.ts';
import { applyPreference } from '../../core/identity/source-profile.ts';
import { snapshotCustomer } from '../../core/interaction/customer-snapshot.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { linkedProfiles, linkWrites, unlinkWrite } from '../../functions/aws/customers/links.ts';
import { peopleStore } from '../../functions/aws/customers/people-store.ts';
import { hashedKeysUnder } from '../../functions/aws/erasure/hashed-keys.ts';
import { addressClaimKey, identifierKey, syncStateKey } from '../../functions/contracts/keys.ts';
import { ownerOf } from '../../functions/contracts/rows/people.ts';
import type { Work } from '../../functions/contracts/work.ts';
import { openTestTable, type TestTable } from '../support/open-test-table.ts';

const config = IdentityConfig.parse({});
const at = '2026-03-02T09:00:00.000Z';
let table: TestTable;
beforeEach(async () => {
  table = await openTestTable();
});

const said = (id: string, identifier: Identifier): Interaction => ({
  id,
  kind: 'message',
  channel: 'sms',
  provider: 'standard',
  direction: 'inbound',
  occurredAt: at,
  identifiers: [identifier],
});

/** What a function does between reading and writing; the writing waits until it is called. */
const begin = async (
  id: string,
  identifier: Identifier = 'phone:+14155550100',
  more: Partial<Interaction> = {},
): Promise<() => Promise<unknown>> => {
  const store = peopleStore(table.rows, async () => hashedKeysUnder('a key of the tests'));
  const interaction = { ...said(id, identifier), ...more };
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

describe('a record of a CRM', () => {
  const RECORD: Identifier = 'salesforce:003A';
  const report = { kind: 'contact-update', channel: 'crm', provider: 'salesforce' } as const;
  const [ADA, BOB]: [Identifier, Identifier] = ['email:ada@example.com', 'email:bob@example.com'];
  const told = (id: string, email: Identifier) =>
    begin(id, email, { ...report, identifiers: [RECORD, email] });
  const stateOf = async (profileId: string) =>
    (await table.rows.get([syncStateKey(profileId, 'salesforce')]))[0];

  it('has one owner, where two reports of it were read before either was written', async () => {
    const [one, other] = [await told('first', ADA), await told('second', BOB)];
    expect([await one(), await other()]).toEqual([true, false]);
    expect(await (await told('second', BOB))()).toBe(true);
    const owners = (await table.rows.get([RECORD, ADA, BOB].map(identifierKey))).map(ownerOf);
    expect(owners).toHaveLength(3);
    expect(new Set(owners.map(({ profileId }) => profileId)).size).toBe(1);
  });

  it('is known to its sync from then on', async () => {
    await (await told('first', ADA))();
    const [owner] = (await table.rows.get([identifierKey(RECORD)])).map(ownerOf);
    expect(await stateOf(owner?.profileId ?? '')).toMatchObject({ version: 1, record: '003A', fields: {} });
  });

  it('does not replace what its sync knows, and no older state replaces the record', async () => {
    await (await begin('first', ADA))();
    const [owner] = (await table.rows.get([identifierKey(ADA)])).map(ownerOf);
    const key = syncStateKey(owner?.profileId ?? '', 'salesforce');
    await table.rows.put({ ...key, version: 4, fields: { Title: { theirs: 'Buyer' } } });
    await (await told('second', ADA))();
    const linked = { record: '003A', version: 5, fields: { Title: { theirs: 'Buyer' } } };
    expect(await stateOf(owner?.profileId ?? '')).toMatchObject(linked);
    expect(await table.rows.put({ ...key, version: 5, fields: {} }, { version: 4 })).toBe(false);
    await (await begin('third', ADA, { ...report, identifiers: ['salesforce:003B', ADA] }))();
    expect(await stateOf(owner?.profileId ?? '')).toMatchObject({ ...linked, version: 6 });
  });

  it('is linked and unlinked by its sync in one transaction, to nobody whom it is not linked to', async () => {
    await (await begin('first', ADA))();
    const [owner] = (await table.rows.get([identifierKey(ADA)])).map(ownerOf);
    const profileId = owner?.profileId ?? '';
    expect(await table.rows.transact(linkWrites(RECORD, profileId))).toBe(true);
    expect(await linkedProfiles(table.rows, [RECORD, 'salesforce:003B'])).toEqual(
      new Map([[RECORD, profileId]]),
    );
    expect(await table.rows.transact(linkWrites(RECORD, 'another'))).toBe(false);
    expect(await table.rows.transact(linkWrites('salesforce:003B', 'erased-since'))).toBe(false);
    await table.rows.transact([unlinkWrite(RECORD)]);
    expect((await linkedProfiles(table.rows, [RECORD])).size).toBe(0);
  });
});

it('keeps the time of the last claimed opt-out of an address, in whatever order they arrive', async () => {
  const address = 'phone:+14155550100';
  const optOut = async (id: string, occurredAt: string): Promise<unknown> =>
    (await begin(id, address, { kind: 'opt-out', claimed: [address], occurredAt }))();
  for (const minute of ['05', '09', '01']) await optOut(minute, `2026-03-02T09:${minute}:00.000Z`);
  const [row] = await table.rows.get([addressClaimKey(address, 'mute')]);
  expect(row).toMatchObject({ at: '2026-03-02T09:09:00.000Z', source: '09' });
});

describe('a merge and a change of the merged-in profile, read before either is written', () => {
  const [ADA, LOSER]: [Identifier, Identifier] = ['phone:+14155550100', 'email:ada@example.com'];
  const store = () => peopleStore(table.rows, async () => hashedKeysUnder('a key of the tests'));

  /** Reads both customers, changes them in memory, and writes when the result is called. */
  const beginChange = async (
    change: (people: People, loser: string) => void,
  ): Promise<() => Promise<unknown>> => {
    const command = {
      type: 'command',
      command: 'merge',
      reason: 'the same person',
      id: 'm',
      at,
      by: 'ada',
    } as const;
    const work: Work = { type: 'command', message: 'm', command: { ...command, keep: ADA, other: LOSER } };
    const loaded = await store().load([work], config);
    const people = new People(loaded, config, table.runtime.newId);
    change(people, people.ownerOf(LOSER));
    const changes = { people, interactions: [], commands: [], completions: [], receivedBeforeErasure: [] };
    return () => store().commit({ ...changes, waited: new Set() }, loaded, config, 3600);
  };
  const beginMerge = () =>
    beginChange((people) => {
      mergeManually(people, people.ownerOf(ADA), people.ownerOf(LOSER), { at, by: 'ada', cause: 'm' });
    });
  /** Writes the profile row alone, as a preference does. */
  const beginPreference = () =>
    beginChange((people, loser) =>
      people.updateProfile(loser, (profile) => applyPreference(profile, 'sms', at)),
    );

  beforeEach(async () => {
    for (const [id, identifier] of [
      ['first', ADA],
      ['second', LOSER],
    ] as const)
      await (await begin(id, identifier))();
  });

  it('exclude each other, whichever is written first', async () => {
    const [merge, preference] = [await beginMerge(), await beginPreference()];
    expect([await merge(), await preference()]).toEqual([true, false]);
  });

  it('exclude each other the other way round, too', async () => {
    const [merge, preference] = [await beginMerge(), await beginPreference()];
    expect([await preference(), await merge()]).toEqual([true, false]);
  });
});
