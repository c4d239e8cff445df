import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { hubspotSandbox } from '../../infra/sandbox/hubspot/sandbox.ts';
import type { Sandbox } from '../../infra/sandbox/protocol/sandbox.ts';
import { salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';

/** Each opens a sandbox CRM with the fields that the shipped mapping needs. */
const openers: Readonly<Record<string, (db: DatabaseSync, port: number) => Promise<Sandbox>>> = {
  salesforce: (db, port) => salesforceSandbox(db, { port, customFields: crmFields.salesforce }),
  hubspot: (db, port) => hubspotSandbox(db, { port, customProperties: crmFields.hubspot }),
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
