import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HubConfig } from '../../core/config/hub-config.ts';
import { LocalError } from '../../infra/local/protocol/errors.ts';
import { REGION } from '../../infra/local/runtime/account.ts';
import { externalEndpointsOf } from '../../infra/local/runtime/external-endpoints.ts';
import { mailboxesOf } from '../../infra/local/runtime/state.ts';
import { PortTaken } from '../../infra/sandbox/protocol/server.ts';
import { type Hub, type HubOptions, openHub, readApiKey } from '../../infra/scenario/hub/open-hub.ts';
import { scanItems } from '../../infra/scenario/hub/scan-table.ts';
import { root } from '../../infra/stack/bundle.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { errorMessage } from '../terminal/error-message.ts';
import { expectedCounts } from './expected.ts';
import { type FunctionLog, functionLog } from './function-log.ts';
import { isPrintingLogs } from './print-log.ts';
import { replaySamples } from './replay-samples.ts';
import { samples } from './samples.ts';
import { countStored, summaryTable } from './summary.ts';

const USAGE = `Usage: npm start [-- OPTIONS]

Runs the hub on this machine and replays sample webhooks on the first start.

  --exit              stop after the summary; the exit code is 0 only if every number is as the configuration has it
  --port N            the port of the API and the webhooks (default 4700); the next five ports are the inbox, Salesforce,
                      HubSpot, AWS and ServiceNow
  --concurrency N     the most copies of one function that run at a time (default 10); fewer spare a small machine
  --public-url URL    the public address that providers call and that links in messages lead to, such as that of a tunnel
                      (default: the address of the API on this machine)
  --state FILE        the SQLite file of the state, in a folder that exists (default .hub/state.sqlite)

HUB_MAPPINGS is the folder of the configuration, in place of mappings/. HUB_LOG=1 prints what the functions log. HUB_TRACE=1 also prints a line for each message that reaches a function.

AWS_ENDPOINT_URL_DYNAMODB, _S3, _SES, _SNS, _SECRETS_MANAGER and _PINPOINT_SMS_VOICE_V2 replace a local service by a real
endpoint, which is called with your own AWS credentials; a server on this machine needs none.`;

interface Options extends HubOptions {
  readonly exit: boolean;
}

/** Ports of a hub after its first. */
const MORE_PORTS = 5;

const concurrencyOf = (text: string): number => {
  const copies = Number(text);
  if (Number.isInteger(copies) && copies > 0) return copies;
  throw badArguments(`--concurrency takes a whole number from 1, not ${JSON.stringify(text)}.`);
};

/** Undefined where only the usage is asked for. Throws `HubError` `invalid-arguments`. */
const parseOptions = (): Options | undefined => {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      port: { type: 'string' },
      concurrency: { type: 'string' },
      'public-url': { type: 'string' },
      state: { type: 'string' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  if (values.help) return undefined;
  const folder = join(root, '.hub');
  mkdirSync(folder, { recursive: true });
  const port = values.port === undefined ? (values.exit ? 0 : 4700) : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 - MORE_PORTS)
    throw badArguments(`--port takes a whole number from 0 to ${65_535 - MORE_PORTS}, not ${values.port}.`);
  const publicUrl = values['public-url'];
  if (publicUrl !== undefined && !/^https?:$/u.test(URL.parse(publicUrl)?.protocol ?? ''))
    throw badArguments(`--public-url takes an address such as https://hub.example.com, not ${publicUrl}.`);
  const state = resolve(
    values.state ?? join(folder, values.exit ? `exit-${process.pid}.sqlite` : 'state.sqlite'),
  );
  if (!existsSync(dirname(state)))
    throw badArguments(`There is no folder ${dirname(state)} for --state. Create it, or give another file.`);
  if (existsSync(state) && statSync(state).isDirectory())
    throw badArguments(`--state takes a file; ${state} is a folder.`);
  return {
    exit: values.exit,
    port,
    concurrentExecutions: values.concurrency === undefined ? undefined : concurrencyOf(values.concurrency),
    // With port 0 the system chooses one when the hub is open, and nobody opens a link.
    publicUrl:
      publicUrl?.replace(/\/$/u, '') ?? (port === 0 ? 'https://acme.example' : `http://127.0.0.1:${port}`),
    state,
  };
};

const main = async (): Promise<number> => {
  const options = parseOptions();
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  // A fault of the configuration is a sentence at once.
  readSeed();
  const log = functionLog(isPrintingLogs());
  try {
    return await runHub(options, log);
  } catch (error) {
    log.dump();
    throw error;
  } finally {
    if (options.exit)
      for (const file of [options.state, mailboxesOf(options.state)])
        for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
};

const runHub = async (options: Options, log: FunctionLog): Promise<number> => {
  const startedAt = Date.now();
  console.log('Tributary: synthesising the template and starting the hub …');
  const externalEndpoints = externalEndpointsOf(process.env, REGION);
  for (const [service, endpoint] of Object.entries(externalEndpoints.endpoints))
    console.log(`  ${service} is ${endpoint}`);
  const hub = await openHub({ ...options, externalEndpoints }, log.report);
  try {
    console.log(
      `  ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s: ${hub.cloud.functions.size} functions, ${hub.cloud.created.size} resources`,
    );
    if (!options.exit) await printAddresses(hub, options);
    const isAsExpected = await replayOnce(hub, options, log);
    if (options.exit) return isAsExpected ? 0 : 1;
    console.log('\nThe hub runs. Refused webhooks and errors are printed here. Ctrl-C stops it.');
    log.watch();
    await new Promise<void>((stop) => {
      process.once('SIGINT', () => stop());
      process.once('SIGTERM', () => stop());
    });
    return 0;
  } finally {
    await hub.stop();
  }
};

/** Replays the samples on an empty hub and prints the summary. Returns whether every number is as expected. */
const replayOnce = async (hub: Hub, { publicUrl, state }: Options, log: FunctionLog): Promise<boolean> => {
  if (!(await isEmpty(hub))) {
    console.log(
      `\nThe hub already has customers, so the samples are not replayed. Delete ${state} and ${mailboxesOf(state)} to start again.`,
    );
    return true;
  }
  console.log('\nReplaying sample webhooks, dated now and signed for this machine:');
  const set = samples(Date.now(), publicUrl);
  const startedAt = Date.now();
  const statuses = await replaySamples(hub, set);
  const actual = await countStored(hub, statuses);
  const { email, sms, push } = actual.notifications;
  const { text, isAsExpected } = summaryTable({
    actual,
    expected: expectedCounts(set, HubConfig.parse(readSeed().hub), email + sms + push),
    seconds: (Date.now() - startedAt) / 1000,
    requests: hub.cloud.counts,
  });
  console.log(`\n${text}`);
  if (!isAsExpected) {
    console.error('\nA number is not as expected. The hub and its functions logged:');
    log.dump();
  }
  return isAsExpected;
};

const CRM_TITLES = { salesforce: 'Salesforce', hubspot: 'HubSpot', servicenow: 'ServiceNow' } as const;

const printAddresses = async (hub: Hub, { state }: Options): Promise<void> => {
  const crmLines = Object.entries(CRM_TITLES).flatMap(([crm, title]) => {
    const sandbox = hub.crms.byName[crm];
    if (sandbox === undefined || !hub.crmsOn.includes(crm)) return [];
    const use = hub.crmsElsewhere.includes(crm) ? ' (not used: the hub has a secret of another account)' : '';
    return [`${title.padEnd(18)}${sandbox.url}${use}`];
  });
  const key = await readApiKey(hub);
  console.log(
    [
      '',
      `API and webhooks  ${hub.apiUrl}`,
      `Inbox             ${hub.inboxUrl}`,
      ...crmLines,
      `AWS               ${hub.awsUrl}`,
      '',
      'For a second terminal:',
      `  export HUB_URL=${hub.apiUrl} HUB_KEY=${key}`,
      `  export AWS_ENDPOINT_URL=${hub.awsUrl} AWS_REGION=${REGION} AWS_ACCESS_KEY_ID=ADMIN AWS_SECRET_ACCESS_KEY=local`,
      'Then, such as: npx hub customer timeline phone:+14155550100, or npx hub doctor',
      `The state remains in ${state}.`,
    ].join('\n'),
  );
};

const isEmpty = async ({ runtime }: Hub): Promise<boolean> => {
  for await (const { sk } of scanItems(runtime)) if (sk?.S === 'profile') return false;
  return true;
};

try {
  process.exitCode = await main();
} catch (error) {
  const isSaid = error instanceof LocalError || error instanceof PortTaken;
  console.error(isSaid ? error.message : (errorMessage(error) ?? error));
  process.exitCode = 1;
}
