import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenOrg, openOrg } from './org.ts';

let org: OpenOrg;
let ids: { account: string; contact: string; taken: string; deleted: string };

beforeAll(async () => {
  org = await openOrg({ customObjects: [UPSERT_TABLE] });
  ids = {
    account: org.seed('Account', { Name: 'Acme' }),
    contact: org.seed('Contact', {
      LastName: 'Rossi',
      Email: 'rossi@example.com',
      MobilePhone: '+39 333 123 4567',
    }),
    taken: org.seed('Contact', { LastName: 'Verdi', Hub_Id__c: 'taken' }),
    deleted: org.seed('Contact', { LastName: 'Bianchi' }),
  };
  org.staff.delete('Contact', { LastName: 'Bianchi' });
  org.seed('UpsertTable__c', { ExtId__c: 'twice' });
  org.seed('UpsertTable__c', { ExtId__c: 'twice' });
});
afterAll(() => org.stop());

const UPSERT_TABLE = {
  fullName: 'UpsertTable__c',
  fields: [{ fullName: 'ExtId__c', type: 'Text', length: 50, externalId: true }],
};

const contact = (fields: object) => ({ attributes: { type: 'Contact' }, ...fields });
const refused = (errorCode: string, message: unknown = expect.any(String)) => [
  expect.objectContaining({ errorCode, message }),
];
const rowRefused = (statusCode: string, message: unknown = expect.any(String)) =>
  expect.objectContaining({
    success: false,
    errors: [expect.objectContaining({ statusCode, message, fields: expect.any(Array) })],
  });

type Row = readonly [
  name: string,
  method: string,
  path: () => string,
  body: unknown,
  status: number,
  expected: unknown,
];

/** What Salesforce answers, as recorded or documented. */
const answers: readonly Row[] = [
  [
    'a create',
    'POST',
    () => '/sobjects/Account',
    { Name: 'New' },
    201,
    { id: expect.stringMatching(/^001\w{15}$/u), success: true, errors: [] },
  ],
  [
    'an upsert that creates',
    'PATCH',
    () => '/sobjects/Contact/Hub_Id__c/c-1',
    { LastName: 'Neri' },
    201,
    { id: expect.stringMatching(/^003/u), success: true, errors: [], created: true },
  ],
  [
    'an upsert that updates',
    'PATCH',
    () => '/sobjects/Contact/Hub_Id__c/c-1',
    { LastName: 'Nero' },
    200,
    { id: expect.stringMatching(/^003/u), success: true, errors: [], created: false },
  ],
  [
    'an upsert with two matches',
    'PATCH',
    () => '/sobjects/UpsertTable__c/ExtId__c/twice',
    {},
    300,
    [expect.stringMatching(/^\/services\/data\/v62\.0\/sobjects\/UpsertTable__c\/a/u), expect.any(String)],
  ],
  [
    'a key that splits the path',
    'PATCH',
    () => '/sobjects/Contact/Hub_Id__c/hub/42',
    { LastName: 'X' },
    404,
    refused('NOT_FOUND'),
  ],
  [
    'a required field missing',
    'POST',
    () => '/sobjects/Account',
    {},
    400,
    [
      {
        errorCode: 'REQUIRED_FIELD_MISSING',
        message: 'Required fields are missing: [Name]',
        fields: ['Name'],
      },
    ],
  ],
  [
    'an unknown field',
    'POST',
    () => '/sobjects/Account',
    { Name: 'A', AccountNumer: '1' },
    400,
    refused('INVALID_FIELD', "No such column 'AccountNumer' on sobject of type Account"),
  ],
  [
    'a field that cannot be written',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'A', MasterRecordId: '003000000000000' },
    400,
    [
      {
        errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE',
        fields: ['MasterRecordId'],
        message:
          'Unable to create/update fields: MasterRecordId. Please check the security settings of this field and verify that it is read/write for your profile or permission set.',
      },
    ],
  ],
  [
    'a text that is too long',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'x'.repeat(81) },
    400,
    refused('STRING_TOO_LONG', expect.stringContaining('(max length=80)')),
  ],
  [
    'no email address',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'A', Email: 'nobody@' },
    400,
    refused('INVALID_EMAIL_ADDRESS'),
  ],
  [
    'a restricted picklist',
    'POST',
    () => '/sobjects/Task',
    { TaskSubtype: 'Fax' },
    400,
    refused('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'),
  ],
  [
    'a wrong type',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'A', DoNotCall: 'maybe' },
    400,
    refused(
      'JSON_PARSER_ERROR',
      expect.stringContaining('Cannot deserialize instance of boolean from VALUE_STRING value maybe'),
    ),
  ],
  [
    'a key of another record',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'A', Hub_Id__c: 'TAKEN' },
    400,
    refused(
      'DUPLICATE_VALUE',
      expect.stringMatching(
        /^duplicate value found: Hub_Id__c duplicates value on record with id: 003\w{15}$/u,
      ),
    ),
  ],
  [
    'a lookup to nothing',
    'POST',
    () => '/sobjects/Contact',
    { LastName: 'A', AccountId: '001al0000999999AAA'.slice(0, 15) },
    400,
    refused('INVALID_CROSS_REFERENCE_KEY'),
  ],
  [
    'a parent key to nothing',
    'POST',
    () => '/sobjects/Task',
    { Who: { Hub_Id__c: 'c-404' } },
    400,
    refused(
      'INVALID_FIELD',
      'Foreign key external ID: c-404 not found for field Hub_Id__c in entity Contact',
    ),
  ],
  [
    'a deleted record',
    'PATCH',
    () => `/sobjects/Contact/${ids.deleted}`,
    { LastName: 'B' },
    404,
    [{ errorCode: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }],
  ],
  [
    'an unknown record',
    'GET',
    () => '/sobjects/Contact/003al0000099999',
    undefined,
    404,
    [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
  ],
  ['an unknown object', 'GET', () => '/sobjects/Accout/describe', undefined, 404, refused('NOT_FOUND')],
  [
    'a query of an unknown object',
    'GET',
    () => '/query?q=SELECT+Name+FROM+Accout',
    undefined,
    400,
    refused('INVALID_TYPE', expect.stringContaining("sObject type 'Accout' is not supported.")),
  ],
  [
    'a query of an unknown field',
    'GET',
    () => '/query?q=SELECT+Nme+FROM+Account',
    undefined,
    400,
    refused('INVALID_FIELD', expect.stringContaining("No such column 'Nme' on entity 'Account'.")),
  ],
  [
    'a query that is none',
    'GET',
    () => '/query?q=SELECT+Id+FROM+Account+WHERE',
    undefined,
    400,
    refused('MALFORMED_QUERY'),
  ],
  [
    'a query that is too long',
    'POST',
    () => '/jobs/query',
    { operation: 'query', query: `SELECT Id FROM Account WHERE Name = '${'x'.repeat(100_000)}'` },
    400,
    refused('MALFORMED_QUERY', 'SOQL statements cannot be longer than 100000 characters.'),
  ],
  [
    'an empty collection',
    'POST',
    () => '/composite/sobjects',
    { records: [] },
    400,
    [{ errorCode: 'REQUIRED_FIELD_MISSING', message: 'At least 1 record is required' }],
  ],
  [
    'a collection of which one fails',
    'POST',
    () => '/composite/sobjects',
    { records: [contact({ LastName: 'A' }), contact({})] },
    200,
    [
      { id: expect.stringMatching(/^003/u), success: true, errors: [] },
      rowRefused('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]'),
    ],
  ],
  [
    'all or none',
    'POST',
    () => '/composite/sobjects',
    { allOrNone: true, records: [contact({}), contact({ LastName: 'Nobody' })] },
    200,
    [
      rowRefused('REQUIRED_FIELD_MISSING'),
      rowRefused(
        'ALL_OR_NONE_OPERATION_ROLLED_BACK',
        'Record rolled back because not all records were valid and the request was using AllOrNone header',
      ),
    ],
  ],
  [
    'nothing of all or none stays',
    'GET',
    () => "/query?q=SELECT+Id+FROM+Contact+WHERE+LastName='Nobody'",
    undefined,
    200,
    { totalSize: 0, done: true, records: [] },
  ],
  [
    'rows without their id',
    'PATCH',
    () => '/composite/sobjects',
    { records: [contact({ LastName: 'A' })] },
    200,
    [
      {
        success: false,
        errors: [
          { statusCode: 'MISSING_ARGUMENT', message: 'Id not specified in an update call', fields: [] },
        ],
      },
    ],
  ],
  [
    'an id that is none',
    'PATCH',
    () => '/composite/sobjects',
    { records: [contact({ id: '003RM000003oLrB000', LastName: 'A' })] },
    200,
    [
      {
        id: '003RM000003oLrB000',
        success: false,
        errors: [{ statusCode: 'MALFORMED_ID', message: 'malformed id 003RM000003oLrB000', fields: [] }],
      },
    ],
  ],
  [
    'one wrong type in a collection',
    'POST',
    () => '/composite/sobjects',
    { records: [contact({ LastName: 'Typed' }), contact({ LastName: 'A', Birthdate: 'soon' })] },
    400,
    refused('JSON_PARSER_ERROR'),
  ],
  [
    'a collection that is too long',
    'POST',
    () => '/composite/sobjects',
    { records: Array.from({ length: 201 }, () => contact({ LastName: 'A' })) },
    400,
    refused('EXCEEDED_ID_LIMIT'),
  ],
  [
    'a call that is not imitated',
    'GET',
    () => '/sobjects/Account/describe/layouts',
    undefined,
    501,
    refused('NOT_IN_THE_SANDBOX'),
  ],
  [
    'a call below one that is not imitated',
    'GET',
    () => '/sobjects/User/describe/namedLayouts/UserAlt',
    undefined,
    501,
    refused('NOT_IN_THE_SANDBOX'),
  ],
];

test.each(answers)('%s', async (_, method, path, body, status, expected) => {
  const answer = await org.send(method, path(), body);
  expect(answer).toMatchObject({ status, body: expected });
});
