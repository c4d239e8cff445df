import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmSession } from '../../../../core/crm/connector.ts';
import { caught, type ScriptedHubspot, scriptedHubspot } from './scripted-hubspot.ts';

describe('HubSpot, asked about the account', () => {
  let hub: ScriptedHubspot;
  let session: CrmSession;

  beforeEach(async () => {
    hub = await scriptedHubspot();
    session = await hub.open();
  });
  afterEach(async () => {
    await hub.stop();
    expect(hub.invalid).toEqual([]);
  });

  const scopesMissing = {
    status: 403,
    body: {
      status: 'error',
      category: 'MISSING_SCOPES',
      message: 'Scopes are required.',
      context: { requiredGranularScopes: ['crm.schemas.contacts.read'] },
    },
  };

  it('describes properties, one call per object; what it lacks or hides is absent', async () => {
    const property = (name: string, type: string, fieldType: string, more: object = {}) => ({
      ...{ name, type, fieldType, label: name, groupName: 'g', description: '', options: [] },
      ...more,
    });
    hub.script = ({ path }) => {
      if (path.endsWith('butterflies'))
        return {
          status: 400,
          body: { status: 'error', message: 'Unable to infer object type from: butterflies' },
        };
      if (path.endsWith('calls')) return scopesMissing;
      const options = [{ label: 'Lead', value: 'lead', displayOrder: 0, hidden: false }];
      const results = [
        property('hub_id', 'string', 'text', { hasUniqueValue: true }),
        property('lifecyclestage', 'enumeration', 'radio', { options }),
        property('owner', 'enumeration', 'select', {
          externalOptions: true,
          referencedObjectType: 'OWNER',
        }),
        property('agreed', 'enumeration', 'booleancheckbox'),
        property('hs_timestamp', 'datetime', 'date'),
        property('hs_score', 'number', 'calculation_equation', { calculated: true }),
        property('createdate', 'datetime', 'date', { modificationMetadata: { readOnlyValue: true } }),
        property('place', 'object_coordinates', 'text'),
      ];
      return { body: { results } };
    };
    const described = await session.describe(['contacts', 'butterflies', 'calls'], hub.call);
    expect([...described.keys()]).toEqual(['contacts']);
    const plain = { required: false, writable: true, isKey: false };
    expect(Object.fromEntries(described.get('contacts') ?? [])).toEqual({
      hub_id: { ...plain, type: 'text', length: 65_536, isKey: true },
      lifecyclestage: { ...plain, type: 'choice', choices: ['lead'] },
      owner: { ...plain, type: 'reference' },
      agreed: { ...plain, type: 'boolean' },
      hs_timestamp: { ...plain, type: 'datetime', required: true },
      hs_score: { ...plain, type: 'number', writable: false },
      createdate: { ...plain, type: 'datetime', writable: false },
      place: { ...plain, type: 'other' },
    });
    expect(hub.asked).toHaveLength(3);
  });

  it('missing-scopes-403: the connection needs a person where every object is hidden', async () => {
    hub.script = () => scopesMissing;
    expect(await caught(session.describe(['contacts', 'notes'], hub.call))).toMatchObject({
      ...{
        scope: 'connection',
        why: 'setup',
        message: expect.stringContaining('crm.schemas.contacts.read'),
      },
    });
  });

  it('creates the key property with unique values, in a group that the object has', async () => {
    hub.script = (one) =>
      one.method === 'GET'
        ? {
            body: {
              results: [{ name: 'hs_object_id', type: 'number', fieldType: 'number', groupName: 'note' }],
            },
          }
        : {
            status: one.path.endsWith('notes') ? 201 : 409,
            body: { status: 'error', category: 'OBJECT_ALREADY_EXISTS' },
          };
    await session.createKeyField?.('contacts', 'hub_id', hub.call);
    await session.createKeyField?.('notes', 'hub_id', hub.call);
    const created = hub.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
    expect(created).toMatchObject([
      {
        name: 'hub_id',
        type: 'string',
        fieldType: 'text',
        groupName: 'contactinformation',
        hasUniqueValue: true,
      },
      { name: 'hub_id', groupName: 'note', hasUniqueValue: true },
    ]);
  });

  it('examines the account, the scopes and the calls of the day', async () => {
    hub.script = ({ path }) => {
      if (path.endsWith('details'))
        return { body: { portalId: 123, accountType: 'STANDARD', timeZone: 'US/Eastern' } };
      if (path.endsWith('access-token-info'))
        return { body: { hubId: 123, scopes: ['crm.objects.contacts.read'] } };
      return {
        body: {
          results: [
            {
              name: 'private-apps-api-calls-daily',
              usageLimit: 1000,
              currentUsage: 950,
              resetsAt: '2026-03-02T05:00:00Z',
            },
          ],
        },
      };
    };
    const findings = await session.examine(hub.call);
    expect(findings.map(({ about, ok }) => [about, ok])).toEqual([
      ['version', true],
      ['account', true],
      ['scopes', false],
      ['usage', true],
    ]);
    expect(findings[2]?.says).toContain('crm.objects.contacts.write, crm.schemas.contacts.read');
    expect(findings[3]?.says).toContain('950 of 1000');
  });

  it('a token that may not ask for the account tells it itself; where neither does, the sync goes on', async () => {
    let told = true;
    hub.script = ({ path }) =>
      path.endsWith('access-token-info') && told ? { body: { hubId: 123, scopes: [] } } : scopesMissing;
    const says = async () => (await session.examine(hub.call)).find(({ about }) => about === 'account');
    expect(await session.account(hub.call)).toBe('123');
    expect(await says()).toMatchObject({ ok: true, says: expect.stringContaining('Account 123') });
    told = false;
    expect(await session.account(hub.call)).toBeUndefined();
    expect(await says()).toMatchObject({
      ...{ ok: true, says: expect.stringContaining('does not tell which account') },
    });
  });

  it('compares the clocks, where it is told the time of the hub', async () => {
    hub.script = () => ({ body: { portalId: 123, hubId: 123, results: [] } });
    const clockOf = async (now: number) =>
      (await session.examine({ ...hub.call, now: () => now })).find(({ about }) => about === 'clock');
    expect(await clockOf(Date.now())).toMatchObject({ ok: true });
    expect(await clockOf(Date.now() + 600_000)).toMatchObject({
      ...{
        ok: false,
        says: expect.stringMatching(/differs by (?:599|600|601) seconds from that of HubSpot/),
      },
    });
  });
});
