import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type OpenOrg, openOrg } from './org.ts';

let org: OpenOrg;
beforeEach(async () => {
  org = await openOrg();
  onTestFinished(() => org.stop());
});

const changes = () =>
  org.events.map(({ detail }) => {
    const { ChangeEventHeader: header, ...fields } = detail.payload;
    return { ...header, fields };
  });

test('a create carries all fields that are set, an update those that changed, with the name as a compound', async () => {
  const { id = '' } = await org.conn
    .sobject('Contact')
    .create({ LastName: 'Rossi', FirstName: 'Ada', MailingCity: 'Roma', DoNotCall: true });
  await org.conn.sobject('Contact').update({ Id: id, LastName: 'Bianchi', MailingCity: null });
  expect(org.events.map((event) => event['detail-type'])).toEqual([
    'ContactChangeEvent',
    'ContactChangeEvent',
  ]);
  const [created, updated] = changes();
  expect(created).toMatchObject({
    entityName: 'Contact',
    changeType: 'CREATE',
    recordIds: [id],
    changeOrigin: 'com/salesforce/api/rest/62.0;client=acme',
    changedFields: [],
    fields: {
      Name: { LastName: 'Rossi', FirstName: 'Ada' },
      MailingAddress: { City: 'Roma' },
      DoNotCall: true,
      LastModifiedDate: '2026-05-04T10:00:00.000Z',
    },
  });
  expect(created?.fields).not.toHaveProperty('Id');
  expect(updated).toMatchObject({
    changeType: 'UPDATE',
    changedFields: ['LastModifiedDate', 'Name.LastName', 'MailingAddress.City'],
    nulledFields: ['MailingAddress.City'],
    diffFields: [],
  });
  expect(updated?.fields).toEqual({
    Name: { LastName: 'Bianchi' },
    MailingAddress: { City: null },
    LastModifiedDate: '2026-05-04T10:00:00.000Z',
  });
});

test('the same change of several records in one request is one event; staff have an origin of their own', async () => {
  const ids = ['A', 'B'].map((LastName) => org.seed('Contact', { LastName }));
  expect(org.events).toEqual([]);
  await org.conn.sobject('Contact').update(ids.map((Id) => ({ Id, Title: 'Dr.' })));
  org.staff.update('Contact', { LastName: 'A' }, { Title: 'Prof.' });
  const [both, byStaff] = changes();
  expect(both).toMatchObject({ recordIds: ids, fields: { Title: 'Dr.' } });
  expect(byStaff).toMatchObject({
    recordIds: [ids[0]],
    changeOrigin: 'com/salesforce/api/soap/62.0;client=SfdcInternalAPI/',
  });
  expect(byStaff?.transactionKey).not.toBe(both?.transactionKey);
  expect(byStaff?.commitUser).not.toBe(both?.commitUser);
});

test('a merge changes the winner, deletes the loser and moves its children, in one transaction', () => {
  const [winner, loser] = ['Kept', 'Gone'].map((LastName) => org.seed('Contact', { LastName }));
  const task = org.seed('Task', { Subject: 'Call', WhoId: loser });
  org.staff.merge('Contact', { LastName: 'Kept' }, { LastName: 'Gone' });
  expect(changes()).toMatchObject([
    { entityName: 'Contact', changeType: 'UPDATE', recordIds: [winner], sequenceNumber: 1 },
    { entityName: 'Contact', changeType: 'DELETE', recordIds: [loser], sequenceNumber: 2, fields: {} },
    {
      entityName: 'Task',
      changeType: 'UPDATE',
      recordIds: [task],
      sequenceNumber: 3,
      fields: { WhoId: winner },
    },
  ]);
  expect(new Set(changes().map(({ transactionKey }) => transactionKey)).size).toBe(1);
  expect(org.records('Contact').map(({ id }) => id)).toEqual([winner]);
});

test('the recycle bin holds what is deleted, with what went with it', async () => {
  const account = org.seed('Account', { Name: 'Acme' });
  org.seed('Contact', { LastName: 'Rossi', AccountId: account });
  await org.conn.sobject('Account').destroy(account);
  const query = "SELECT LastName, IsDeleted FROM Contact WHERE LastName = 'Rossi'";
  expect(await org.conn.query(query)).toMatchObject({ totalSize: 0 });
  expect(await org.conn.query(query, { scanAll: true })).toMatchObject({ records: [{ IsDeleted: true }] });
  org.staff.undelete('Account', { Name: 'Acme' });
  expect(changes().map(({ entityName, changeType }) => `${entityName} ${changeType}`)).toEqual([
    'Contact DELETE',
    'Account DELETE',
    'Account UNDELETE',
    'Contact UNDELETE',
  ]);
});

test('what is rolled back is not reported', async () => {
  const rows = [{ LastName: 'Rossi' }, {}];
  await org.conn.sobject('Contact').create(rows, { allOrNone: true });
  expect(org.events).toEqual([]);
});

test('staff say which record they mean, and only one', () => {
  for (const LastName of ['Rossi', 'Rossi']) org.seed('Contact', { LastName });
  expect(() => org.staff.update('Contact', { LastName: 'Rossi' }, { Title: 'x' })).toThrow(
    '2 records of Contact are as described',
  );
  expect(() => org.staff.delete('Contact', { LastName: 'Verdi' })).toThrow(
    '0 records of Contact are as described',
  );
});
