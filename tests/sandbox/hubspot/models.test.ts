import { describe, expect, it } from 'vitest';
import { requestFaults } from '../../support/crm/hubspot-models.ts';
import { OBJECTS, open, SMS, send, spec } from './open.ts';

/** Requests that HubSpot takes; `KEPT` stands for the id of a contact. */
const taken: readonly (readonly [string, object])[] = [
  [`${OBJECTS}/contacts`, { properties: { email: 'new@example.com' } }],
  [
    `${OBJECTS}/contacts/batch/create`,
    { inputs: [{ properties: { email: 'n@example.com' }, objectWriteTraceId: '1' }] },
  ],
  [
    `${OBJECTS}/communications/batch/create`,
    { inputs: [{ properties: SMS, associations: [{ to: { id: 'KEPT' }, types: [spec(81)] }] }] },
  ],
  [`${OBJECTS}/contacts/batch/update`, { inputs: [{ id: 'KEPT', properties: { firstname: 'Ada' } }] }],
  [
    `${OBJECTS}/contacts/batch/upsert`,
    { inputs: [{ id: 'hub-2', idProperty: 'hub_id', properties: { firstname: 'Ada' } }] },
  ],
  [
    '/crm/v3/objects/contacts/batch/read',
    { inputs: [{ id: 'KEPT' }], properties: ['email'], propertiesWithHistory: ['email'] },
  ],
  [
    '/crm/v3/objects/contacts/search',
    { filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQ', value: 'x' }] }], limit: 5 },
  ],
  ['/crm/associations/2026-09/contacts/companies/batch/read', { inputs: [{ id: 'KEPT' }] }],
  [
    '/crm/properties/2026-09/contacts',
    { name: 'colour', label: 'Colour', groupName: 'g', type: 'string', fieldType: 'text' },
  ],
  [`${OBJECTS}/contacts/batch/archive`, { inputs: [{ id: '1' }] }],
];

/** The body with one change: a name more, a name less, or a value of another type, at every depth. */
const spoilt = (value: unknown): unknown[] => {
  if (Array.isArray(value))
    return value.flatMap((one, index) => spoilt(one).map((bad) => value.with(index, bad)));
  if (typeof value !== 'object' || value === null) return [typeof value === 'string' ? 4711 : 'text', null];
  return [
    { ...value, associations_of_mine: [] },
    ...Object.entries(value).flatMap(([key, one]) => [
      Object.fromEntries(Object.entries(value).filter(([other]) => other !== key)),
      ...spoilt(one).map((bad) => ({ ...value, [key]: bad })),
    ]),
  ];
};

describe("HubSpot's models", () => {
  it.each(taken)(
    'POST %s: what they refuse is refused, and the rest is right by them',
    async (path, body) => {
      const { sandbox } = await open({ limits: { searchPerSecond: Number.POSITIVE_INFINITY } });
      const kept = sandbox.seed('contacts', { email: 'ada@example.com' });
      const good: unknown = JSON.parse(JSON.stringify(body).replaceAll('KEPT', kept));
      const wrong = spoilt(good).filter((bad) => requestFaults('POST', path, bad).length > 0);
      expect(wrong.length).toBeGreaterThan(2);
      for (const bad of wrong)
        expect(await send(sandbox, 'POST', path, bad), JSON.stringify(bad)).toMatchObject({
          status: 400,
          body: { category: 'VALIDATION_ERROR' },
        });
      expect((await send(sandbox, 'POST', path, good)).status).toBeLessThan(300);
    },
  );

  it('have no associations on an upsert', () => {
    const inputs = [{ id: '1', idProperty: 'hub_id', properties: {}, associations: [] }];
    expect(requestFaults('POST', `${OBJECTS}/notes/batch/upsert`, { inputs })).toEqual([
      'body.inputs[0].associations is unknown',
    ]);
  });
});
