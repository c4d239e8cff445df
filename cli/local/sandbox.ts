import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { hubspotSandbox } from '../../infra/sandbox/hubspot/sandbox.ts';
import type { Sandbox } from '../../infra/sandbox/protocol/sandbox.ts';
import { salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { servicenowSandbox } from '../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';

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

/** Each opens a sandbox CRM with the fields that the shipped mapping needs. */
const openers: Readonly<Record<string, (db: DatabaseSync, port: number) => Promise<Sandbox>>> = {
  salesforce: (db, port) => salesforceSandbox(db, { port, customFields: crmFields.salesforce }),
  hubspot: (db, port) => hubspotSandbox(db, { port, customProperties: crmFields.hubspot }),
  servicenow: (db, port) => servicenowSandbox(db, { port, ...servicenowSetup }),
};

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '0' } },
  allowPositionals: true,
});
const [name = ''] = positionals;
const open = Object.hasOwn(openers, name) ? openers[name] : undefined;
if (open === undefined) {
  console.error(`Usage: npm run sandbox -- ${Object.keys(openers).join('|')} [--port N]`);
  process.exitCode = 2;
} else {
  const sandbox = await open(new DatabaseSync(':memory:'), Number(values.port));
  console.log(
    `${name} sandbox: ${sandbox.url} (open it in a browser to see the records)
Its secret: ${JSON.stringify(sandbox.secret)}
Faults: curl -X POST ${sandbox.url}/sandbox/fault -d '{"kind":"down"}'; curl -X DELETE ${sandbox.url}/sandbox/faults
Ctrl-C stops it. Its records are in memory only.`,
  );
  process.once('SIGINT', () => void sandbox.stop());
  process.once('SIGTERM', () => void sandbox.stop());
}
