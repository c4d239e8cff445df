import { DatabaseSync } from 'node:sqlite';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { type HubspotSandbox, hubspotSandbox, hubspotToken } from '../../sandbox/hubspot/server.ts';
import {
  type SalesforceSandbox,
  salesforceCredentials,
  salesforceSandbox,
} from '../../sandbox/salesforce/server.ts';

export interface Sandboxes {
  readonly names: readonly string[];
  readonly salesforce: SalesforceSandbox;
  readonly hubspot: HubspotSandbox;
  /** Stores the credentials of the sandboxes as the secrets of the CRMs of a hub. */
  connect(runtime: Runtime, hub: string): Promise<void>;
  /** The number of records by CRM and object; of contacts, only those of `customers` count. */
  countRecords(customers: ReadonlySet<string>): Record<string, Record<string, number>>;
  stop(): Promise<void>;
}

/** The custom fields that a business creates in its CRM for `mappings/crm`. */
export const crmFields = {
  salesforce: {
    externalId: 'Hub_Id__c',
    customFields: { Contact: { Hub_Id__c: 64, Channel__c: 255 }, Task: { Hub_Id__c: 64 } },
  },
  hubspot: { customProperties: ['hub_id'] },
} as const;

/** Opens the sandbox CRMs on 127.0.0.1. `ports`: default any free ones. */
export const openSandboxes = async (
  db: DatabaseSync = new DatabaseSync(':memory:'),
  ports: { readonly salesforce?: number; readonly hubspot?: number } = {},
): Promise<Sandboxes> => {
  db.exec('PRAGMA secure_delete = ON');
  const salesforce = await salesforceSandbox(db, { port: ports.salesforce, ...crmFields.salesforce });
  const hubspot = await hubspotSandbox(db, { port: ports.hubspot, ...crmFields.hubspot });
  const all = { salesforce, hubspot };
  const contactObjects = new Set(['Contact', 'contacts']);
  return {
    names: Object.keys(all),
    ...all,
    async connect(runtime, hub) {
      const client = new SecretsManagerClient(clientConfig(runtime));
      const secrets = {
        salesforce: { loginUrl: salesforce.url, ...salesforceCredentials },
        hubspot: { accessToken: hubspotToken, baseUrl: hubspot.url },
      };
      for (const [crm, secret] of Object.entries(secrets)) {
        await client.send(
          new PutSecretValueCommand({ SecretId: `${hub}/crm/${crm}`, SecretString: JSON.stringify(secret) }),
        );
      }
    },
    countRecords: (customers) =>
      Object.fromEntries(
        Object.entries(all).map(([crm, { records }]) => [
          crm,
          Object.fromEntries(
            records
              .objects()
              .map((object) => [
                object,
                records.of(object).filter(({ key }) => !contactObjects.has(object) || customers.has(key))
                  .length,
              ]),
          ),
        ]),
      ),
    async stop() {
      await Promise.all([salesforce.stop(), hubspot.stop()]);
    },
  };
};
