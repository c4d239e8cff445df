import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import { importedFields } from '../../../core/crm/check/examination.ts';
import { type Call, type CrmRecord, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import type { CrmFault } from '../../../core/crm/fault.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { sync } from '../../../functions/sync/sync.ts';
import {
  type ServicenowOptions,
  type ServicenowSandbox,
  servicenowSandbox,
} from '../../../infra/sandbox/servicenow/server.ts';
import { readSeed } from '../../../infra/stack/seed.ts';
import { customerOf, linksInMemory, syncPortsOf } from '../../support/crm/in-memory.ts';

const by = { table: 'u_hub_contact_import', object: 'customer_contact', keyField: 'u_hub_id' };
const call: Call = {
  signal: AbortSignal.timeout(60_000),
  spend: async () => undefined,
  sleep: async () => undefined,
};
const ada: CrmRecord = { key: 'hub:c1', fields: { last_name: 'Lovelace', email: 'ada@example.com' } };
const shipped = readSeed().crm['servicenow'] as { contact: object };
const mapping = { ...shipped, contact: { ...shipped.contact, importSet: by.table } };
const fields = importedFields(compileMapping('servicenow', mapping).source.contact);

let instance: ServicenowSandbox;
const start = async (options: ServicenowOptions = {}): Promise<void> => {
  instance = await servicenowSandbox(new DatabaseSync(':memory:'), {
    ...options,
    customFields: ['customer_contact', 'interaction', 'sn_customerservice_case'].map((table) => ({
      ...{ table, name: 'u_hub_id', unique: true, maxLength: 64 },
    })),
  });
};
beforeEach(() => start());
afterEach(() => instance.stop());

const open = (): Promise<CrmSession> => servicenow.open(instance.secret, unsharedToken, call.signal);
const imports = async () => {
  const { imports: found } = await open();
  if (found === undefined) throw new Error('ServiceNow has import sets.');
  return found;
};
const write = async (...records: readonly CrmRecord[]) => (await imports()).upsert(by, records, call);
type Values = Readonly<Record<string, string>>;
const change = (table: string, where: Values, set: Values): void => instance.staff.update(table, where, set);
const refusal = (work: Promise<unknown>): Promise<CrmFault | undefined> =>
  work.then(
    () => undefined,
    (error: CrmFault) => error,
  );

it('an import set that is not there is said, made with its map, and then used', async () => {
  expect(await (await imports()).examine(by, fields, call)).toMatchObject([
    { about: 'import set', ok: false, says: expect.stringContaining('is not there') },
  ]);
  expect(await refusal(write(ada))).toMatchObject({
    ...{ code: 'servicenow-import-set', scope: 'object', why: 'setup', object: by.object },
    message: expect.stringContaining('tick Coalesce on u_hub_id alone'),
  });
  for (const _ of [1, 2]) await (await imports()).create(by, fields, call);
  expect(await (await imports()).examine(by, fields, call)).toMatchObject([{ ok: true }]);
  expect(instance.records('sys_transform_map')).toHaveLength(1);
  expect(instance.records('sys_transform_entry')).toHaveLength(fields.length + 1);
  const [first] = await write(ada);
  const [again] = await write({ ...ada, fields: { ...ada.fields, title: 'Countess', phone: null } });
  expect(again).toMatchObject({ ...first, held: { title: 'Countess', phone: null } });
  expect(instance.records(by.object)).toMatchObject([
    { fields: { u_hub_id: 'hub:c1', last_name: 'Lovelace', title: 'Countess' } },
  ]);
  expect(instance.records(by.table)).toHaveLength(2);
});

it.each([
  [
    'does not find records by the key',
    'sys_transform_entry',
    { target_field: 'u_hub_id' },
    { coalesce: 'false' },
    'alone',
  ],
  [
    'finds records by another field too',
    'sys_transform_entry',
    { target_field: 'email' },
    { coalesce: 'true' },
    'alone',
  ],
  ['is not active', 'sys_transform_map', {}, { active: 'false' }, 'has 0 active transform maps'],
  ['leads to another table', 'sys_transform_map', {}, { target_table: 'csm_consumer' }, 'has 0 active'],
])('a transform map that %s writes nobody', async (_, table, where, set, says) => {
  await (await imports()).create(by, fields, call);
  change(table, where, set);
  expect(await refusal(write(ada))).toMatchObject({
    scope: 'object',
    message: expect.stringContaining(says),
  });
  expect(instance.records(by.object)).toEqual([]);
  expect(instance.records(by.table)).toEqual([]);
});

it('a record that was deleted is not made again, and a map that is switched off meanwhile stops the object', async () => {
  await (await imports()).create(by, fields, call);
  const session = await imports();
  const known = { ...ada, id: 'f'.repeat(32) };
  expect(await session.upsert(by, [known], call)).toMatchObject([
    { fault: { scope: 'record', why: 'gone' } },
  ]);
  expect(instance.records(by.object)).toEqual([]);
  await session.upsert(by, [ada], call);
  change('sys_transform_map', {}, { active: 'false' });
  expect(await session.upsert(by, [ada], call)).toMatchObject([
    { fault: { code: 'servicenow-import-set', scope: 'object', why: 'setup' } },
  ]);
});

it('a map that writes as another user than the hub is a fault of the object', async () => {
  await instance.stop();
  await start({ importsRunAs: 'system' });
  await (await imports()).create(by, fields, call);
  expect(await write(ada)).toMatchObject([
    {
      fault: {
        code: 'servicenow-import-set',
        scope: 'object',
        message: expect.stringContaining('another user'),
      },
    },
  ]);
});

it('the rows of an import set are erased by the key', async () => {
  const session = await open();
  await session.imports?.create(by, fields, call);
  for (const _ of [1, 2]) await session.imports?.upsert(by, [ada, { ...ada, key: 'hub:c2' }], call);
  const column = session.imports?.columnOf(by.keyField) ?? '';
  expect(await session.remove(by.table, column, [ada.key], call)).toEqual([{ key: ada.key, found: true }]);
  expect(instance.records(by.table).map(({ fields: row }) => row['u_hub_id'])).toEqual(['hub:c2', 'hub:c2']);
});

it('who may not look at transform maps is told which role it needs', async () => {
  await (await imports()).create(by, fields, call);
  instance.fault({ kind: 'missing-scope', object: 'sys_transform_map' });
  expect((await refusal(write(ada)))?.message).toContain('import_transformer');
});

it('the sync writes people by the import set of the mapping, and links what it has made and found', async () => {
  await (await imports()).create(by, fields, call);
  const found = instance.seed(by.object, { last_name: 'Staff', email: 'ada1@example.com' });
  const customers = new Map([0, 1].map((at) => customerOf(at, 'Ada')).map((one) => [one.id, one]));
  const { links, states } = linksInMemory();
  const saveFailure = (_: string, error: Error): void => {
    throw error;
  };
  const ports = syncPortsOf(servicenow, instance, { customers, links, mapping, saveFailure });
  const batch = [...customers.keys()].map((profileId) => ({ id: profileId, message: { profileId } }));
  expect((await sync(ports)(batch)).size).toBe(0);
  expect(instance.records(by.object)).toHaveLength(2);
  expect(states.get('c1')?.record).toBe(found);
  expect(states.get('c0')?.fields['email']).toMatchObject({
    theirs: 'ada0@example.com',
    at: expect.any(String),
  });
  expect(instance.records(by.table)).toHaveLength(2);
  const held = instance.records(by.object).find(({ id }) => id === found)?.fields;
  expect(held).toMatchObject({ u_hub_id: 'bench:c1', last_name: 'Staff', phone: '+14155550001' });
});
