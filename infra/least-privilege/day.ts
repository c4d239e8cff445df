import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { VirtualClock } from '../../core/clock.ts';
import { hmac } from '../../core/signature.ts';
import { unsubscribeToken } from '../../core/signed-link.ts';
import { bus } from '../../functions/aws/bus.ts';
import { clientConfig } from '../../functions/aws/client.ts';
import { readSecret } from '../../functions/aws/secret.ts';
import type { Runtime } from '../../functions/runtime.ts';
import type { Assembly } from '../assembly.ts';
import { inProcess } from '../local/client.ts';
import { type Cloud, REGION, RESPONSE_URL, startCloud } from '../local/cloud.ts';
import { inProcessFunctions } from '../local/in-process.ts';
import { samples } from '../local/samples.ts';
import type { Watch } from './trials.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
const HOUR_MS = 3_600_000;
const publicUrl = 'https://hub.example.com';

interface Day {
  readonly cloud: Cloud;
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
  readonly hub: string;
  readonly deploy: (event: object) => Promise<unknown>;
}

/**
 * A day of a hub from its first deployment to its deletion: what stories do not reach, because it begins at the front
 * door, goes through the bucket, is about deploying, or is about what is lost and what comes without TLS. Throws where
 * something is not as it should be.
 */
export const liveThroughDay = async (assembly: Assembly, watch: Watch): Promise<void> => {
  const day = await begin(assembly, watch);
  try {
    await receive(day);
    await ask(day);
    await day.clock.runUntil(day.clock.now() + 8 * HOUR_MS);
    await deployAgain(day);
    await comeWithoutTls(day);
    await loseQueues(day);
    await day.deploy({ RequestType: 'Delete' });
  } finally {
    await day.cloud.stop();
  }
};

const expectThat = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

const begin = async (assembly: Assembly, { onDecision, onClock }: Watch): Promise<Day> => {
  const clock = new VirtualClock(START);
  onClock(clock);
  let ids = 0;
  const world = {
    now: () => clock.now(),
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    random: () => 0.5,
    // Vendors are not there; what asks them keeps what it has.
    fetch: async (input: string | URL | Request): Promise<Response> => {
      throw new Error(`There is nobody at ${String(input instanceof Request ? input.url : input)}.`);
    },
  };
  const services: { open?: Pick<Cloud, 'aws'> } = {};
  const opened = (): Pick<Cloud, 'aws'> => {
    if (services.open) return services.open;
    throw new Error('The services are not open yet.');
  };
  const lost: unknown[] = [];
  const invoke = inProcessFunctions(assembly, opened, world);
  const cloud = await startCloud({
    assembly,
    clock,
    ...world,
    file: ':memory:',
    publicUrl,
    awsUrl: 'http://127.0.0.1',
    invoke,
    onDecision,
    onService: (service) => {
      services.open = service;
    },
    onError: (error) => lost.push(error),
  });
  const [log] = lost;
  if (log !== undefined) throw log;
  const hub = [...cloud.functions.values()][0]?.environment['HUB'] ?? '';
  const runtime: Runtime = {
    ...world,
    env: { AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'ADMIN', AWS_SECRET_ACCESS_KEY: 'local', HUB: hub },
    aws: inProcess((request) => cloud.aws(request)),
  };
  const deployer = [...cloud.functions.values()].find(({ name }) => name.includes('Deploy'));
  return {
    cloud,
    clock,
    runtime,
    hub,
    deploy: async (event) => {
      if (deployer === undefined) throw new Error('The template has no deploy function.');
      const answer = await invoke(deployer, {
        ResponseURL: RESPONSE_URL,
        StackId: 'local',
        RequestId: 'again',
        LogicalResourceId: 'Seed',
        ...event,
      });
      const { Status } = z.looseObject({ Status: z.string() }).parse(answer);
      expectThat(Status === 'SUCCESS', `CloudFormation was told ${Status} of ${JSON.stringify(event)}`);
    },
  };
};

/** The morning's webhooks, then bodies too large for a message: one that is read, and one that nobody can read. */
const receive = async ({ cloud, clock, runtime, hub }: Day): Promise<void> => {
  const set = samples(START, publicUrl);
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  for (const [provider, secret] of Object.entries(set.secrets))
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: `${hub}/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
  const post = async (provider: string, headers: Readonly<Record<string, string>>, body: string) => {
    const request = { method: 'POST', target: `/webhooks/${provider}`, headers, body: Buffer.from(body) };
    const { status } = await cloud.front(request);
    await clock.runUntil(clock.now());
    return status;
  };
  for (const { about, provider, headers, body, status } of set.deliveries)
    expectThat((await post(provider, headers, body)) === status, `the delivery was refused: ${about}`);
  const large = 'Ω'.repeat(600_000);
  const message = { mid: 'm_large', text: large };
  const messaging = [{ sender: { id: '1' }, recipient: { id: '300' }, timestamp: START, message }];
  for (const entry of [[{ id: '300', time: START, messaging }], large]) {
    const body = JSON.stringify({ object: 'page', entry });
    const signed = `sha256=${hmac('sha256', set.secrets['meta']?.['appSecret'] ?? '', 'hex', body)}`;
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signed };
    expectThat((await post('meta', headers, body)) === 200, 'a large delivery was refused');
  }
};

/** What the API answers, and the link that ends marketing. */
const ask = async ({ cloud, clock, runtime, hub }: Day): Promise<void> => {
  const secret = readSecret(runtime);
  const keysOf = async (name: string): Promise<string> =>
    z.object({ keys: z.string() }).parse(await secret(`${hub}/${name}`)).keys;
  const key = await keysOf('api');
  const call = async (method: string, target: string, body?: object): Promise<unknown> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const { status, body: answer } = await cloud.front({ method, target, headers, body: bytes });
    expectThat(status < 300, `${method} ${target} answered ${status}`);
    await clock.runUntil(clock.now());
    const text = Buffer.from(answer).toString();
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  const found = await call('GET', `/customers?identifier=${encodeURIComponent('phone:+14155550100')}`);
  const { id } = z.looseObject({ id: z.string() }).parse(found);
  await call('GET', `/customers/${id}`);
  await call('GET', `/customers/${id}/timeline`);
  await call('GET', '/reviews');
  const consent = { channel: 'email', status: 'granted' };
  await call('POST', '/commands', { command: 'consent', customer: 'phone:+14155550100', ...consent });
  const token = unsubscribeToken({ half: id, channel: 'sms' }, [await keysOf('signing')]);
  await call('GET', `/unsubscribe/${token}`);
  await call('POST', `/unsubscribe/${token}`);
};

/** The seed as it is, and once more with nothing changed. */
const deployAgain = async ({ deploy }: Day): Promise<void> => {
  await deploy({ RequestType: 'Update', PhysicalResourceId: 'configuration' });
};

const scopeOf = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=ADMIN/20260302/${REGION}/${service}/aws4_request`;

/** Without TLS nobody reads a queue or a file. */
const comeWithoutTls = async ({ cloud }: Day): Promise<void> => {
  const plain = { query: '', secure: false };
  for (const [id, { ref, attributes }] of cloud.created) {
    const url = attributes?.['QueueUrl'];
    const bucket = attributes?.['Arn'] === `arn:aws:s3:::${ref}`;
    if (url === undefined && !bucket) continue;
    const { status } = await cloud.aws(
      bucket
        ? {
            ...plain,
            method: 'GET',
            path: `/${ref}/texts/1`,
            headers: { authorization: scopeOf('s3') },
            body: new Uint8Array(),
          }
        : {
            ...plain,
            method: 'POST',
            path: '/',
            headers: { authorization: scopeOf('sqs'), 'x-amz-target': 'AmazonSQS.ReceiveMessage' },
            body: Buffer.from(JSON.stringify({ QueueUrl: url })),
          },
    );
    expectThat(status === 400 || status === 403, `${id} answers without TLS`);
    if (!bucket) continue;
    const listing = { ...plain, method: 'GET', path: `/${ref}`, body: new Uint8Array() };
    const { status: listed } = await cloud.aws({ ...listing, headers: { authorization: scopeOf('s3') } });
    expectThat(listed === 403, `${id} is listed without TLS`);
  }
};

/** Work queues that are gone: what rules and schedules send to them goes to the dead letters. */
const loseQueues = async ({ cloud, clock, runtime }: Day): Promise<void> => {
  const sqs = new SQSClient({ ...clientConfig(runtime), useQueueUrlAsEndpoint: false });
  const urls = [...cloud.created.values()].flatMap(({ attributes }) => attributes?.['QueueUrl'] ?? []);
  for (const QueueUrl of urls.filter((url) => !/Dead|Deliveries|Notifications/u.test(url)))
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  const name = [...cloud.functions.values()][0]?.environment['BUS'] ?? '';
  const at = new Date(clock.now()).toISOString();
  const customer = { half: 'nobody' };
  const taken = await bus({ ...runtime, env: { ...runtime.env, BUS: name } })([
    { type: 'interaction.recorded', detail: { id: 'lost', kind: 'order', occurredAt: at, customer }, at },
    { type: 'customer.merged', detail: { customer }, at },
  ]);
  expectThat(!taken.includes(false), 'the bus refused an event');
  await clock.runUntil(clock.now() + 9 * 24 * HOUR_MS);
};
