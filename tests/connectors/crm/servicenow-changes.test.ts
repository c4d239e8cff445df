import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import {
  type Call,
  type Changes,
  type ChangesSince,
  type CrmSession,
  unsharedToken,
} from '../../../core/crm/connector.ts';
import { type ServicenowSandbox, servicenowSandbox } from '../../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../../infra/scenario/hub/sandboxes.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const CONTACTS = 'customer_contact';
const DELETIONS = 'sys_audit_delete';
const call: Call = {
  signal: AbortSignal.timeout(30_000),
  spend: async () => undefined,
  sleep: async () => undefined,
};

let now: number;
let sandbox: ServicenowSandbox;
let session: CrmSession;
const open = async (options: object = {}): Promise<void> => {
  now = START;
  sandbox = await servicenowSandbox(new DatabaseSync(':memory:'), {
    ...{ now: () => now, ...crmFields.servicenow, ...options },
  });
  session = await servicenow.open(sandbox.secret, unsharedToken, call.signal);
};
beforeEach(() => open());
afterEach(() => sandbox.stop());

const wait = (seconds: number): void => {
  now += seconds * 1000;
};
/** What changed up to ten seconds ago. */
const ask = async (cursor?: string, more: Partial<ChangesSince> = {}): Promise<Changes> => {
  const since = {
    ...{ fields: ['last_name'], from: new Date(START).toISOString() },
    until: new Date(now - 10_000).toISOString(),
    ...(cursor !== undefined && { cursor }),
    ...more,
  };
  const page = await session.changes?.(CONTACTS, since, call);
  if (page === undefined) throw new Error('ServiceNow is not asked for changes.');
  return page;
};
const namesIn = ({ records }: Changes): unknown[] => records.map(({ fields }) => fields['last_name']);
const make = (name: string): string => sandbox.staff.create(CONTACTS, { last_name: name });

describe('what changed in ServiceNow', () => {
  it('is each record once, as it is now, the earliest change first, and nothing before the hub came', async () => {
    sandbox.seed(CONTACTS, { last_name: 'Long ago' });
    make('Ada');
    wait(5);
    make('Bob');
    wait(60);
    const first = await ask();
    expect(first).toMatchObject({ deleted: [], hasMore: false });
    expect(namesIn(first)).toEqual(['Ada', 'Bob']);
    sandbox.staff.update(CONTACTS, { last_name: 'Ada' }, { last_name: 'Lovelace' });
    wait(60);
    const second = await ask(first.next);
    expect(namesIn(second)).toEqual(['Lovelace']);
    expect(second.records[0]?.modifiedAt).toBe('2026-03-01T12:01:05.000Z');
    const third = await ask(second.next);
    expect([namesIn(third), third.next]).toEqual([[], second.next]);
  });

  it('leaves what was changed just now to the next time, because a slower transaction may follow', async () => {
    make('Ada');
    wait(60);
    const { next } = await ask();
    make('Bob');
    wait(5);
    expect(namesIn(await ask(next))).toEqual([]);
    wait(10);
    expect(namesIn(await ask(next))).toEqual(['Bob']);
  });

  it('is read in pages, also where more change in one second than a page has', async () => {
    const ids = Array.from({ length: 1200 }, (_, at) => make(`Name ${at}`));
    wait(60);
    const first = await ask();
    expect([first.records.length, first.hasMore]).toEqual([1000, true]);
    const second = await ask(first.next);
    expect(second.hasMore).toBe(false);
    expect(new Set([...first.records, ...second.records].map(({ id }) => id))).toEqual(new Set(ids));
    expect(first.records.length + second.records.length).toBe(1200);
  });

  it('has deletions by the real table of a record, and people who were deactivated', async () => {
    const [ada, bob] = [make('Ada'), make('Bob')];
    sandbox.staff.create('interaction', { short_description: 'Hello' });
    wait(60);
    const { next } = await ask();
    sandbox.staff.delete(CONTACTS, { last_name: 'Ada' });
    sandbox.staff.delete('interaction', { short_description: 'Hello' });
    wait(5);
    sandbox.staff.update(CONTACTS, { last_name: 'Bob' }, { active: 'false' });
    wait(60);
    const { records, deleted, next: then } = await ask(next);
    expect(records).toEqual([]);
    expect(new Set(deleted.map(({ id }) => id))).toEqual(new Set([ada, bob]));
    expect(await ask(then)).toMatchObject({ records: [], deleted: [] });
    // Of users, which contacts are too, a deletion is listed under the table of contacts.
    const since = { fields: [], from: new Date(START).toISOString(), until: new Date(now).toISOString() };
    expect((await session.changes?.('sys_user', since, call))?.deleted.map(({ id }) => id)).toContain(ada);
  });

  it('is followed without the right to read deletions, and these from the time on when it is given', async () => {
    make('Ada');
    const end = sandbox.fault({ kind: 'missing-scope', object: DELETIONS });
    wait(60);
    const first = await ask();
    expect(namesIn(first)).toEqual(['Ada']);
    sandbox.staff.delete(CONTACTS, { last_name: 'Ada' });
    wait(60);
    const second = await ask(first.next);
    expect(second.deleted).toEqual([]);
    const findings = await session.examine(call);
    expect(findings.find(({ about }) => about === 'deletions')?.says).toMatch(
      /may not read sys_audit_delete/,
    );
    end();
    expect((await ask(second.next)).deleted).toHaveLength(1);
  });

  it('fails with the table that the hub may not read', async () => {
    sandbox.fault({ kind: 'missing-scope', object: CONTACTS });
    await expect(ask()).rejects.toMatchObject({ scope: 'object', why: 'setup' });
  });

  it('costs one request, once the table is known', async () => {
    const { next } = await ask();
    const before = sandbox.requests();
    await ask(next);
    expect(sandbox.requests() - before).toBe(1);
  });
});

it('a contact that is not active is not there, and another one is', async () => {
  const id = make('Ada');
  sandbox.staff.update(CONTACTS, { last_name: 'Ada' }, { email: 'ada@example.com', active: 'false' });
  const look = async () => [
    (await session.read(CONTACTS, [id], [], call)).size,
    (await session.find(CONTACTS, 'email', ['ada@example.com'], [], call)).size,
    (await session.list(CONTACTS, [], undefined, call)).records.length,
  ];
  expect(await look()).toEqual([0, 0, 0]);
  sandbox.staff.update(CONTACTS, { last_name: 'Ada' }, { active: 'true' });
  expect(await look()).toEqual([1, 1, 1]);
});

describe('the column of the key', () => {
  const bare = { customFields: [{ table: 'interaction', name: 'u_hub_id' }] };

  it('that is not unique, or cannot be found by its name, is explained with the steps of an administrator', async () => {
    await sandbox.stop();
    await open(bare);
    await expect(session.createKeyField?.('interaction', 'u_hub_id', call)).rejects.toThrow(
      /is there, but it is not unique\. As an administrator .* System Definition, Tables, interaction, Columns, New/,
    );
    await expect(session.createKeyField?.(CONTACTS, 'hub_id', call)).rejects.toThrow(/begins with u_/);
  });
});
