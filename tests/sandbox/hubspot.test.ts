import { DatabaseSync } from 'node:sqlite';
import { Client, Signature } from '@hubspot/api-client';
import { FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/contacts/models/Filter.js';
import { AssociationSpecAssociationCategoryEnum } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec.js';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type HubspotOptions,
  type HubspotSandbox,
  hubspotSandbox,
} from '../../infra/sandbox/hubspot/sandbox.ts';
import type { Webhook } from '../../infra/sandbox/hubspot/webhooks.ts';
import { answerFaults, requestFaults } from '../support/hubspot-models.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const WEBHOOK = { url: 'https://hub.example/hubspot', clientSecret: 'signs webhooks' };

const running: HubspotSandbox[] = [];
afterEach(async () => {
  for (const sandbox of running.splice(0)) await sandbox.stop();
});

const open = async (options: HubspotOptions = {}, db = new DatabaseSync(':memory:')) => {
  const webhooks: Webhook[] = [];
  const clock = { now: START };
  const sandbox = await hubspotSandbox(db, {
    now: () => clock.now,
    report: (webhook) => webhooks.push(webhook),
    webhook: WEBHOOK,
    customProperties: [
      { object: 'contacts', name: 'hub_id', unique: true },
      { object: 'contacts', name: 'vip', type: 'bool' },
    ],
    ...options,
  });
  running.push(sandbox);
  const events = () =>
    webhooks
      .splice(0)
      .flatMap(({ body }) => z.array(z.record(z.string(), z.unknown())).parse(JSON.parse(body)));
  return { sandbox, clock, webhooks, events };
};

const clientOf = (sandbox: HubspotSandbox, accessToken = sandbox.secret['accessToken']): Client =>
  new Client({ basePath: sandbox.url, accessToken: String(accessToken), numberOfApiCallRetries: 0 });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the answer has.
  readonly body: any;
}

/** A request over plain HTTP. What is accepted must be right by HubSpot's models, and so must its answer. */
const send = async (
  sandbox: HubspotSandbox,
  method: string,
  path: string,
  body?: unknown,
  token = sandbox.secret['accessToken'],
): Promise<Answer> => {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = text.startsWith('<') || text === '' ? text : JSON.parse(text);
  if (response.ok && path.startsWith('/crm/') && !text.startsWith('<')) {
    expect(requestFaults(method, path, body)).toEqual([]);
    if (response.status !== 204) expect(answerFaults(method, path, response.status, parsed)).toEqual([]);
  }
  return { status: response.status, headers: response.headers, body: parsed };
};

const OBJECTS = '/crm/objects/2026-09';
const SMS = {
  hs_timestamp: '2026-03-01T12:00:00Z',
  hs_communication_channel_type: 'SMS',
  hs_communication_logged_from: 'CRM',
};
const spec = (associationTypeId: number) => ({
  associationCategory: AssociationSpecAssociationCategoryEnum.HubspotDefined,
  associationTypeId,
});

describe("HubSpot's own client", () => {
  it('makes, reads, changes, finds and deletes records', async () => {
    const { sandbox } = await open();
    const { contacts } = clientOf(sandbox).crm;
    const made = await contacts.basicApi.create({
      properties: { email: 'Ada@Example.com', firstname: 'Ada', phone: '+49 30 123456', vip: 'true' },
    });
    expect(made.properties).toMatchObject({
      email: 'ada@example.com',
      lifecyclestage: 'lead',
      hs_searchable_calculated_phone_number: '30123456',
    });
    await contacts.basicApi.update(made.id, { properties: { lifecyclestage: 'customer', firstname: '' } });
    const back = await contacts.basicApi.update(made.id, { properties: { lifecyclestage: 'lead' } });
    expect(back.properties['lifecyclestage']).toBe('customer');
    const read = await contacts.batchApi.read({
      inputs: [{ id: 'ADA@example.com' }],
      idProperty: 'email',
      properties: ['firstname', 'vip', 'nobody_knows_this'],
      propertiesWithHistory: ['lifecyclestage'],
    });
    expect(read.results[0]?.properties).toMatchObject({ firstname: null, vip: 'true' });
    expect(read.results[0]?.propertiesWithHistory?.['lifecyclestage']?.[0]?.value).toBe('customer');
    const found = await contacts.searchApi.doSearch({
      filterGroups: [
        {
          filters: [
            {
              propertyName: 'hs_searchable_calculated_phone_number',
              operator: FilterOperatorEnum.Eq,
              value: '30123456',
            },
          ],
        },
      ],
    });
    expect(found.results.map(({ id }) => id)).toEqual([made.id]);
    await contacts.basicApi.archive(made.id);
    await expect(contacts.basicApi.getById(made.id)).rejects.toMatchObject({ code: 404 });
    expect((await contacts.basicApi.getById(made.id, undefined, undefined, undefined, true)).archived).toBe(
      true,
    );
  });

  it('upserts by a unique property and associates afterwards, as often as it likes', async () => {
    const { sandbox } = await open();
    const { crm } = clientOf(sandbox);
    const upsert = (firstname: string) =>
      crm.contacts.batchApi.upsert({
        inputs: [{ id: 'hub-1', idProperty: 'hub_id', properties: { firstname } }],
      });
    const first = await upsert('Ada');
    const second = await upsert('Ada Maria');
    const contact = String(second.results[0]?.id);
    expect([first.results[0]?._new, second.results[0]?._new]).toEqual([true, false]);
    expect(first.results[0]?.id).toBe(contact);
    const made = await crm.objects.communications.batchApi.create({ inputs: [{ properties: SMS }] });
    const message = String(made.results[0]?.id);
    for (const _ of ['once', 'again'])
      await crm.associations.v4.batchApi.create('communications', 'contacts', {
        inputs: [{ _from: { id: message }, to: { id: contact }, types: [spec(81)] }],
      });
    const there = await crm.associations.v4.batchApi.getPage('contacts', 'communications', {
      inputs: [{ id: contact }],
    });
    expect(there.results[0]?.to.map(({ toObjectId }) => String(toObjectId))).toEqual([message]);
    expect(sandbox.associated('contacts', contact, 'communications')).toEqual([message]);
  });

  it('merges into a new record, to which the old ids lead', async () => {
    const { sandbox, events } = await open();
    const { contacts } = clientOf(sandbox).crm;
    const keep = sandbox.seed('contacts', { email: 'ada@example.com' });
    const other = sandbox.seed('contacts', { email: 'ada@example.org', phone: '+4930123456' });
    const merged = await contacts.basicApi.merge({ primaryObjectId: keep, objectIdToMerge: other });
    expect([keep, other]).not.toContain(merged.id);
    expect(merged.properties).toMatchObject({
      email: 'ada@example.com',
      hs_additional_emails: 'ada@example.org',
      phone: '+4930123456',
    });
    for (const id of [keep, other]) expect((await contacts.basicApi.getById(id)).id).toBe(merged.id);
    expect(events()[0]).toMatchObject({
      subscriptionType: 'contact.merge',
      primaryObjectId: Number(keep),
      mergedObjectIds: [Number(other)],
      newObjectId: Number(merged.id),
    });
    await expect(
      contacts.basicApi.create({ properties: { email: 'ada@example.org' } }),
    ).rejects.toMatchObject({ code: 409 });
  });

  it('defines properties', async () => {
    const { sandbox } = await open();
    const { properties } = clientOf(sandbox).crm;
    const { PropertyCreateTypeEnum, PropertyCreateFieldTypeEnum } = await import(
      '@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js'
    );
    const wanted = {
      name: 'hub_message',
      label: 'Message',
      groupName: 'communicationinformation',
      type: PropertyCreateTypeEnum.String,
      fieldType: PropertyCreateFieldTypeEnum.Text,
      hasUniqueValue: true,
    };
    await properties.coreApi.create('communications', wanted);
    await expect(properties.coreApi.create('communications', wanted)).rejects.toMatchObject({ code: 409 });
    expect((await properties.coreApi.getByName('communications', 'hub_message')).hasUniqueValue).toBe(true);
    await properties.coreApi.archive('communications', 'hub_message');
    await expect(properties.coreApi.getByName('communications', 'hub_message')).rejects.toMatchObject({
      code: 404,
    });
  });
});

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

/** A refusal: path, body, status, what the answer has, and what its message says. `KEPT` is a contact with ada@example.com. */
const refusals: readonly (readonly [string, string, object, number, object, RegExp])[] = [
  [
    'a contact that exists',
    'contacts',
    { properties: { email: 'ADA@example.com' } },
    409,
    { category: 'CONFLICT' },
    /^Contact already exists\. Existing ID: \d+$/u,
  ],
  [
    'a second address that exists',
    'contacts',
    { properties: { email: 'ada@work.example' } },
    409,
    { category: 'CONFLICT' },
    /Existing ID: \d+$/u,
  ],
  [
    'one that exists in a batch',
    'contacts/batch/create',
    { inputs: [{ properties: { email: 'ada@example.com' } }, { properties: { email: 'b@example.com' } }] },
    409,
    { category: 'CONFLICT' },
    /^Contact already exists$/u,
  ],
  [
    'an unknown property',
    'contacts/batch/create',
    {
      inputs: [
        { properties: { first000name: 'x', last000name: 'y' } },
        { properties: { first000name: 'z' } },
      ],
    },
    400,
    { category: 'VALIDATION_ERROR' },
    /^Property values were not valid: \[\{"isValid":false,"message":"Property \\"first000name\\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"first000name"\}/u,
  ],
  [
    'an e-mail address',
    'contacts',
    { properties: { email: 'name@domain.bad' } },
    400,
    { category: 'VALIDATION_ERROR' },
    /"Email address name@domain\.bad is invalid","error":"INVALID_EMAIL"/u,
  ],
  [
    'an option',
    'contacts',
    { properties: { firstname: 'a', lifecyclestage: 'friend' } },
    400,
    { category: 'VALIDATION_ERROR' },
    /friend was not one of the allowed options/u,
  ],
  [
    'a number',
    'contacts',
    { properties: { firstname: 'a', numemployees: 'many' } },
    400,
    { errors: [{ code: 'INVALID_INTEGER' }] },
    /many was not a valid number/u,
  ],
  [
    'a date with a time',
    'contacts',
    { properties: { firstname: 'a', date_of_birth: '1606768561954' } },
    400,
    { errors: [{ code: 'INVALID_DATE' }] },
    /1606768561954 is at 20:36:1\.954 UTC, not midnight!/u,
  ],
  [
    'a time',
    'contacts',
    { properties: { firstname: 'a', closedate: 'yesterday' } },
    400,
    { errors: [{ code: 'INVALID_LONG' }] },
    /yesterday was not a valid long\./u,
  ],
  [
    'a read-only property',
    'contacts',
    { properties: { firstname: 'a', hs_object_id: '1' } },
    400,
    { errors: [{ code: 'READ_ONLY_VALUE' }] },
    /is a read only property; its value cannot be set\./u,
  ],
  [
    'an id twice',
    'contacts/batch/update',
    {
      inputs: [
        { id: '123456', properties: {} },
        { id: '123456', properties: {} },
      ],
    },
    400,
    { context: { ids: ['123456'] } },
    /^Duplicate IDs found in batch input: \[123456\]\. IDs must be unique$/u,
  ],
  [
    '101 inputs',
    'contacts/batch/read',
    {
      inputs: Array.from({ length: 101 }, (_, id) => ({ id: String(id) })),
      properties: [],
      propertiesWithHistory: [],
    },
    400,
    { category: 'VALIDATION_ERROR' },
    /100/u,
  ],
  [
    'an upsert by a property that is not unique',
    'companies/batch/upsert',
    { inputs: [{ id: 'example.com', idProperty: 'domain', properties: {} }] },
    400,
    { category: 'VALIDATION_ERROR' },
    /^Unable to perform update\/upsert by non-unique 0-2 property domain$/u,
  ],
  [
    'part of an upsert by e-mail',
    'contacts/batch/upsert',
    {
      inputs: [
        { id: 'a@example.com', idProperty: 'email', objectWriteTraceId: '1', properties: { nope: '' } },
      ],
    },
    400,
    { category: 'VALIDATION_ERROR' },
    /PROPERTY_DOESNT_EXIST/u,
  ],
  [
    'an activity without its time',
    'notes',
    { properties: { hs_note_body: 'x' } },
    400,
    { context: { properties: ['hs_timestamp'] } },
    /^Error creating NOTE\. Some required properties were not set\.$/u,
  ],
  [
    'an object that does not exist',
    'butterflies/search',
    {},
    400,
    {},
    /^Unable to infer object type from: butterflies$/u,
  ],
  ['too many results', 'contacts/search', { limit: 201 }, 400, { category: 'VALIDATION_ERROR' }, /200/u],
  [
    'something that is not here',
    '../../v3/imports',
    {},
    501,
    {},
    /POST \/crm\/v3\/imports is not in the HubSpot sandbox/u,
  ],
];

describe('refusals', () => {
  it.each(refusals)('%s', async (_, path, body, status, shape, message) => {
    const { sandbox } = await open();
    sandbox.seed('contacts', { email: 'ada@example.com', hs_additional_emails: 'ada@work.example' });
    const answer = await send(sandbox, 'POST', `${OBJECTS}/${path}`, body);
    expect(answer).toMatchObject({ status, body: { status: 'error', ...shape } });
    expect(answer.body.message).toMatch(message);
    expect(answer.body.correlationId).toMatch(/^[\da-f-]{36}$/u);
    expect(sandbox.records('contacts')).toHaveLength(1);
  });

  it('of one input leaves the others, where every input has a trace id', async () => {
    const { sandbox } = await open();
    const ada = sandbox.seed('contacts', { email: 'ada@example.com' });
    const inputs = ['ada@example.com', 'bob@example.com'].map((email, index) => ({
      properties: { email },
      objectWriteTraceId: `row ${index}`,
    }));
    const { status, body } = await send(sandbox, 'POST', `${OBJECTS}/contacts/batch/create`, { inputs });
    expect(status).toBe(207);
    expect(body).toMatchObject({ numErrors: 1, results: [{ properties: { email: 'bob@example.com' } }] });
    expect(body.errors).toEqual([
      {
        status: 'error',
        category: 'CONFLICT',
        message: `Contact already exists. Existing ID: ${ada}`,
        context: { objectWriteTraceId: ['row 0'], existingId: [ada] },
      },
    ]);
  });

  it('of an upsert is in a 207 of v3 and in a 200 of the dated interface', async () => {
    const { sandbox } = await open();
    sandbox.seed('contacts', { email: 'ada@example.com' });
    const inputs = ['ada@example.com', 'bob@example.com'].map((email) => ({
      id: `hub ${email}`,
      idProperty: 'hub_id',
      properties: { email },
      objectWriteTraceId: email,
    }));
    for (const [path, status] of [
      ['/crm/v3/objects', 207],
      [OBJECTS, 200],
    ] as const) {
      const response = await fetch(`${sandbox.url}${path}/contacts/batch/upsert`, {
        method: 'POST',
        headers: { authorization: `Bearer ${sandbox.secret['accessToken']}` },
        body: JSON.stringify({ inputs }),
      });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({
        numErrors: 1,
        results: [{ objectWriteTraceId: 'bob@example.com' }],
      });
    }
  });

  it('of records that are not there come beside those that are', async () => {
    const { sandbox } = await open();
    const ada = sandbox.seed('contacts', { email: 'ada@example.com' });
    const answer = await send(sandbox, 'POST', `${OBJECTS}/contacts/batch/update`, {
      inputs: [
        { id: ada, properties: { firstname: 'Ada' } },
        { id: 'unknownIdentifier888', properties: {} },
      ],
    });
    expect(answer).toMatchObject({ status: 207, body: { results: [{ id: ada }], numErrors: 1 } });
    expect(answer.body.errors[0]).toEqual({
      status: 'error',
      category: 'OBJECT_NOT_FOUND',
      message:
        'Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.',
      context: { ids: ['unknownIdentifier888'] },
    });
  });

  it('of associations name what is wrong', async () => {
    const { sandbox } = await open();
    const ada = sandbox.seed('contacts', { email: 'ada@example.com' });
    const pair = (from: string, typeId = 449) => ({
      from: { id: from },
      to: { id: ada },
      types: [spec(typeId)],
    });
    const { status, body } = await send(
      sandbox,
      'POST',
      '/crm/associations/2026-09/contacts/contacts/batch/create',
      { inputs: [pair('unknown_id_123456798'), pair(ada), pair(ada, 81)] },
    );
    expect([status, body.numErrors]).toEqual([207, 3]);
    expect(body.errors).toMatchObject([
      {
        subCategory: 'crm.associations.INVALID_IDENTIFIER',
        message: 'unknown_id_123456798 is not a valid ID',
        context: { id: ['unknown_id_123456798'] },
      },
      { message: `Object ${ada} cannot be associated to itself (${ada})` },
      { subCategory: 'crm.associations.INVALID_ASSOCIATION_TYPE' },
    ]);
  });
});

describe('webhooks', () => {
  it('are signed, and tell people from the app', async () => {
    const { sandbox, webhooks, events } = await open();
    const id = sandbox.staff.create('contacts', { email: 'ada@example.com' });
    const [webhook] = webhooks;
    expect(webhook?.headers).toMatchObject({ 'X-HubSpot-Request-Timestamp': String(START) });
    expect(webhook?.headers['X-HubSpot-Signature-v3']).toBe(
      Signature.getSignature('POST', 'v3', {
        ...WEBHOOK,
        url: WEBHOOK.url,
        requestBody: String(webhook?.body),
        timestamp: START,
        signature: '',
      }),
    );
    expect(events()).toMatchObject([
      {
        subscriptionType: 'contact.creation',
        objectId: Number(id),
        changeSource: 'CRM_UI',
        changeFlag: 'NEW',
        occurredAt: START,
        attemptNumber: 0,
      },
      { subscriptionType: 'contact.propertyChange', propertyName: 'email', propertyValue: 'ada@example.com' },
    ]);
    await send(sandbox, 'PATCH', `${OBJECTS}/contacts/${id}`, { properties: { firstname: 'Ada' } });
    const [change] = events();
    expect(change).toMatchObject({
      changeSource: 'INTEGRATION',
      propertyName: 'firstname',
      propertyValue: 'Ada',
    });
    expect(change?.['sourceId']).toBe(String(change?.['appId']));
    await send(sandbox, 'PATCH', `${OBJECTS}/contacts/${id}`, { properties: { firstname: 'Ada' } });
    expect(events()).toEqual([]);
  });

  it('follow what staff do', async () => {
    const { sandbox, events } = await open();
    const { staff } = sandbox;
    const id = staff.create('contacts', { email: 'ada@example.com' });
    staff.update('contacts', { email: 'ada@example.com' }, { firstname: 'Ada' });
    staff.delete('contacts', { id });
    staff.restore('contacts', id);
    staff.create('contacts', { email: 'eve@example.com' });
    events();
    staff.merge('contacts', { id }, { email: 'eve@example.com' });
    staff.erase({ email: 'ada@example.com' });
    expect(events().map(({ subscriptionType }) => subscriptionType)).toEqual([
      'contact.merge',
      'contact.propertyChange',
      'contact.privacyDeletion',
    ]);
    expect(sandbox.records('contacts')).toEqual([]);
    expect(() => staff.delete('contacts', { id })).toThrow('0 contacts');
    expect(() => staff.create('contacts', { email: 'nonsense' })).toThrow('INVALID_EMAIL');
  });

  it('have at most 100 events', async () => {
    const { sandbox, webhooks } = await open();
    const inputs = Array.from({ length: 60 }, (_, index) => ({
      properties: { email: `${index}@example.com` },
    }));
    await send(sandbox, 'POST', `${OBJECTS}/contacts/batch/create`, { inputs });
    expect(webhooks.map(({ body }) => JSON.parse(body).length)).toEqual([100, 20]);
  });

  it('report an association from both sides, and activities in the generic form only', async () => {
    const { sandbox, events } = await open({
      webhook: { ...WEBHOOK, objects: ['contacts', 'tickets', 'notes'] },
    });
    const to = { id: sandbox.seed('contacts', { email: 'ada@example.com' }) };
    await send(sandbox, 'POST', `${OBJECTS}/tickets`, {
      properties: { subject: 'Help', hs_pipeline_stage: '1' },
      associations: [{ to, types: [spec(16)] }],
    });
    expect(
      events().filter(({ subscriptionType }) => String(subscriptionType).endsWith('associationChange')),
    ).toMatchObject([
      {
        subscriptionType: 'ticket.associationChange',
        associationType: 'TICKET_TO_CONTACT',
        associationRemoved: false,
      },
      {
        subscriptionType: 'contact.associationChange',
        associationType: 'CONTACT_TO_TICKET',
        objectId: Number(to.id),
      },
    ]);
    await send(sandbox, 'POST', `${OBJECTS}/notes`, { properties: { hs_timestamp: '1772366400000' } });
    expect(events()[0]).toMatchObject({ subscriptionType: 'object.creation', objectTypeId: '0-46' });
  });
});

describe('access', () => {
  const login = (sandbox: HubspotSandbox, refreshToken = sandbox.oauth.refreshToken) =>
    clientOf(sandbox).oauth.tokensApi.create(
      'refresh_token',
      undefined,
      undefined,
      sandbox.oauth.clientId,
      sandbox.oauth.clientSecret,
      refreshToken,
    );

  it('by OAuth ends after 30 minutes, and the refresh token stays', async () => {
    const { sandbox, clock } = await open();
    const token = await login(sandbox);
    expect(token).toMatchObject({ expiresIn: 1_800, refreshToken: sandbox.oauth.refreshToken });
    const read = () => send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, token.accessToken);
    expect((await read()).status).toBe(200);
    clock.now += 1_800_000;
    expect(await read()).toMatchObject({ status: 401, body: { category: 'EXPIRED_AUTHENTICATION' } });
    const again = await login(sandbox);
    sandbox.fault({ kind: 'expired-session' });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, again.accessToken)).status).toBe(
      401,
    );
    await expect(login(sandbox, 'nonsense')).rejects.toMatchObject({ code: 400 });
    expect(sandbox.requests()).toBe(3);
  });

  it('needs a token that is known', async () => {
    const { sandbox } = await open();
    expect(await send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, 'pat-na1-wrong')).toMatchObject({
      status: 401,
      body: { category: 'INVALID_AUTHENTICATION' },
    });
  });

  it('needs the scope', async () => {
    const { sandbox } = await open({ scopes: ['crm.objects.contacts.read'] });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(200);
    expect(await send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: {} })).toMatchObject({
      status: 403,
      body: {
        category: 'MISSING_SCOPES',
        context: { requiredGranularScopes: ['crm.objects.contacts.write'] },
      },
    });
  });

  it('is limited', async () => {
    const { sandbox, clock } = await open({ limits: { tenSeconds: 2, searchPerSecond: 1, daily: 5 } });
    const read = () => send(sandbox, 'GET', `${OBJECTS}/contacts`);
    const search = () => send(sandbox, 'POST', `${OBJECTS}/contacts/search`, {});
    expect((await read()).headers.get('X-HubSpot-RateLimit-Remaining')).toBe('1');
    await read();
    expect(await read()).toMatchObject({ status: 429, body: { policyName: 'TEN_SECONDLY_ROLLING' } });
    expect((await search()).headers.get('X-HubSpot-RateLimit-Max')).toBeNull();
    expect(await search()).toMatchObject({ status: 429, body: { policyName: 'SECONDLY' } });
    clock.now += 10_000;
    await read();
    expect((await read()).headers.get('X-HubSpot-RateLimit-Daily-Remaining')).toBe('0');
    expect(await search()).toMatchObject({ status: 429, body: { policyName: 'DAILY' } });
    clock.now += 86_400_000;
    expect((await read()).status).toBe(200);
  });
});

describe('faults', () => {
  it.each([
    [{ kind: 'missing-scope', object: 'contacts' }, 403, { category: 'MISSING_SCOPES' }],
    [{ kind: 'login-refused' }, 401, { category: 'INVALID_AUTHENTICATION' }],
    [{ kind: 'down' }, 503, {}],
    [{ kind: 'rate-limited' }, 429, { policyName: 'TEN_SECONDLY_ROLLING' }],
    [{ kind: 'daily-limit' }, 429, { policyName: 'DAILY' }],
    [{ kind: 'row-lock' }, 423, { category: 'LOCKED' }],
    [{ kind: 'migration' }, 477, {}],
    [
      { kind: 'missing-field', object: 'contacts', field: 'firstname' },
      400,
      { category: 'VALIDATION_ERROR' },
    ],
  ] as const)('%o', async (fault, status, shape) => {
    const { sandbox } = await open();
    const write = () => send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: { firstname: 'Ada' } });
    const end = sandbox.fault(fault);
    expect(await write()).toMatchObject({ status, body: { status: 'error', ...shape } });
    end();
    expect((await write()).status).toBe(201);
    sandbox.fault({ ...fault, times: 1 });
    expect((await write()).status).toBe(status);
    expect((await write()).status).toBe(201);
  });

  it('lost-response: the write is done and nobody hears of it', async () => {
    const { sandbox, events } = await open();
    sandbox.fault({ kind: 'lost-response', times: 1 });
    await expect(
      send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: { email: 'ada@example.com' } }),
    ).rejects.toThrow();
    expect(sandbox.records('contacts')).toMatchObject([{ fields: { email: 'ada@example.com' } }]);
    expect(events()).toHaveLength(2);
  });

  it('html with status 200', async () => {
    const { sandbox } = await open();
    sandbox.fault({ kind: 'html', times: 1 });
    expect(await send(sandbox, 'GET', `${OBJECTS}/contacts`)).toMatchObject({
      status: 200,
      body: expect.stringContaining('<!doctype html>'),
    });
  });

  it('slow: a client that waits a moment has no answer', async () => {
    const { sandbox } = await open({ slowness: 60_000 });
    sandbox.fault({ kind: 'slow' });
    await expect(
      fetch(`${sandbox.url}${OBJECTS}/contacts`, { signal: AbortSignal.timeout(50) }),
    ).rejects.toThrow();
  });

  it('are put in force over HTTP, as records are made', async () => {
    const { sandbox } = await open();
    const fields = { email: 'ada@example.com' };
    const made = await send(sandbox, 'POST', '/sandbox/records', { object: 'contacts', fields });
    expect(sandbox.records('contacts')[0]?.id).toBe(made.body.id);
    expect((await send(sandbox, 'POST', '/sandbox/records', { object: 'contacts', fields })).status).toBe(
      400,
    );
    await send(sandbox, 'POST', '/sandbox/fault', { kind: 'down' });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(503);
    await send(sandbox, 'DELETE', '/sandbox/faults');
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(200);
    expect((await send(sandbox, 'POST', '/sandbox/fault', { kind: 'earthquake' })).status).toBe(400);
  });
});

it('remembers everything over a restart', async () => {
  const db = new DatabaseSync(':memory:');
  const first = (await open({}, db)).sandbox;
  const keep = first.seed('contacts', { email: 'ada@example.com' });
  const other = first.seed('contacts', { email: 'eve@example.com' });
  const note = first.seed('notes', { hs_timestamp: '1772366400000' });
  await send(first, 'PUT', `/crm/v4/objects/notes/${note}/associations/default/contacts/${other}`);
  first.staff.merge('contacts', { id: keep }, { id: other });
  const second = (await open({}, db)).sandbox;
  const { body } = await send(second, 'GET', `${OBJECTS}/contacts/${keep}`);
  expect(second.associated('contacts', body.id, 'notes')).toEqual([note]);
  expect(
    (await send(second, 'POST', `${OBJECTS}/contacts`, { properties: { email: 'eve@example.com' } })).status,
  ).toBe(409);
});
