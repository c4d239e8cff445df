import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await openTestHub();
});
afterAll(() => hub.stop());

interface Field {
  readonly field: string;
  readonly written?: unknown;
}

const preview = async (identifier: string, crm: string) => {
  const { body: customer } = await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`);
  const { status, body } = await hub.api('GET', `/customers/${customer.id}/crm/${crm}`);
  const fields: readonly Field[] = body.fields ?? [];
  return {
    status,
    body,
    written: Object.fromEntries(
      fields.flatMap(({ field, written }) => (written === undefined ? [] : [[field, written]])),
    ),
  };
};

it('shows what would be written for a customer before and after the CRM has the contact', async () => {
  const end = hub.crms.salesforce.fault({ kind: 'down' });
  const identifiers = ['phone:+14155551001'];
  hub.sendInteraction({ key: 'a', identifiers, profile: { name: { first: 'Ada', last: 'Byron' } } });
  await hub.wait(5000);
  const before = await preview('phone:+14155551001', 'salesforce');
  expect(before.body).toMatchObject({ crm: 'salesforce', object: 'Contact', status: 'new' });
  expect(before.written).toEqual({
    ...{ FirstName: 'Ada', LastName: 'Byron', Phone: '+14155551001', LeadSource: 'Tributary' },
  });
  end();
  await hub.wait(3_600_000);
  const after = await preview('phone:+14155551001', 'salesforce');
  expect(after.body).toMatchObject({
    status: 'linked',
    record: hub.crms.salesforce.records('Contact')[0]?.id,
  });
  expect(after.written).toEqual({});
  expect(after.body.fields).toContainEqual(
    expect.objectContaining({
      field: 'LastName',
      ours: 'Byron',
      theirs: 'Byron',
      why: 'both sides stand as they are',
    }),
  );
  expect(hub.crms.salesforce.records('Contact')).toHaveLength(1);
});

it('does not know a CRM that is not switched on', async () => {
  hub.sendInteraction({ key: 'b', identifiers: ['phone:+14155551002'] });
  await hub.wait(5000);
  expect(await preview('phone:+14155551002', 'tryton')).toMatchObject({
    status: 404,
    body: { code: 'unknown-crm' },
  });
});
