import { describe, expect, it } from 'vitest';
import { OBJECTS, open, send, spec } from './open.ts';

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
    /^Unable to perform update\/upsert by non-unique 0-2 property domain in portal ID \d+$/u,
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
