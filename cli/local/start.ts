import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HubError } from '../../core/errors.ts';
import { LocalError } from '../../infra/local/protocol/errors.ts';
import { REGION } from '../../infra/local/runtime/account.ts';
import { externalEndpointsOf } from '../../infra/local/runtime/external-endpoints.ts';
import { mailboxesOf } from '../../infra/local/runtime/state.ts';
import { type Hub, type HubOptions, openHub, readApiKey } from '../../infra/scenario/hub/open-hub.ts';
import { scanItems } from '../../infra/scenario/hub/scan-table.ts';
import { root } from '../../infra/stack/bundle.ts';
import { isPrintingLogs } from './print-log.ts';
import { replaySamples } from './replay-samples.ts';
import { samples } from './samples.ts';
import { countStored, summaryTable } from './summary.ts';

const USAGE = `Usage: npm start [-- OPTIONS]

Runs the hub on this machine and replays sample webhooks on the first start.

  --exit              stop after the summary; the exit code is 0 only if every number is as expected
  --port N            the port of the API and the webhooks (default 4700); the next four ports are the inbox, Salesforce,
                      HubSpot and AWS
  --concurrency N     the most copies of one function that run at a time (default 10); fewer spare a small machine
  --public-url URL    the public address that providers call and that links in messages lead to, such as that of a tunnel
                      (default: the address of the API on this machine)
  --state FILE        the SQLite file of the state (default .hub/state.sqlite)

HUB_LOG=1 prints what the functions log. HUB_TRACE=1 also prints a line for each message that reaches a function.

AWS_ENDPOINT_URL_DYNAMODB, _S3, _SES, _SNS, _SECRETS_MANAGER and _PINPOINT_SMS_VOICE_V2 replace a local service by a real
endpoint, which is called with your own AWS credentials; a server on this machine needs none.`;

interface Options extends HubOptions {
  readonly exit: boolean;
}

const concurrencyOf = (text: string): number => {
  const copies = Number(text);
  if (Number.isInteger(copies) && copies > 0) return copies;
  throw new LocalError(
    'bad-option',
    `--concurrency takes a whole number from 1, not ${JSON.stringify(text)}.`,
  );
};

/** Undefined where only the usage is asked for. */
const parseOptions = (): Options | undefined => {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      port: { type: 'string' },
      concurrency: { type: 'string' },
      'public-url': { type: 'string' },
      state: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const folder = join(root, '.hub');
  mkdirSync(folder, { recursive: true });
  const port = values.port === undefined ? (values.exit ? 0 : 4700) : Number(values.port);
  return {
    exit: values.exit,
    port,
    concurrentExecutions: values.concurrency === undefined ? undefined : concurrencyOf(values.concurrency),
    // With port 0 the system chooses one when the hub is open, and nobody opens a link.
    publicUrl: values['public-url'] ?? (port === 0 ? 'https://acme.example' : `http://127.0.0.1:${port}`),
    state: values.state ?? join(folder, values.exit ? `exit-${process.pid}.sqlite` : 'state.sqlite'),
  };
};

const main = async (): Promise<number> => {
  const options = parseOptions();
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const startedAt = Date.now();
  // Log lines are printed only on request, or after a number that is not as expected.
  const log: string[] = [];
  const report = (line: string): void => {
    if (isPrintingLogs()) console.log(line);
    else log.push(line);
  };
  console.log('Tributary: synthesising the template and starting the hub …');
  const externalEndpoints = externalEndpointsOf(process.env, REGION);
  for (const [service, endpoint] of Object.entries(externalEndpoints.endpoints))
    console.log(`  ${service} is ${endpoint}`);
  const hub = await openHub({ ...options, externalEndpoints }, report);
  console.log(
    `  ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s: ${hub.cloud.functions.size} functions, ${hub.cloud.created.size} resources`,
  );
  try {
    const isAsExpected = await replayOnce(hub, options, log);
    if (options.exit) return isAsExpected ? 0 : 1;
    await printAddresses(hub);
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
    });
    return 0;
  } finally {
    await hub.stop();
    if (options.exit)
      for (const file of [options.state, mailboxesOf(options.state)])
        for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
};

/** Replays the samples on an empty hub and prints the summary. Returns whether every number is as expected. */
const replayOnce = async (hub: Hub, { publicUrl }: Options, log: readonly string[]): Promise<boolean> => {
  if (!(await isEmpty(hub))) {
    console.log(
      'The hub already has customers, so the samples are not replayed. Delete .hub/state.sqlite* to start again.',
    );
    return true;
  }
  console.log('Replaying sample webhooks, dated now and signed for this machine:');
  const set = samples(Date.now(), publicUrl);
  const startedAt = Date.now();
  const statuses = await replaySamples(hub, set);
  const { text, isAsExpected } = summaryTable({
    actual: await countStored(hub, statuses),
    expected: set.expected,
    seconds: (Date.now() - startedAt) / 1000,
    requests: hub.cloud.counts,
  });
  console.log(`\n${text}`);
  if (!isAsExpected) for (const line of log) console.error(line);
  return isAsExpected;
};

const printAddresses = async (hub: Hub): Promise<void> => {
  console.log(`
API and webhooks  ${hub.apiUrl}
Inbox             ${hub.inboxUrl}
Salesforce        ${hub.crms.salesforce.url}
HubSpot           ${hub.crms.hubspot.url}
${hub.crms.servicenow === undefined ? '' : `ServiceNow        ${hub.crms.servicenow.url}\n`}AWS               ${hub.awsUrl}

Show a customer:   HUB_URL=${hub.apiUrl} HUB_KEY=${await readApiKey(hub)} npx hub customer timeline phone:+14155550100
Call its AWS:      AWS_ENDPOINT_URL=${hub.awsUrl} AWS_REGION=${REGION} AWS_ACCESS_KEY_ID=ADMIN AWS_SECRET_ACCESS_KEY=local npx hub doctor
Ctrl-C stops the hub. Its state remains in .hub/.`);
};

const isEmpty = async ({ runtime }: Hub): Promise<boolean> => {
  for await (const { sk } of scanItems(runtime)) if (sk?.S === 'profile') return false;
  return true;
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof HubError || error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
}
