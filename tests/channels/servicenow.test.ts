import { expect, it } from 'vitest';
import { decodeWith } from '../support/decode.ts';

const ID = 'a'.repeat(32);
const posted = {
  sys_id: ID,
  sys_mod_count: '4',
  sys_updated_on: '2026-03-02 09:00:00',
  sys_updated_by: 'hub',
};
const changeOf = async (more: object) =>
  (await decodeWith('servicenow', { ...posted, ...more })).interactions[0]?.change;

it('a business rule that posts a contact tells the sync to read it, whoever wrote it', async () => {
  const at = '2026-03-02T09:00:00.000Z';
  expect(
    await changeOf({ table: 'customer_contact', operation: 'update', email: 'ada@example.com' }),
  ).toEqual({
    ...{ object: 'customer_contact', id: ID, act: 'changed', at, fields: {}, merged: [] },
  });
  expect(await changeOf({ table: 'csm_consumer', operation: 'insert' })).toMatchObject({ act: 'created' });
  expect(await changeOf({ table: 'customer_contact', operation: 'delete' })).toMatchObject({
    act: 'deleted',
  });
});

it('an incident, and a user who is no customer, are no change of a contact', async () => {
  expect(await changeOf({ table: 'incident', operation: 'update' })).toBeUndefined();
  expect(await changeOf({ table: 'sys_user', operation: 'update' })).toBeUndefined();
});
