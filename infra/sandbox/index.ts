import { DatabaseSync } from 'node:sqlite';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { type HubspotSandbox, hubspotSandbox, hubspotToken } from './hubspot/server.ts';
import { type SalesforceSandbox, salesforceCredentials, salesforceSandbox } from './salesforce/server.ts';

export interface Sandboxes {
  readonly names: readonly string[];
  readonly salesforce: SalesforceSandbox;
  readonly hubspot: HubspotSandbox;
  /** Stores the credentials of the sandboxes as the secrets of a hub's CRMs. */
  connect(runtime: Runtime, hub: string): Promise<void>;
  /** Records per CRM and object; of contacts only those of the customers given. */
  counts(customers: ReadonlySet<string>): Record<string, Record<string, number>>;
  stop(): Promise<void>;
}

/** The CRMs that a hub on one machine talks to. */
export const sandboxes = async (
  db: DatabaseSync = new DatabaseSync(':memory:'),
  ports: { readonly salesforce?: number; readonly hubspot?: number } = {},
): Promise<Sandboxes> => {
  db.exec('PRAGMA secure_delete = ON');
  const salesforce = await salesforceSandbox(db, ports.salesforce);
  const hubspot = await hubspotSandbox(db, ports.hubspot);
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
    counts: (customers) =>
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
