import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '0' }, setup: { type: 'string' } },
  allowPositionals: true,
});

const db = new DatabaseSync(':memory:');
const port = Number(values.port);

/** Each opens a sandbox CRM; its secret is what a hub needs to connect to it. */
const openers = {
  salesforce: async () => {
    const { salesforceSandbox } = await import('../../infra/sandbox/salesforce/server.ts');
    const { Setup } = await import('../../infra/sandbox/salesforce/setup.ts');
    const { records, ...metadata } = Setup.parse(
      values.setup === undefined ? {} : JSON.parse(readFileSync(values.setup, 'utf8')),
    );
    const sandbox = await salesforceSandbox(db, { port, ...metadata });
    for (const { object, fields, count } of records)
      for (let made = 0; made < count; made++) sandbox.seed(object, fields);
    return sandbox;
  },
  hubspot: async () => {
    const { hubspotSandbox, hubspotToken } = await import('../../infra/sandbox/hubspot/server.ts');
    const { crmFields } = await import('../../infra/scenario/hub/sandboxes.ts');
    const sandbox = await hubspotSandbox(db, { port, ...crmFields.hubspot });
    return { ...sandbox, secret: { accessToken: hubspotToken, baseUrl: sandbox.url } };
  },
} as const;

const [name] = positionals;
const open = Object.entries(openers).find(([crm]) => crm === name)?.[1];
if (open === undefined) {
  console.error(
    `Usage: npm run sandbox -- ${Object.keys(openers).join('|')} [--port N] [--setup FILE (salesforce)]`,
  );
  process.exitCode = 2;
} else {
  const sandbox = await open();
  console.log(
    `${name} sandbox: ${sandbox.url} (open it in a browser to see the records)\nIts secret: ${JSON.stringify(sandbox.secret)}\nCtrl-C stops it. Its records are in memory only.`,
  );
  process.once('SIGINT', () => void sandbox.stop());
  process.once('SIGTERM', () => void sandbox.stop());
}
