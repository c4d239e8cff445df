import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { hubspotSandbox } from '../../infra/sandbox/hubspot/sandbox.ts';
import type { Webhook } from '../../infra/sandbox/hubspot/webhooks.ts';
import type { Sandbox } from '../../infra/sandbox/protocol/sandbox.ts';
import { PortTaken } from '../../infra/sandbox/protocol/server.ts';
import { salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { Setup } from '../../infra/sandbox/salesforce/setup.ts';
import { servicenowSandbox } from '../../infra/sandbox/servicenow/server.ts';
import { crmFields, HUBSPOT_CLIENT_SECRET } from '../../infra/scenario/hub/sandboxes.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { errorMessage } from '../terminal/error-message.ts';

const USAGE = `Usage: npm run sandbox -- salesforce|hubspot|servicenow [--port N] [--bare] [--setup FILE] [--webhook URL]

Serves a CRM on 127.0.0.1, as its API answers, with the fields that the shipped mapping needs. Its records are in memory.

  --port N        the port (default: any free one)
  --bare          an account to which nobody has added the fields of the hub yet
  --setup FILE    what the account holds before the hub comes, as JSON (docs/local.md):
                  { "records": [{ "object": "Contact", "fields": { "LastName": "Lovelace" }, "count": 10 }] };
                  for salesforce also customObjects and customFields
  --webhook URL   hubspot: where its webhooks go, such as http://127.0.0.1:4700/webhooks/hubspot`;

/** The part of a setup file that each CRM takes. */
const Records = Setup.pick({ records: true });

interface Options {
  readonly port: number;
  readonly bare: boolean;
  readonly setup: string | undefined;
  readonly webhook: string | undefined;
}

/** Each opens a sandbox CRM. */
const openers: Readonly<Record<string, (db: DatabaseSync, options: Options) => Promise<Sandbox>>> = {
  async salesforce(db, { port, bare, setup }) {
    const { records, customFields, ...metadata } = readSetup(setup, Setup);
    const ours = bare ? [] : crmFields.salesforce;
    return seeded(
      await salesforceSandbox(db, { port, ...metadata, customFields: [...ours, ...customFields] }),
      records,
    );
  },
  async servicenow(db, { port, bare, setup }) {
    const { records } = readSetup(setup, Records);
    return seeded(await servicenowSandbox(db, { port, ...(!bare && crmFields.servicenow) }), records);
  },
  async hubspot(db, { port, bare, setup, webhook }) {
    const { records } = readSetup(setup, Records);
    return seeded(
      await hubspotSandbox(db, {
        ...{ port, ...(!bare && { customProperties: crmFields.hubspot }) },
        ...(webhook !== undefined && {
          webhook: { url: webhook, clientSecret: HUBSPOT_CLIENT_SECRET },
          report: (one: Webhook) => void post(one),
        }),
      }),
      records,
    );
  },
};

/** Throws `HubError` `invalid-arguments` with what is wrong in the file. */
const readSetup = <Schema extends z.ZodType>(file: string | undefined, schema: Schema): z.output<Schema> => {
  if (file !== undefined && !existsSync(file)) throw badArguments(`There is no file ${file}.`);
  const text = file === undefined ? '{}' : readFileSync(file, 'utf8');
  const setup = schema.safeParse(parsed(text, file));
  if (setup.success) return setup.data;
  throw badArguments(`${file} is not a setup of this CRM (docs/local.md):\n${z.prettifyError(setup.error)}`);
};

const parsed = (text: string, file: string | undefined): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badArguments(`${file} is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
};

/** Ends the sandbox and throws `HubError` `invalid-arguments` where the CRM has no such object or field. */
const seeded = async (sandbox: Sandbox, records: Setup['records']): Promise<Sandbox> => {
  for (const [position, { object, fields, count }] of records.entries())
    try {
      for (let made = 0; made < count; made++) sandbox.seed(object, fields);
    } catch (error) {
      await sandbox.stop();
      throw badArguments(
        `records.${position} of the setup cannot be made: ${error instanceof Error ? error.message : error}`,
      );
    }
  return sandbox;
};

/** Sends a webhook once; one that is refused is reported on the terminal. */
const post = async ({ method, url, headers, body }: Webhook): Promise<void> => {
  const answer = await fetch(url, { method, headers, body }).then(
    ({ ok, status }) => (ok ? undefined : `answered ${status}`),
    () => 'did not answer',
  );
  if (answer !== undefined) console.error(`${url} ${answer} to a webhook.`);
};

/** An example of the work of staff in each CRM. */
const STAFF_EXAMPLES: Readonly<Record<string, string>> = {
  salesforce: '{"update":{"Contact":{"where":{"Email":"ada@example.com"},"set":{"Title":"CTO"}}}}',
  hubspot: '{"update":{"contacts":{"where":{"email":"ada@example.com"},"set":{"jobtitle":"CTO"}}}}',
  servicenow: '{"update":{"customer_contact":{"where":{"email":"ada@example.com"},"set":{"title":"CTO"}}}}',
};

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      bare: { type: 'boolean', default: false },
      setup: { type: 'string' },
      webhook: { type: 'string' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
    allowPositionals: true,
  });
  const [name = '', ...more] = positionals;
  const open = Object.hasOwn(openers, name) ? openers[name] : undefined;
  if (values.help || open === undefined || more.length > 0) {
    (values.help ? console.log : console.error)(USAGE);
    return values.help ? 0 : 2;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw badArguments(`--port takes a whole number from 0 to 65535, not ${values.port}.`);
  if (values.webhook !== undefined && (name !== 'hubspot' || !URL.canParse(values.webhook)))
    throw badArguments(
      '--webhook takes an address, and belongs to hubspot: Salesforce sends events to AWS, ServiceNow is asked.',
    );
  const { bare, setup, webhook } = values;
  const sandbox = await open(new DatabaseSync(':memory:'), { port, bare, setup, webhook });
  console.log(
    `${name} sandbox: ${sandbox.url} (open it in a browser to see the records)
Its secret: ${JSON.stringify(sandbox.secret)}${name === 'hubspot' ? `\nIts client secret, which signs webhooks: ${HUBSPOT_CLIENT_SECRET}` : ''}
Staff at work: curl ${sandbox.url}/sandbox/staff -d '${STAFF_EXAMPLES[name]}'
Faults: curl ${sandbox.url}/sandbox/fault -d '{"kind":"down"}'; curl -X DELETE ${sandbox.url}/sandbox/faults
Ctrl-C stops it. Its records are in memory only.`,
  );
  process.once('SIGINT', () => void sandbox.stop());
  process.once('SIGTERM', () => void sandbox.stop());
  return 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof PortTaken ? error.message : (errorMessage(error) ?? error));
  process.exitCode = 2;
}
