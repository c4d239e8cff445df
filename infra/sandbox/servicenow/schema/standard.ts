import { className, type Field, field, systemFields, type Table } from './fields.ts';

const texts = (maxLength: number, ...names: string[]): Field[] =>
  names.map((name) => field(name, { maxLength }));

const references = (targets: Readonly<Record<string, string>>): Field[] =>
  Object.entries(targets).map(([name, reference]) => field(name, { type: 'reference', reference }));

const moments = (...names: string[]): Field[] =>
  names.map((name) => field(name, { type: 'glide_date_time' }));

const flags = (initial: 'true' | 'false', ...names: string[]): Field[] =>
  names.map((name) => field(name, { type: 'boolean', initial }));

const journals = (...names: string[]): Field[] => names.map((name) => field(name, { type: 'journal_input' }));

const address = [
  field('street', { maxLength: 255 }),
  ...texts(100, 'city', 'state'),
  ...texts(40, 'zip', 'country'),
];
const person = [
  ...texts(50, 'first_name', 'middle_name', 'last_name'),
  field('name', { maxLength: 152, readOnly: true }),
  field('title', { maxLength: 60 }),
  field('email', { type: 'email' }),
  ...texts(40, 'mobile_phone', 'home_phone', 'fax', 'gender', 'time_zone', 'date_format', 'time_format'),
  field('preferred_language', { maxLength: 3 }),
  field('notification', {
    type: 'integer',
    initial: '2',
    choices: [
      ['1', 'Disable'],
      ['2', 'Enable'],
    ],
  }),
  ...flags('true', 'active'),
];
const number = field('number', { readOnly: true });

const users: Table[] = [
  {
    name: 'sys_user',
    label: 'User',
    display: 'name',
    fields: [
      ...systemFields,
      className,
      ...person,
      ...address,
      field('user_name', { label: 'User ID', unique: true }),
      ...texts(40, 'phone', 'employee_number'),
      ...flags('false', 'vip', 'locked_out', 'web_service_access_only'),
      ...references({ company: 'core_company', manager: 'sys_user' }),
    ],
  },
  {
    name: 'customer_contact',
    label: 'Contact',
    parent: 'sys_user',
    display: 'name',
    fields: references({ account: 'customer_account' }),
  },
];

const companies: Table[] = [
  {
    name: 'core_company',
    label: 'Company',
    display: 'name',
    fields: [
      ...systemFields,
      className,
      field('name', { maxLength: 80 }),
      ...address,
      ...texts(40, 'phone', 'fax_phone', 'stock_symbol'),
      field('website', { type: 'url' }),
      field('notes', { maxLength: 4000 }),
      ...flags('false', 'customer', 'vendor', 'manufacturer'),
      ...references({ parent: 'core_company', contact: 'sys_user' }),
    ],
  },
  {
    name: 'customer_account',
    label: 'Account',
    parent: 'core_company',
    prefix: 'ACCT',
    display: 'name',
    fields: [
      number,
      ...references({ account_parent: 'customer_account', primary_contact: 'customer_contact' }),
      ...flags('false', 'partner'),
    ],
  },
];

const consumers: Table = {
  name: 'csm_consumer',
  label: 'Consumer',
  prefix: 'CSMR',
  display: 'name',
  fields: [
    ...systemFields,
    number,
    ...person,
    ...address,
    ...texts(40, 'prefix', 'suffix', 'business_phone'),
    field('notes', { maxLength: 4000 }),
    ...flags('false', 'primary'),
    ...references({ household: 'csm_household', user: 'csm_consumer_user' }),
  ],
};

const interactions: Table = {
  name: 'interaction',
  label: 'Interaction',
  prefix: 'IMS',
  display: 'number',
  fields: [
    ...systemFields,
    { ...number, unique: true },
    field('type', {
      choices: [
        ['chat', 'Chat'],
        ['email', 'Email'],
        ['messaging', 'Messaging'],
        ['phone', 'Phone'],
        ['video', 'Video'],
        ['walkup', 'Walk-up'],
      ],
    }),
    field('state', {
      initial: 'new',
      choices: [
        ['new', 'New'],
        ['work_in_progress', 'Work in Progress'],
        ['on_hold', 'On Hold'],
        ['wrap_up', 'Wrap Up'],
        ['closed_complete', 'Closed Complete'],
        ['closed_abandoned', 'Closed Abandoned'],
      ],
    }),
    field('direction', {
      choices: [
        ['inbound', 'Inbound'],
        ['outbound', 'Outbound'],
      ],
    }),
    ...texts(40, 'channel', 'state_reason'),
    field('short_description', { maxLength: 160 }),
    ...journals('work_notes'),
    ...moments('opened_at', 'closed_at'),
    ...flags('true', 'active'),
    ...references({
      account: 'customer_account',
      contact: 'customer_contact',
      consumer: 'csm_consumer',
      opened_for: 'sys_user',
      opened_by: 'sys_user',
      closed_by: 'sys_user',
      assigned_to: 'sys_user',
      assignment_group: 'sys_user_group',
    }),
  ],
};

const levels = (name: string, ...labels: string[]): Field =>
  field(name, {
    type: 'integer',
    initial: String(labels.length),
    choices: labels.map((label, index) => [String(index + 1), `${index + 1} - ${label}`]),
  });

const tasks: Table[] = [
  {
    name: 'task',
    label: 'Task',
    display: 'number',
    fields: [
      ...systemFields,
      className,
      number,
      field('short_description', { maxLength: 160 }),
      field('description', { maxLength: 4000 }),
      field('close_notes', { maxLength: 4000 }),
      ...journals('comments', 'work_notes'),
      levels('priority', 'Critical', 'High', 'Moderate', 'Low'),
      levels('impact', 'High', 'Medium', 'Low'),
      levels('urgency', 'High', 'Medium', 'Low'),
      field('contact_type', {
        choices: [
          ['chat', 'Chat'],
          ['email', 'Email'],
          ['phone', 'Phone'],
          ['social', 'Social'],
          ['web', 'Web'],
        ],
      }),
      field('correlation_id', { maxLength: 100 }),
      field('correlation_display', { maxLength: 100 }),
      ...moments('opened_at', 'closed_at', 'due_date'),
      ...flags('true', 'active'),
      ...references({
        parent: 'task',
        company: 'core_company',
        opened_by: 'sys_user',
        closed_by: 'sys_user',
        assigned_to: 'sys_user',
        assignment_group: 'sys_user_group',
      }),
    ],
  },
  {
    name: 'sn_customerservice_case',
    label: 'Case',
    parent: 'task',
    prefix: 'CS',
    display: 'number',
    fields: [
      field('state', {
        type: 'integer',
        initial: '1',
        choices: [
          ['1', 'New'],
          ['10', 'Open'],
          ['18', 'Awaiting Info'],
          ['6', 'Resolved'],
          ['3', 'Closed'],
          ['7', 'Cancelled'],
        ],
      }),
      field('category'),
      field('resolution_code'),
      field('cause', { maxLength: 4000 }),
      ...flags('false', 'needs_attention'),
      ...references({
        account: 'customer_account',
        contact: 'customer_contact',
        consumer: 'csm_consumer',
        interaction: 'interaction',
      }),
    ],
  },
];

const journalEntries: Table = {
  name: 'sys_journal_field',
  label: 'Journal Entry',
  display: 'element',
  fields: [
    ...systemFields,
    field('name', { maxLength: 80 }),
    field('element', { maxLength: 80 }),
    field('element_id', { maxLength: 32 }),
    field('value', { maxLength: 4000 }),
  ],
};

/** What was deleted, by the table to which it belonged itself. Only administrators may read it unless an access control says more. */
const deletions: Table = {
  name: 'sys_audit_delete',
  label: 'Audit Deleted Record',
  display: 'display_value',
  system: true,
  fields: [
    ...systemFields,
    field('tablename', { maxLength: 80 }),
    field('documentkey', { maxLength: 32 }),
    field('display_value', { maxLength: 255 }),
  ],
};

const importSets: Table = {
  name: 'sys_import_set',
  label: 'Import Set',
  prefix: 'ISET',
  display: 'number',
  system: true,
  fields: [...systemFields, number, field('table_name', { maxLength: 80 }), field('state'), field('mode')],
};

/** What every staging table has: the rows of import sets, and what became of each. */
const importRows: Table = {
  name: 'sys_import_set_row',
  label: 'Import Set Row',
  display: 'sys_import_row',
  system: true,
  fields: [
    ...systemFields,
    field('sys_import_set', { type: 'reference', reference: 'sys_import_set' }),
    field('sys_import_row', { type: 'integer' }),
    field('sys_import_state'),
    field('sys_import_state_comment', { maxLength: 4000 }),
    field('sys_transform_map', { maxLength: 100 }),
    field('sys_target_table', { maxLength: 80 }),
    field('sys_target_sys_id', { maxLength: 32 }),
  ],
};

/** How rows of a staging table become records of another table, and which column fills which field. */
const transforms: readonly Table[] = [
  {
    name: 'sys_transform_map',
    label: 'Table Transform Map',
    display: 'name',
    system: true,
    fields: [
      ...systemFields,
      ...['name', 'source_table', 'target_table'].map((name) => field(name, { maxLength: 80 })),
      ...['active', 'run_business_rules'].map((name) => field(name, { type: 'boolean', initial: 'true' })),
      field('copy_empty_fields', { type: 'boolean' }),
    ],
  },
  {
    name: 'sys_transform_entry',
    label: 'Transform Map Field Map',
    display: 'target_field',
    system: true,
    fields: [
      ...systemFields,
      field('map', { type: 'reference', reference: 'sys_transform_map' }),
      ...['source_table', 'source_field', 'target_table', 'target_field'].map((name) =>
        field(name, { maxLength: 80 }),
      ),
      field('coalesce', { type: 'boolean' }),
    ],
  },
];

/** The tables of the customer service application and what they build on, by ServiceNow's documentation of their records. */
export const standardTables: readonly Table[] = [
  ...users,
  ...companies,
  consumers,
  interactions,
  ...tasks,
  journalEntries,
  deletions,
  importSets,
  importRows,
  ...transforms,
];
