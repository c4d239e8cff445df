import type { CrmFault } from '../../../core/crm/fault.ts';
import type { Said } from './scripted-salesforce.ts';

/** What a refusal has to become. */
type Expected = Pick<CrmFault, 'scope' | 'why'> & {
  readonly field?: string;
  readonly records?: readonly string[];
  readonly afterSeconds?: number;
};

const refusal = (status: number, errorCode: string, message: string, fields?: string[]): Said => ({
  status,
  body: [{ message, errorCode, ...(fields && { fields }) }],
});
const row = (statusCode: string, message: string, fields: string[] = []): Said => ({
  body: [{ success: false, errors: [{ statusCode, message, fields }] }],
});

const matched = {
  allowSave: true,
  matchResults: [
    {
      matchRecords: [
        { record: { attributes: { type: 'Contact' }, Id: '003000000000001AAA' } },
        { record: { attributes: { type: 'Contact' }, Id: '003000000000002AAA' } },
      ],
    },
  ],
};

/** Answers to the collection of one record, as Salesforce gives or documents them. */
export const ofRecord: Readonly<Record<string, readonly [Said, Expected]>> = {
  'a required field': [
    refusal(400, 'REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', ['LastName']),
    { scope: 'record', why: 'invalid', field: 'LastName' },
  ],
  'a required field that the message names alone': [
    row('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]'),
    { scope: 'record', why: 'invalid', field: 'LastName' },
  ],
  'an empty collection': [
    refusal(400, 'REQUIRED_FIELD_MISSING', 'At least 1 record is required'),
    { scope: 'record', why: 'invalid' },
  ],
  'a missing id': [
    row('MISSING_ARGUMENT', 'Id not specified in an update call'),
    { scope: 'record', why: 'invalid' },
  ],
  'a malformed id': [
    row('MALFORMED_ID', 'malformed id 001RM000003oLrB000'),
    { scope: 'record', why: 'invalid' },
  ],
  'a long text': [
    row('STRING_TOO_LONG', 'First Name: data value too large: Ada (max length=40)', ['FirstName']),
    { scope: 'record', why: 'invalid', field: 'FirstName' },
  ],
  'an address that is none': [
    row('INVALID_EMAIL_ADDRESS', 'Email: invalid email address: ada', ['Email']),
    { scope: 'record', why: 'invalid', field: 'Email' },
  ],
  'a value that a picklist lacks': [
    row('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', 'bad value for restricted picklist field: x', ['Rating']),
    { scope: 'record', why: 'invalid', field: 'Rating' },
  ],
  'a validation rule': [
    row('FIELD_CUSTOM_VALIDATION_EXCEPTION', 'Close the account first.', ['Rating']),
    { scope: 'record', why: 'invalid', field: 'Rating' },
  ],
  'a value that is no date': [
    refusal(400, 'JSON_PARSER_ERROR', 'Cannot deserialize instance of date from VALUE_STRING value x'),
    { scope: 'record', why: 'invalid' },
  ],
  'a record rolled back with another one': [
    row('ALL_OR_NONE_OPERATION_ROLLED_BACK', 'Record rolled back because not all records were valid'),
    { scope: 'record', why: 'raced' },
  ],
  'a parent that is not there': [
    refusal(
      400,
      'INVALID_FIELD',
      'Foreign key external ID: c-404 not found for field Hub_Id__c in entity Contact',
    ),
    { scope: 'record', why: 'invalid', field: 'Hub_Id__c' },
  ],
  'a lock on a single record': [
    refusal(400, 'UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record'),
    { scope: 'record', why: 'raced' },
  ],
  'our key on another record': [
    row(
      'DUPLICATE_VALUE',
      'duplicate value found: Hub_Id__c duplicates value on record with id: 003000000000001AAA',
    ),
    { scope: 'record', why: 'raced', field: 'Hub_Id__c', records: ['003000000000001AAA'] },
  ],
  'another unique value': [
    refusal(
      400,
      'DUPLICATE_VALUE',
      'duplicate value found: Nozzle__c duplicates value on record with id: 001Vr00000m4eGCIAY',
    ),
    { scope: 'record', why: 'taken', field: 'Nozzle__c', records: ['001Vr00000m4eGCIAY'] },
  ],
  'a pair of values': [
    refusal(400, 'DUPLICATE_VALUE', 'Duplicate PermissionSetAssignment. Assignee: 005; Permission Set: 0PS', [
      'AssigneeId',
      'PermissionSetId',
    ]),
    { scope: 'record', why: 'taken', field: 'AssigneeId' },
  ],
  'a duplicate rule': [
    row('DUPLICATES_DETECTED', 'Use one of these records?'),
    { scope: 'record', why: 'taken' },
  ],
  'a duplicate rule that refuses the request': [
    refusal(400, 'DUPLICATES_DETECTED', "You're creating a duplicate record.", []),
    { scope: 'record', why: 'taken' },
  ],
  'a duplicate rule that names records': [
    {
      body: [
        {
          success: false,
          errors: [{ statusCode: 'DUPLICATES_DETECTED', message: '', duplicateResult: matched }],
        },
      ],
    },
    { scope: 'record', why: 'taken', records: ['003000000000001AAA', '003000000000002AAA'] },
  ],
  'a duplicate rule that names records under the other spelling': [
    { status: 400, body: [{ errorCode: 'DUPLICATES_DETECTED', message: '', duplicateResut: matched }] },
    { scope: 'record', why: 'taken', records: ['003000000000001AAA', '003000000000002AAA'] },
  ],
  'several records with the key': [
    {
      status: 300,
      body: [
        '/services/data/v62.0/sobjects/Contact/a01xx0000000001AAA',
        '/services/data/v62.0/sobjects/Contact/a01xx0000000002AAA',
      ],
    },
    { scope: 'record', why: 'taken', records: ['a01xx0000000001AAA', 'a01xx0000000002AAA'] },
  ],
  'several records with the key of a row': [
    row(
      'DUPLICATE_EXTERNAL_ID',
      'Hub Id: more than one record found for external id field: [003000000000001AAA, 003000000000002AAA]',
    ),
    { scope: 'record', why: 'taken', records: ['003000000000001AAA', '003000000000002AAA'] },
  ],
  'a deleted record': [row('ENTITY_IS_DELETED', 'entity is deleted'), { scope: 'record', why: 'gone' }],
  'a deleted record, refused with 404': [
    refusal(404, 'ENTITY_IS_DELETED', 'entity is deleted', []),
    { scope: 'record', why: 'gone' },
  ],
  'a reference to nothing': [
    row('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', ['RecordTypeId']),
    { scope: 'record', why: 'invalid', field: 'RecordTypeId' },
  ],
  'a record that sharing hides': [
    row('INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id'),
    { scope: 'record', why: 'setup' },
  ],
  'an error without a name': [
    row('UNKNOWN_EXCEPTION', 'An unexpected error occurred.'),
    { scope: 'record', why: 'down' },
  ],
  'no word of the record': [{ body: [] }, { scope: 'record', why: 'down' }],
  'an unknown column': [
    refusal(400, 'INVALID_FIELD', "No such column 'AccountNumer' on sobject of type Account"),
    { scope: 'object', why: 'setup', field: 'AccountNumer' },
  ],
  'a column that may not be written': [
    refusal(
      400,
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'Unable to create/update fields: MasterRecordId. Please check the security settings of this field.',
      ['MasterRecordId'],
    ),
    { scope: 'object', why: 'setup', field: 'MasterRecordId' },
  ],
  'an unknown object': [
    refusal(400, 'INVALID_TYPE', "sObject type 'Accout' is not supported."),
    { scope: 'object', why: 'setup' },
  ],
  'an object without permission': [
    row(
      'INSUFFICIENT_ACCESS_OR_READONLY',
      'You do not have the level of access necessary to perform the operation.',
    ),
    { scope: 'object', why: 'setup' },
  ],
  'a key that is no resource': [
    refusal(404, 'NOT_FOUND', 'The requested resource does not exist'),
    { scope: 'object', why: 'setup', field: 'Hub_Id__c' },
  ],
  'a full storage': [
    row('STORAGE_LIMIT_EXCEEDED', 'storage limit exceeded'),
    { scope: 'connection', why: 'setup' },
  ],
  'a used up allocation': [
    refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    { scope: 'connection', why: 'throttled', afterSeconds: 3600 },
  ],
  'a page of HTML': [
    { status: 503, body: '<html>' },
    { scope: 'connection', why: 'down' },
  ],
};

/** Answers to a whole request. */
export const ofRequest: Readonly<Record<string, readonly [Said, Expected]>> = {
  'a used up allocation': [
    refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    { scope: 'connection', why: 'throttled', afterSeconds: 3600 },
  ],
  'too many requests at once': [
    refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.'),
    { scope: 'connection', why: 'throttled', afterSeconds: 900 },
  ],
  'an org in maintenance': [
    refusal(503, 'SERVER_UNAVAILABLE', 'maintenance'),
    { scope: 'connection', why: 'down' },
  ],
  'an org that says when it is back': [
    { ...refusal(503, 'SERVER_UNAVAILABLE', 'maintenance'), headers: { 'retry-after': '120' } },
    { scope: 'connection', why: 'down', afterSeconds: 120 },
  ],
  'a page of maintenance': [
    { status: 503, text: '<html><body>down for maintenance</body></html>' },
    { scope: 'connection', why: 'down' },
  ],
  'a page with status 200': [
    { text: '<html><body>Please log in</body></html>' },
    { scope: 'connection', why: 'down' },
  ],
  'an answer of another shape': [{ body: { hello: 1 } }, { scope: 'connection', why: 'down' }],
  'a redirect': [
    { status: 302, text: '' },
    { scope: 'connection', why: 'down' },
  ],
  'a lost answer': [{ lost: true }, { scope: 'connection', why: 'down' }],
  'an API that is switched off': [
    refusal(403, 'API_DISABLED_FOR_ORG', 'API is not enabled for this Organization or Partner'),
    { scope: 'connection', why: 'setup' },
  ],
  'a policy of the org': [
    refusal(401, 'INVALID_SESSION_ID', 'This session is not valid for use with the REST API'),
    { scope: 'connection', why: 'setup' },
  ],
  'a refusal that nobody knows': [
    refusal(403, 'FUNCTIONALITY_NOT_ENABLED', 'no'),
    { scope: 'connection', why: 'setup' },
  ],
};
