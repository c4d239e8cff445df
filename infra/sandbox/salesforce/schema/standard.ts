import {
  address,
  derived,
  field,
  lookup,
  masterRecord,
  type ObjectType,
  objectType,
  owner,
  personName,
  pick,
  text,
} from './fields.ts';

const SOURCES = ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'];
const RATINGS = ['Hot', 'Warm', 'Cold'];
const INDUSTRIES = ['Banking', 'Energy', 'Retail', 'Technology', 'Other'];
const PRIORITIES = ['High', 'Normal', 'Low'];

const account = objectType('Account', '001', [
  masterRecord('Account'),
  text('Name', 255, { nillable: false, nameField: true }),
  pick('Type', [
    'Prospect',
    'Customer - Direct',
    'Customer - Channel',
    'Channel Partner / Reseller',
    'Other',
  ]),
  lookup('ParentId', ['Account'], 'ChildAccounts'),
  ...address('Billing'),
  ...address('Shipping'),
  field('Phone', 'phone'),
  field('Fax', 'phone'),
  text('AccountNumber', 40),
  field('Website', 'url'),
  text('Sic', 20),
  text('SicDesc', 80),
  pick('Industry', INDUSTRIES),
  field('AnnualRevenue', 'currency'),
  field('NumberOfEmployees', 'int'),
  pick('Ownership', ['Public', 'Private', 'Subsidiary', 'Other']),
  text('TickerSymbol', 20),
  field('Description', 'textarea'),
  pick('Rating', RATINGS),
  text('Site', 80),
  text('Jigsaw', 20),
  text('JigsawCompanyId', 20, { createable: false, updateable: false }),
  pick('AccountSource', SOURCES),
  owner(),
  field('LastActivityDate', 'date', { createable: false, updateable: false }),
]);

const contact = objectType('Contact', '003', [
  masterRecord('Contact'),
  lookup('AccountId', ['Account'], 'Contacts', { cascadeDelete: true }),
  ...personName(),
  ...address('Mailing'),
  ...address('Other'),
  ...['Phone', 'Fax', 'MobilePhone', 'HomePhone', 'OtherPhone', 'AssistantPhone'].map((name) =>
    field(name, 'phone'),
  ),
  lookup('ReportsToId', ['Contact']),
  field('Email', 'email', { idLookup: true }),
  text('Title', 128),
  text('Department', 80),
  text('AssistantName', 40),
  pick('LeadSource', SOURCES),
  field('Birthdate', 'date'),
  field('Description', 'textarea'),
  owner(),
  field('HasOptedOutOfEmail', 'boolean', { label: 'Email Opt Out' }),
  field('HasOptedOutOfFax', 'boolean', { label: 'Fax Opt Out' }),
  field('DoNotCall', 'boolean'),
  field('LastActivityDate', 'date', { createable: false, updateable: false }),
  text('EmailBouncedReason', 255),
  field('EmailBouncedDate', 'datetime'),
  derived('IsEmailBounced', 'boolean', ({ EmailBouncedReason }) => Boolean(EmailBouncedReason)),
]);

const lead = objectType('Lead', '00Q', [
  masterRecord('Lead'),
  ...personName(),
  text('Title', 128),
  text('Company', 255, { nillable: false }),
  ...address(''),
  ...['Phone', 'MobilePhone', 'Fax'].map((name) => field(name, 'phone')),
  field('Email', 'email', { idLookup: true }),
  field('Website', 'url'),
  field('Description', 'textarea'),
  pick('LeadSource', SOURCES),
  pick(
    'Status',
    ['Open - Not Contacted', 'Working - Contacted', 'Closed - Converted', 'Closed - Not Converted'],
    { nillable: false, default: 'Open - Not Contacted' },
  ),
  pick('Industry', INDUSTRIES),
  pick('Rating', RATINGS),
  field('AnnualRevenue', 'currency'),
  field('NumberOfEmployees', 'int'),
  owner(),
  field('HasOptedOutOfEmail', 'boolean', { label: 'Email Opt Out' }),
  field('DoNotCall', 'boolean'),
  field('IsConverted', 'boolean', { updateable: false }),
  field('ConvertedDate', 'date', { createable: false, updateable: false }),
  ...['Contact', 'Account'].map((object) =>
    lookup(`Converted${object}Id`, [object], undefined, { createable: false, updateable: false }),
  ),
]);

const CASE_STATUSES = ['New', 'Working', 'Escalated', 'Closed'];
const supportCase = objectType('Case', '500', [
  masterRecord('Case'),
  field('CaseNumber', 'string', {
    createable: false,
    updateable: false,
    nillable: false,
    length: 30,
    nameField: true,
    idLookup: true,
    autoNumber: '{00000000}',
  }),
  lookup('ContactId', ['Contact'], 'Cases'),
  lookup('AccountId', ['Account'], 'Cases'),
  lookup('ParentId', ['Case'], 'Cases'),
  text('SuppliedName', 80),
  field('SuppliedEmail', 'email'),
  text('SuppliedPhone', 40),
  pick('Type', ['Question', 'Problem', 'Feature Request']),
  pick('Status', CASE_STATUSES, { default: 'New' }),
  pick('Reason', ['Installation', 'Performance', 'Other']),
  pick('Origin', ['Phone', 'Email', 'Web']),
  text('Subject', 255),
  pick('Priority', ['High', 'Medium', 'Low'], { default: 'Medium' }),
  field('Description', 'textarea'),
  derived('IsClosed', 'boolean', ({ Status }) => Status === 'Closed'),
  owner(),
]);

const caseComment = objectType('CaseComment', '00a', [
  lookup('ParentId', ['Case'], 'CaseComments', { nillable: false, updateable: false, cascadeDelete: true }),
  field('IsPublished', 'boolean'),
  field('CommentBody', 'textarea', { length: 4000 }),
]);

const who = lookup('WhoId', ['Contact', 'Lead'], 'Tasks', { cascadeDelete: true });
const what = lookup('WhatId', ['Account', 'Case', 'Opportunity'], 'Tasks', { cascadeDelete: true });
const task = objectType('Task', '00T', [
  who,
  what,
  field('Subject', 'combobox', { values: ['Call', 'Email', 'Send Letter', 'Send Quote', 'Other'] }),
  field('ActivityDate', 'date', { label: 'Due Date Only' }),
  pick('Status', ['Not Started', 'In Progress', 'Completed', 'Waiting on someone else', 'Deferred'], {
    nillable: false,
    default: 'Not Started',
  }),
  pick('Priority', PRIORITIES, { nillable: false, default: 'Normal' }),
  derived('IsHighPriority', 'boolean', ({ Priority }) => Priority === 'High'),
  owner(),
  field('Description', 'textarea'),
  derived('IsClosed', 'boolean', ({ Status }) => Status === 'Completed'),
  pick('TaskSubtype', ['Task', 'Email', 'ListEmail', 'Cadence', 'Call', 'LinkedIn'], {
    updateable: false,
    restricted: true,
    length: 40,
    default: 'Task',
  }),
  field('CallDurationInSeconds', 'int'),
  pick('CallType', ['Internal', 'Inbound', 'Outbound'], { length: 40 }),
  text('CallDisposition', 255),
  text('CallObject', 255),
  field('IsArchived', 'boolean', { createable: false, updateable: false }),
  field('ReminderDateTime', 'datetime'),
  field('IsReminderSet', 'boolean'),
  derived('CompletedDateTime', 'datetime', ({ Status, LastModifiedDate }) =>
    Status === 'Completed' ? LastModifiedDate : null,
  ),
]);

const event = objectType('Event', '00U', [
  lookup('WhoId', ['Contact', 'Lead'], 'Events', { cascadeDelete: true }),
  lookup('WhatId', ['Account', 'Case', 'Opportunity'], 'Events', { cascadeDelete: true }),
  field('Subject', 'combobox', { values: ['Call', 'Email', 'Meeting', 'Other'] }),
  text('Location', 255),
  field('IsAllDayEvent', 'boolean'),
  field('StartDateTime', 'datetime'),
  field('EndDateTime', 'datetime'),
  field('DurationInMinutes', 'int'),
  field('Description', 'textarea'),
  owner(),
]);

const emailMessage = objectType('EmailMessage', '02s', [
  lookup('ParentId', ['Case'], 'EmailMessages', { updateable: false, cascadeDelete: true }),
  lookup('RelatedToId', ['Account', 'Case', 'Opportunity'], 'Emails', { updateable: false }),
  field('TextBody', 'textarea', { updateable: false }),
  field('HtmlBody', 'textarea', { updateable: false, length: 131_072 }),
  text('Subject', 3000, { updateable: false }),
  text('FromName', 1000, { updateable: false }),
  field('FromAddress', 'email', { updateable: false, length: 1000 }),
  ...['ToAddress', 'CcAddress', 'BccAddress'].map((name) => text(name, 4000, { updateable: false })),
  ...['ToIds', 'CcIds', 'BccIds'].map((name) => field(name, 'junctionIdList', { updateable: false })),
  lookup('ActivityId', ['Task'], undefined, { updateable: false }),
  field('Incoming', 'boolean', { updateable: false }),
  pick('Status', ['0', '1', '2', '3', '4', '5'], { restricted: true, nillable: false, default: '0' }),
  field('MessageDate', 'datetime', { updateable: false }),
  text('MessageIdentifier', 765, { updateable: false }),
  text('ThreadIdentifier', 765, { updateable: false }),
]);

const emailMessageRelation = objectType('EmailMessageRelation', '0Xg', [
  lookup('EmailMessageId', ['EmailMessage'], 'EmailMessageRelations', {
    ...{ nillable: false, updateable: false, cascadeDelete: true },
  }),
  lookup('RelationId', ['Contact', 'Lead', 'User'], 'EmailMessageRelations'),
  pick('RelationType', ['ToAddress', 'CcAddress', 'BccAddress', 'FromAddress'], {
    ...{ nillable: false, updateable: false, restricted: true },
  }),
  text('RelationAddress', 255, { updateable: false }),
]);

const opportunity = objectType(
  'Opportunity',
  '006',
  [
    lookup('AccountId', ['Account'], 'Opportunities', { cascadeDelete: true }),
    lookup('ContactId', ['Contact'], 'Opportunities', { updateable: false }),
    text('Name', 120, { nillable: false, nameField: true }),
    field('Description', 'textarea'),
    pick(
      'StageName',
      [
        'Prospecting',
        'Qualification',
        'Proposal/Price Quote',
        'Negotiation/Review',
        'Closed Won',
        'Closed Lost',
      ],
      { nillable: false },
    ),
    field('Amount', 'currency'),
    field('Probability', 'percent'),
    field('CloseDate', 'date', { nillable: false }),
    pick('Type', ['Existing Business', 'New Business']),
    pick('LeadSource', SOURCES),
    text('NextStep', 255),
    derived('IsClosed', 'boolean', ({ StageName }) => String(StageName).startsWith('Closed')),
    derived('IsWon', 'boolean', ({ StageName }) => StageName === 'Closed Won'),
    owner(),
  ],
  { labelPlural: 'Opportunities' },
);

const user = objectType('User', '005', [
  ...personName(),
  text('Username', 80, { nillable: false, unique: true, idLookup: true }),
  field('Email', 'email', { nillable: false, length: 128, idLookup: true }),
  text('Alias', 8, { nillable: false }),
  field('IsActive', 'boolean'),
  field('Phone', 'phone'),
  field('MobilePhone', 'phone'),
  text('Title', 80),
  text('CompanyName', 80),
  lookup('ManagerId', ['User']),
  pick('UserType', ['Standard', 'Guest'], { createable: false, updateable: false, default: 'Standard' }),
  text('TimeZoneSidKey', 40, { default: 'GMT' }),
  text('LocaleSidKey', 40, { default: 'en_US' }),
  text('LanguageLocaleKey', 40, { default: 'en_US' }),
]);

/** The standard objects of the sandbox, with the fields that integrations meet most. */
export const standardObjects: readonly ObjectType[] = [
  account,
  contact,
  lead,
  supportCase,
  caseComment,
  task,
  event,
  emailMessage,
  emailMessageRelation,
  opportunity,
  user,
];
