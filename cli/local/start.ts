import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { HubError } from '../../core/errors.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { LocalError } from '../../infra/local/protocol/errors.ts';
import { REGION } from '../../infra/local/runtime/account.ts';
import { externalEndpointsOf } from '../../infra/local/runtime/external-endpoints.ts';
import { mailboxesOf } from '../../infra/local/runtime/state.ts';
import { waitUntilIdle } from '../../infra/scenario/hub/idle.ts';
import { type Hub, type HubOptions, openHub, readApiKey } from '../../infra/scenario/hub/open-hub.ts';
import { root } from '../../infra/stack/bundle.ts';
import { knownCustomer, type Samples, samples } from './samples.ts';
import { closingTable, countStored } from './summary.ts';

const HELP = `npm start [-- OPTIONS]

  --exit              stop after the closing table; exit code 0 only if every number is what the samples imply
  --port N            where the API and the webhooks listen (default 4700; the next four are the inbox, Salesforce, HubSpot and AWS)
  --public-url URL    what providers call, when a tunnel leads here (default https://acme.example)
  --state FILE        where the hub keeps its state (default .hub/state.sqlite)

AWS_ENDPOINT_URL_DYNAMODB, _S3, _SES, _SNS, _SECRETS_MANAGER and _PINPOINT_SMS_VOICE_V2 put a real endpoint in the
place of that part, used with your own AWS credentials; a server on this machine needs none.`;

interface Options extends HubOptions {
  readonly exit: boolean;
}

const parseOptions = (): Options | undefined => {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      port: { type: 'string' },
      'public-url': { type: 'string' },
      state: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const folder = join(root, '.hub');
  mkdirSync(folder, { recursive: true });
  return {
    exit: values.exit,
    port: values.port === undefined ? (values.exit ? 0 : 4700) : Number(values.port),
    publicUrl: values['public-url'] ?? 'https://acme.example',
    state: values.state ?? join(folder, values.exit ? `exit-${process.pid}.sqlite` : 'state.sqlite'),
  };
};

/** Plays the samples against the front door, as the providers would, and waits until nothing is left to do. */
const replay = async (hub: Hub, { deliveries, secrets }: Samples): Promise<readonly number[]> => {
  const manager = new SecretsManagerClient(clientConfig(hub.runtime));
  for (const [provider, secret] of Object.entries(secrets))
    await manager.send(
      new PutSecretValueCommand({
        SecretId: `${hub.name}/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
  const sns = new SNSClient(clientConfig(hub.runtime));
  const { PlatformApplicationArn } = await sns.send(
    new CreatePlatformApplicationCommand({
      Name: 'acme',
      Platform: 'GCM',
      Attributes: { PlatformCredential: 'local' },
    }),
  );
  const { EndpointArn } = await sns.send(
    new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: knownCustomer.device }),
  );
  const known = {
    command: 'import',
    identifiers: [`phone:${knownCustomer.phone}`, `push:acme:${EndpointArn}`],
    profile: { name: { full: 'Chiara Rossi' } },
  };
  await fetch(`${hub.apiUrl}/commands`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await readApiKey(hub)}`, 'content-type': 'application/json' },
    body: JSON.stringify(known),
  });
  await waitUntilIdle(hub);
  const answers: number[] = [];
  for (const { about, provider, headers, body, status } of deliveries) {
    const response = await fetch(`${hub.apiUrl}/webhooks/${provider}`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    answers.push(response.status);
    console.log(
      `  ${String(answers.length).padStart(2)}/${deliveries.length}  ${provider.padEnd(8)} ${about}${response.status === status ? '' : `: expected ${status}, answered ${response.status}`}${response.status === 401 ? ' (refused)' : ''}`,
    );
  }
  console.log('  waiting until every queue is empty …');
  await waitUntilIdle(hub);
  return answers;
};

const main = async (): Promise<number> => {
  const options = parseOptions();
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const began = Date.now();
  // What the functions log is shown when asked for, and when a number is not what it should be.
  const details: string[] = [];
  const report = (line: string): void => {
    if (process.env['HUB_LOG'] === undefined) details.push(line);
    else console.log(line);
  };
  console.log('Tributary: synthesising the template and opening the hub on this machine …');
  const externalEndpoints = externalEndpointsOf(process.env, REGION);
  for (const [service, endpoint] of Object.entries(externalEndpoints.endpoints))
    console.log(`  ${service} is ${endpoint}`);
  const hub = await openHub({ ...options, externalEndpoints }, report);
  console.log(
    `  ready after ${((Date.now() - began) / 1000).toFixed(1)} s: ${hub.cloud.functions.size} functions, ${hub.cloud.created.size} resources of the template`,
  );
  try {
    return await use(hub, options, details);
  } finally {
    await hub.stop();
    if (options.exit)
      for (const file of [options.state, mailboxesOf(options.state)])
        for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }
};

/** Replays the samples on an empty hub, then serves until it is told to end. Returns the exit code. */
const use = async (hub: Hub, options: Options, details: readonly string[]): Promise<number> => {
  let code = 0;
  if (await isEmpty(hub)) {
    console.log('Replaying a morning of webhooks, moved to now and signed for this machine:');
    const set = samples(Date.now(), options.publicUrl);
    const started = Date.now();
    const answers = await replay(hub, set);
    const found = await countStored(hub.cloud, hub.crms, hub.runtime, answers);
    const { text, right } = closingTable(
      found,
      set.expected,
      (Date.now() - started) / 1000,
      hub.cloud.counts,
    );
    console.log(`\n${text}`);
    code = right ? 0 : 1;
    if (!right) for (const line of details) console.error(line);
  } else
    console.log(
      'The hub holds customers already, so the samples are not replayed. Remove .hub/state.sqlite* to begin anew.',
    );
  if (options.exit) return code;
  console.log(`
API and webhooks  ${hub.apiUrl}
Inbox             ${hub.inboxUrl}
Salesforce        ${hub.crms.salesforce.url}
HubSpot           ${hub.crms.hubspot.url}
AWS               ${hub.awsUrl}

Look somebody up:  HUB_URL=${hub.apiUrl} HUB_KEY=${await readApiKey(hub)} npx hub customer timeline phone:+14155550100
Ask its AWS:       AWS_ENDPOINT_URL=${hub.awsUrl} AWS_REGION=${REGION} AWS_ACCESS_KEY_ID=ADMIN AWS_SECRET_ACCESS_KEY=local npx hub doctor
Ctrl-C ends the hub; its state stays in .hub/.`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  return 0;
};

const isEmpty = async ({ cloud }: Hub): Promise<boolean> =>
  cloud.db
    .prepare('SELECT 1 FROM dynamodb_items WHERE item LIKE \'%"sk":{"S":"profile"}%\' LIMIT 1')
    .get() === undefined;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof HubError || error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
}
