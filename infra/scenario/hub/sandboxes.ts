import { DatabaseSync } from 'node:sqlite';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { type HubspotSandbox, hubspotSandbox } from '../../sandbox/hubspot/sandbox.ts';
import type { Webhook } from '../../sandbox/hubspot/webhooks.ts';
import type { Sandbox } from '../../sandbox/protocol/sandbox.ts';
import {
  type ChangeEvent,
  type SalesforceSandbox,
  salesforceSandbox,
} from '../../sandbox/salesforce/server.ts';
import { type ServicenowSandbox, servicenowSandbox } from '../../sandbox/servicenow/server.ts';
import { offerSecrets } from './offered-secrets.ts';

/** What a CRM sends about a change of its records; ServiceNow sends nothing, and is asked. */
export type CrmReport =
  | { readonly crm: 'salesforce'; readonly event: ChangeEvent }
  | { readonly crm: 'hubspot'; readonly webhook: Webhook }
  | { readonly crm: 'servicenow' };

export interface Sandboxes {
  readonly names: readonly string[];
  readonly salesforce: SalesforceSandbox;
  readonly hubspot: HubspotSandbox;
  /** Where it was asked for. */
  readonly servicenow?: ServicenowSandbox;
  /** By the id of the CRM. */
  readonly byName: Readonly<Record<string, Sandbox>>;
  /**
   * Stores the credentials of the sandboxes as the secrets of the CRMs that a hub has switched on, and the one that signs
   * HubSpot's webhooks, each unless somebody has stored another. Resolves to the CRMs that the hub uses elsewhere.
   */
  connect(runtime: Runtime, hub: string): Promise<readonly string[]>;
  /** The records by CRM and object, without the contacts of `mergedIn` source profiles, by their names in the CRM's API. */
  records(mergedIn?: ReadonlySet<string>): Record<string, Record<string, readonly object[]>>;
  /** The number of these records. */
  countRecords(mergedIn?: ReadonlySet<string>): Record<string, Record<string, number>>;
  stop(): Promise<void>;
}

interface SandboxesOptions {
  /** Default any free ones. */
  readonly ports?: { readonly salesforce?: number; readonly hubspot?: number; readonly servicenow?: number };
  /** Whether there is a ServiceNow too. */
  readonly servicenow?: boolean;
  /** Epoch milliseconds; default the clock of the machine. */
  readonly now?: () => number;
  /** How long an answer takes under the fault `slow`, in milliseconds; default 3,000. */
  readonly slowness?: number;
  /** The public address of the hub, without a path; HubSpot signs it. */
  readonly publicUrl?: string;
  readonly report?: (report: CrmReport) => void;
}

const keyMetadata = { type: 'Text', length: 64, unique: true, externalId: true, caseSensitive: false };

/** A unique key of the hub in ServiceNow. */
const hubId = { name: 'u_hub_id', maxLength: 64, unique: true };

/** What an administrator of ServiceNow sets up: a unique key, and an import of contacts by that key. */
const servicenowSetup = {
  customFields: ['customer_contact', 'csm_consumer', 'interaction', 'sn_customerservice_case'].map(
    (table) => ({ table, ...hubId }),
  ),
  importTables: [
    {
      table: 'u_hub_customer_import',
      transformMap: {
        name: 'Hub customers',
        target: 'customer_contact',
        coalesce: ['u_hub_id'],
        fields: {
          u_hub_id: 'u_hub_id',
          ...Object.fromEntries(
            ['first_name', 'last_name', 'email', 'phone', 'mobile_phone', 'preferred_language'].map(
              (name) => [`u_${name}`, name],
            ),
          ),
        },
      },
      insertMultiple: { synchronous: true, columnNames: true },
    },
  ],
};

/** The custom fields that a business creates in its CRM for `mappings/crm`. */
export const crmFields = {
  salesforce: [
    { FullName: 'Contact.Hub_Id__c', Metadata: keyMetadata },
    { FullName: 'Activity.Hub_Id__c', Metadata: keyMetadata },
    { FullName: 'Case.Hub_Id__c', Metadata: keyMetadata },
    { FullName: 'Contact.Channel__c', Metadata: { type: 'Text', length: 255 } },
  ],
  hubspot: ['contacts', 'communications', 'emails', 'calls', 'notes', 'tickets'].map((object) => ({
    ...{ object, name: 'hub_id', unique: true },
  })),
  servicenow: servicenowSetup,
} as const;

/** The field that holds the hub's key, and the object of contacts. */
const keyed = {
  salesforce: { contact: 'Contact', key: 'Hub_Id__c' },
  hubspot: { contact: 'contacts', key: 'hub_id' },
  servicenow: { contact: 'customer_contact', key: 'u_hub_id' },
} as const;
type Known = keyof typeof keyed;

/** Signs the webhooks of the HubSpot sandbox. */
export const HUBSPOT_CLIENT_SECRET = 'sandbox-client-secret';

/** Objects that an account has before anybody works in it. */
const furniture: ReadonlySet<string> = new Set(['User', 'sys_user', 'sys_journal_field']);

/** Opens the sandbox CRMs on 127.0.0.1. */
export const openSandboxes = async (
  db: DatabaseSync = new DatabaseSync(':memory:'),
  {
    ports = {},
    servicenow: withServicenow = false,
    now,
    slowness,
    publicUrl = 'https://hub.example.com',
    report,
  }: SandboxesOptions = {},
): Promise<Sandboxes> => {
  db.exec('PRAGMA secure_delete = ON');
  const time = { ...(now && { now }), ...(slowness !== undefined && { slowness }) };
  const salesforce = await salesforceSandbox(db, {
    ...{ ...time, customFields: crmFields.salesforce },
    ...(ports.salesforce !== undefined && { port: ports.salesforce }),
    report: (event) => report?.({ crm: 'salesforce', event }),
  });
  const hubspot = await hubspotSandbox(db, {
    ...{ ...time, customProperties: crmFields.hubspot },
    webhook: { url: `${publicUrl}/webhooks/hubspot`, clientSecret: HUBSPOT_CLIENT_SECRET },
    ...(ports.hubspot !== undefined && { port: ports.hubspot }),
    report: (webhook) => report?.({ crm: 'hubspot', webhook }),
  });
  const servicenow = withServicenow
    ? await servicenowSandbox(db, {
        ...{ ...time, ...crmFields.servicenow, report: () => report?.({ crm: 'servicenow' }) },
        ...(ports.servicenow !== undefined && { port: ports.servicenow }),
      })
    : undefined;
  const byName: Partial<Record<Known, Sandbox>> = { salesforce, hubspot, ...(servicenow && { servicenow }) };
  const recordsIn = (crm: Known, sandbox: Sandbox, mergedIn: ReadonlySet<string>) => {
    const { contact, key } = keyed[crm];
    const isCounted = (object: string, fields: Readonly<Record<string, unknown>>): boolean =>
      object !== contact || !mergedIn.has(String(fields[key] ?? '').split(':')[1] ?? '');
    return Object.fromEntries(
      sandbox
        .objects()
        .filter((object) => !furniture.has(object))
        .map((object) => [
          object,
          sandbox.records(object).flatMap(({ fields }) => (isCounted(object, fields) ? [fields] : [])),
        ]),
    );
  };
  const records = (mergedIn: ReadonlySet<string> = new Set()) => ({
    salesforce: recordsIn('salesforce', salesforce, mergedIn),
    hubspot: recordsIn('hubspot', hubspot, mergedIn),
    ...(servicenow && { servicenow: recordsIn('servicenow', servicenow, mergedIn) }),
  });
  return {
    ...{
      names: Object.keys(byName),
      salesforce,
      hubspot,
      ...(servicenow && { servicenow }),
      byName,
      records,
    },
    async connect(runtime, hub) {
      const offer = offerSecrets(db, new SecretsManagerClient(clientConfig(runtime)));
      const elsewhere: string[] = [];
      for (const [crm, { secret }] of Object.entries(byName))
        if ((await offer(`${hub}/crm/${crm}`, secret)) === 'other') elsewhere.push(crm);
      await offer(`${hub}/channels/hubspot`, { clientSecret: HUBSPOT_CLIENT_SECRET });
      return elsewhere;
    },
    countRecords: (mergedIn) =>
      Object.fromEntries(
        Object.entries(records(mergedIn)).map(([crm, objects]) => [
          crm,
          Object.fromEntries(
            Object.entries<readonly object[]>(objects).map(([object, { length }]) => [object, length]),
          ),
        ]),
      ),
    async stop() {
      await Promise.all(Object.values(byName).map((one) => one.stop()));
    },
  };
};
