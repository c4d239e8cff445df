import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { hubspot } from '../../../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../../../connectors/crm/servicenow/index.ts';
import {
  type Call,
  type CrmConnector,
  type CrmRecord,
  type CrmSession,
  unsharedToken,
} from '../../../../core/crm/connector.ts';
import { hubspotSandbox } from '../../../../infra/sandbox/hubspot/sandbox.ts';
import type { Sandbox } from '../../../../infra/sandbox/protocol/sandbox.ts';
import { salesforceSandbox } from '../../../../infra/sandbox/salesforce/server.ts';
import { servicenowSandbox } from '../../../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../../../infra/scenario/hub/sandboxes.ts';

interface AccountOptions {
  /** Whether an administrator has added the fields that the hub needs; default true. */
  readonly isPrepared?: boolean;
  /** Epoch milliseconds; default the clock of the machine. */
  readonly now?: () => number;
}

/** A connector, an account of its CRM on this machine, and the names that the CRM has for things. */
export interface Crm {
  readonly connector: CrmConnector;
  readonly open: (options?: AccountOptions) => Promise<Sandbox>;
  /** Where sessions expire, the secret whose session does. */
  readonly secretOf: (sandbox: Sandbox) => unknown;
  readonly key: string;
  readonly contact: string;
  readonly names: Readonly<Record<'first' | 'last' | 'email' | 'phone' | 'mobile', string>>;
  /** A field of contacts that holds a further e-mail address. */
  readonly secondEmail: string;
  /** A field that the CRM does not let anybody write. */
  readonly readOnly: string;
  readonly activity: { readonly object: string; readonly link: string; readonly fields: object };
  /** The ids of the contacts to which an activity belongs. */
  readonly linked: (sandbox: Sandbox, activity: string) => readonly string[];
  /** Fields with which the CRM refuses a new contact, and the one that is wrong. */
  readonly refused: { readonly fields: Readonly<Record<string, string | null>>; readonly field: string };
  /** Whether staff can merge two contacts, so that the other one leads to the one that remains. */
  readonly merges: boolean;
  readonly requests: Readonly<
    Record<
      'oneKnown' | 'thousandNew' | 'thousandKnown' | 'thousandEmails' | 'hundredPhones' | 'thousandIds',
      number
    >
  >;
}

const associations = new WeakMap<Sandbox, (activity: string) => readonly string[]>();

const IMPORT = 'u_hub_contact_import';
const imported = ['first_name', 'last_name', 'email', 'phone', 'mobile_phone', 'title'];
const importTable = {
  table: IMPORT,
  transformMap: {
    ...{ name: 'Hub contacts', target: 'customer_contact', coalesce: ['u_hub_id'] },
    fields: {
      ...{ u_hub_id: 'u_hub_id', u_second_email: 'u_second_email' },
      ...Object.fromEntries(imported.map((name) => [`u_${name}`, name])),
    },
  },
};

const instance: Crm = {
  connector: servicenow,
  open: ({ isPrepared = true, ...options } = {}) =>
    servicenowSandbox(new DatabaseSync(':memory:'), {
      ...options,
      importTables: [importTable],
      customFields: isPrepared
        ? [
            ...crmFields.servicenow.customFields,
            { table: 'customer_contact', name: 'u_second_email', type: 'email' },
          ]
        : [],
      dataPolicies: [{ table: 'customer_contact', mandatory: ['last_name'] }],
    }),
  secretOf: ({ secret }) => secret,
  key: 'u_hub_id',
  contact: 'customer_contact',
  names: {
    ...{ first: 'first_name', last: 'last_name', email: 'email', phone: 'phone', mobile: 'mobile_phone' },
  },
  secondEmail: 'u_second_email',
  readOnly: 'sys_created_on',
  activity: {
    object: 'interaction',
    link: 'contact',
    fields: { short_description: 'Hello', type: 'chat' },
  },
  linked: (sandbox, activity) =>
    sandbox
      .records('interaction')
      .flatMap(({ id, fields }) =>
        id === activity && typeof fields['contact'] === 'string' ? [fields['contact']] : [],
      ),
  // It takes any text as an address.
  refused: { fields: { first_name: 'Bad', last_name: null }, field: 'last_name' },
  merges: false,
  // Two describe the table, one finds who is there by key; 250 are written in each.
  requests: {
    oneKnown: 1,
    thousandNew: 7,
    thousandKnown: 4,
    thousandEmails: 1,
    hundredPhones: 1,
    thousandIds: 1,
  },
};

/** ServiceNow, with contacts that are written by an import set. */
export const servicenowByImport: Crm = {
  ...instance,
  connector: {
    ...servicenow,
    title: 'ServiceNow by an import set',
    async open(...given) {
      const session = await servicenow.open(...given);
      return {
        ...session,
        async upsert(object, keyField, records, call) {
          if (object !== instance.contact || session.imports === undefined)
            return session.upsert(object, keyField, records, call);
          return session.imports.upsert({ table: IMPORT, object, keyField }, records, call);
        },
      };
    },
  },
  // Two describe the table, one looks at the transform map, or at who is there; 250 are written in each, and then read.
  requests: { ...instance.requests, oneKnown: 3, thousandNew: 8, thousandKnown: 6 },
};

export const crms: readonly Crm[] = [
  {
    connector: salesforce,
    open: ({ isPrepared = true, ...options } = {}) =>
      salesforceSandbox(new DatabaseSync(':memory:'), {
        ...options,
        customFields: isPrepared
          ? [...crmFields.salesforce, { FullName: 'Contact.Second_Email__c', Metadata: { type: 'Email' } }]
          : [],
      }),
    secretOf: ({ secret }) => secret,
    key: 'Hub_Id__c',
    contact: 'Contact',
    names: { first: 'FirstName', last: 'LastName', email: 'Email', phone: 'Phone', mobile: 'MobilePhone' },
    secondEmail: 'Second_Email__c',
    readOnly: 'CreatedDate',
    activity: {
      object: 'Task',
      link: 'WhoId',
      fields: { Subject: 'Hello', Status: 'Completed', TaskSubtype: 'Task' },
    },
    linked: (sandbox, activity) =>
      sandbox
        .records('Task')
        .flatMap(({ id, fields }) =>
          id === activity && typeof fields['WhoId'] === 'string' ? [fields['WhoId']] : [],
        ),
    refused: { fields: { LastName: 'Bad', Email: 'no address' }, field: 'Email' },
    merges: true,
    // One describes an object; people are looked up as contacts and as leads; phones are searched for a hundred at a time.
    requests: {
      oneKnown: 1,
      thousandNew: 2,
      thousandKnown: 1,
      thousandEmails: 4,
      hundredPhones: 1,
      thousandIds: 1,
    },
  },
  {
    connector: hubspot,
    async open({ isPrepared = true, ...options } = {}) {
      const sandbox = await hubspotSandbox(new DatabaseSync(':memory:'), {
        ...options,
        customProperties: isPrepared ? crmFields.hubspot : [],
      });
      associations.set(sandbox, (activity) => sandbox.associated('notes', activity, 'contacts'));
      appSecrets.set(sandbox, { ...sandbox.oauth, baseUrl: sandbox.url });
      return sandbox;
    },
    secretOf: (sandbox) => appSecrets.get(sandbox),
    key: 'hub_id',
    contact: 'contacts',
    names: {
      ...{ first: 'firstname', last: 'lastname', email: 'email', phone: 'phone', mobile: 'mobilephone' },
    },
    secondEmail: 'hs_additional_emails',
    readOnly: 'createdate',
    activity: {
      object: 'notes',
      link: 'contacts',
      fields: { hs_note_body: 'Hello', hs_timestamp: '2026-03-01T09:00:00Z' },
    },
    linked: (sandbox, activity) => associations.get(sandbox)?.(activity) ?? [],
    refused: { fields: { lastname: 'Bad', email: 'no address' }, field: 'email' },
    merges: true,
    // A hundred records in each, and every address was found without a search.
    requests: {
      oneKnown: 1,
      thousandNew: 10,
      thousandKnown: 10,
      thousandEmails: 10,
      hundredPhones: 2,
      thousandIds: 10,
    },
  },
  instance,
];

const appSecrets = new WeakMap<Sandbox, unknown>();

/** One account of a CRM, and the sessions of workers that use it. */
export const workplace = async (crm: Crm, options: AccountOptions = {}) => {
  const sandbox = await crm.open(options);
  const connected = (secret: unknown = sandbox.secret): Promise<CrmSession> =>
    crm.connector.open(secret, unsharedToken, AbortSignal.timeout(30_000));
  const session = await connected();
  return {
    sandbox,
    session,
    connected,
    call: callOf(),
    /** Writes contacts, and returns what became of each. */
    contacts: (records: readonly CrmRecord[], call: Call = callOf()) =>
      session.upsert(crm.contact, crm.key, records, call),
  };
};
export type Workplace = Awaited<ReturnType<typeof workplace>>;

export const callOf = (more: Partial<Call> = {}): Call => ({
  signal: AbortSignal.timeout(30_000),
  spend: async () => undefined,
  sleep: setTimeout,
  ...more,
});

/** Contacts with a key, a name and an address. */
export const people = (crm: Crm, count: number): CrmRecord[] =>
  Array.from({ length: count }, (_, at) => ({
    key: `hub:c${at}`,
    fields: { [crm.names.last]: `Name ${at}`, [crm.names.email]: `p${at}@example.com` },
  }));

export const idIn = (result: object | undefined): string => {
  if (result !== undefined && 'id' in result) return String(result.id);
  throw new Error(`The record was refused: ${JSON.stringify(result)}`);
};

export const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
