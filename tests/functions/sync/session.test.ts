import { expect, it } from 'vitest';
import type { Stop } from '../../../core/crm/connection.ts';
import type { CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import { withParkedObjects } from '../../../functions/sync/connection/session.ts';

const call = { signal: new AbortController().signal, spend: async () => {}, sleep: async () => {} };
const stop: Stop = {
  ...{ since: '2026-03-02T09:00:00.000Z', nextProbeAt: '2026-03-02T09:00:30.000Z', probes: 0 },
  ...{ code: 'crm-field', why: 'setup', reason: 'Create the field Phone.', announced: true },
};
const refusal = new CrmFault('unavailable-crm', 'No such field.', { scope: 'object', why: 'setup' });
const unused = (): Promise<never> => Promise.reject(new Error('This is not called.'));
const session: CrmSession = {
  ...{ describe: unused, account: unused, examine: unused, find: unused, list: unused, remove: unused },
  ...{ addChildren: unused, children: unused },
  read: () => Promise.reject(refusal),
  upsert: async (_object, _key, records) => records.map(({ key }) => ({ key, fault: refusal })),
};
const opened = (parked: Readonly<Record<string, Stop>>, probed?: string) => {
  const answered: string[] = [];
  const onAnswer = (object: string): void => void answered.push(object);
  return { answered, session: withParkedObjects(session, { parked, probed, onAnswer }) };
};

it('a parked object is refused without a call, with the reason for which it is parked', async () => {
  const { session: guarded, answered } = opened({ Contact: stop });
  await expect(guarded.find('Contact', 'email', ['a@example.com'], [], call)).rejects.toMatchObject({
    ...{ code: 'parked-object', message: 'Create the field Phone.', scope: 'object', object: 'Contact' },
  });
  expect(answered).toEqual([]);
});

it('every fault names its object, also that of one record, and a probed object is called', async () => {
  const { session: guarded, answered } = opened({ Contact: stop }, 'Contact');
  await expect(guarded.read('Task', [], [], call)).rejects.toMatchObject({ object: 'Task' });
  const [result] = await guarded.upsert('Contact', 'Hub_Id__c', [{ key: 'k', fields: {} }], call);
  expect(result).toMatchObject({ key: 'k', fault: { object: 'Contact', scope: 'object', why: 'setup' } });
  expect(answered).toEqual(['Contact']);
});
