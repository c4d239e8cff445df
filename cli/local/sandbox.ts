import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { hubspotSandbox } from '../../infra/sandbox/hubspot/sandbox.ts';
import type { Sandbox } from '../../infra/sandbox/protocol/sandbox.ts';
import { salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { Setup } from '../../infra/sandbox/salesforce/setup.ts';
import { servicenowSandbox } from '../../infra/sandbox/servicenow/server.ts';
import { crmFields } from '../../infra/scenario/hub/sandboxes.ts';

const { values, positionals } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    /** An account to which nobody has added the fields of the hub yet. */
    bare: { type: 'boolean', default: false },
    setup: { type: 'string' },
  },
  allowPositionals: true,
});

const db = new DatabaseSync(':memory:');
const port = Number(values.port);

/** Each opens a sandbox CRM, with the fields that the shipped mapping needs. */
const openers: Readonly<Record<string, () => Promise<Sandbox>>> = {
  async salesforce() {
    const { records, customFields, ...metadata } = Setup.parse(
      values.setup === undefined ? {} : JSON.parse(readFileSync(values.setup, 'utf8')),
    );
    const ours = values.bare ? [] : crmFields.salesforce;
    const sandbox = await salesforceSandbox(db, {
      ...{ port, ...metadata, customFields: [...ours, ...(customFields ?? [])] },
    });
    for (const { object, fields, count } of records)
      for (let made = 0; made < count; made++) sandbox.seed(object, fields);
    return sandbox;
  },
  servicenow: () => servicenowSandbox(db, { port, ...(!values.bare && crmFields.servicenow) }),
  hubspot: () => hubspotSandbox(db, { port, ...(!values.bare && { customProperties: crmFields.hubspot }) }),
};

const [name = ''] = positionals;
const open = Object.hasOwn(openers, name) ? openers[name] : undefined;
if (open === undefined) {
  console.error(
    `Usage: npm run sandbox -- ${Object.keys(openers).join('|')} [--port N] [--bare] [--setup FILE (salesforce)]`,
  );
  process.exitCode = 2;
} else {
  const sandbox = await open();
  console.log(
    `${name} sandbox: ${sandbox.url} (open it in a browser to see the records)
Its secret: ${JSON.stringify(sandbox.secret)}
Faults: curl -X POST ${sandbox.url}/sandbox/fault -d '{"kind":"down"}'; curl -X DELETE ${sandbox.url}/sandbox/faults
Ctrl-C stops it. Its records are in memory only.`,
  );
  process.once('SIGINT', () => void sandbox.stop());
  process.once('SIGTERM', () => void sandbox.stop());
}
