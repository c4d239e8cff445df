import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { hubspotSandbox, hubspotToken } from '../../infra/sandbox/hubspot/server.ts';
import { salesforceCredentials, salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';

/** Each opens a sandbox CRM and returns the secret with which a hub connects to it. */
const openers = {
  salesforce: async (db: DatabaseSync, port: number) => {
    const sandbox = await salesforceSandbox(db, { port, ...crmFields.salesforce });
    return { ...sandbox, secret: { loginUrl: sandbox.url, ...salesforceCredentials } };
  },
  hubspot: async (db: DatabaseSync, port: number) => {
    const sandbox = await hubspotSandbox(db, { port, ...crmFields.hubspot });
    return { ...sandbox, secret: { accessToken: hubspotToken, baseUrl: sandbox.url } };
  },
} as const;

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '0' } },
  allowPositionals: true,
});
const [name] = positionals;
const open = Object.entries(openers).find(([crm]) => crm === name)?.[1];
if (open === undefined) {
  console.error(`Usage: npm run sandbox -- ${Object.keys(openers).join('|')} [--port N]`);
  process.exitCode = 2;
} else {
  const sandbox = await open(new DatabaseSync(':memory:'), Number(values.port));
  console.log(
    `${name} sandbox: ${sandbox.url} (open it in a browser to see the records)\nIts secret: ${JSON.stringify(sandbox.secret)}\nCtrl-C stops it. Its records are in memory only.`,
  );
  process.once('SIGINT', () => void sandbox.stop());
  process.once('SIGTERM', () => void sandbox.stop());
}
