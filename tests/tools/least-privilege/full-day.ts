import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { DeleteQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { knownCustomer, samples } from '../../../cli/local/samples.ts';
import { VirtualClock } from '../../../core/clock.ts';
import { preferencesToken, unsubscribeToken } from '../../../core/consent/signed-link.ts';
import type { CustomerSnapshot } from '../../../core/identity/customer.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { Receipt } from '../../../core/privacy/receipt.ts';
import { hmac } from '../../../core/webhooks/signature.ts';
import { bucket as bucketOf } from '../../../functions/aws/clients/bucket.ts';
import { bus } from '../../../functions/aws/clients/bus.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { readSecret } from '../../../functions/aws/clients/secret.ts';
import { signedCalls } from '../../../functions/aws/clients/signed.ts';
import { stageQueues } from '../../../functions/aws/operations/replays.ts';
import { syncFailed } from '../../../functions/contracts/events/build.ts';
import type { BusEvent } from '../../../functions/contracts/events/catalogue.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { nonceStore } from '../../../functions/receive/nonce-store.ts';
import { environmentOf } from '../../../infra/local/lambda/in-process.ts';
import { REGION } from '../../../infra/local/runtime/account.ts';
import type { Cloud } from '../../../infra/local/runtime/cloud.ts';
import { openInProcessHub } from '../../../infra/scenario/hub/in-process-hub.ts';
import { openSandboxes, type Sandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import type { Assembly } from '../../../infra/stack/assembly.ts';
import type { Watch } from './trials.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
const HOUR_MS = 3_600_000;
const publicUrl = 'https://hub.example.com';

interface Day {
  readonly cloud: Cloud;
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
  readonly hub: string;
  readonly crms: Sandboxes;
  /** What a function of the template is given, its access key among it. */
  readonly runtimeOf: (bundle: RegExp) => Runtime;
}

/**
 * A day of a hub from its first deployment to its deletion: what stories do not reach, because it begins at the front
 * door, goes through the bucket, is about deploying, or is about what is lost and what comes without TLS. Throws where
 * something is not as it should be.
 */
export const runFullDay = async (assembly: Assembly, watch: Watch): Promise<void> => {
  const day = await begin(assembly, watch);
  try {
    await knowDevice(day);
    await receive(day);
    const call = caller(day);
    await ask(day, call);
    await importList(day, call);
    await day.clock.runUntil(day.clock.now() + 8 * HOUR_MS);
    await failEverywhere(day);
    await mend(day, call);
    await forget(day, call);
    await actForOthers(day);
    await deployAgain(day);
    await comeWithoutTls(day);
    await raiseAlarm(day);
    await loseQueues(day);
    await day.cloud.runCustomResources('Delete');
  } finally {
    await day.cloud.stop();
    await day.crms.stop();
  }
};

const expectThat = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

const begin = async (assembly: Assembly, { onDecision, onClock }: Watch): Promise<Day> => {
  const clock = new VirtualClock(START);
  onClock(clock);
  const {
    cloud,
    runtime,
    name: hub,
    errors,
  } = await openInProcessHub({
    ...{ assembly, clock, publicUrl, onDecision },
    // The sandbox CRMs answer, and of all other vendors nobody.
    fetch: async (input, init) => {
      const { hostname } = new URL(input instanceof Request ? input.url : input);
      if (hostname === '127.0.0.1') return fetch(input, init);
      throw new Error(`There is nobody at ${hostname}.`);
    },
  });
  const [error] = errors;
  if (error !== undefined) throw error;
  const crms = await openSandboxes();
  await crms.connect(runtime, hub);
  return {
    cloud,
    clock,
    runtime,
    hub,
    crms,
    runtimeOf(name) {
      const target = [...cloud.functions.values()].find((one) => name.test(one.name));
      if (target === undefined) throw new Error(`The template has no function ${name.source}.`);
      return { ...runtime, env: { ...target.environment, ...environmentOf(target, assembly) } };
    },
  };
};

/** Chiara has the app: what she orders is confirmed by push. */
const knowDevice = async ({ cloud, clock, runtime }: Day): Promise<void> => {
  const sns = new SNSClient(clientConfig(runtime));
  const { PlatformApplicationArn } = await sns.send(
    new CreatePlatformApplicationCommand({
      Name: 'acme',
      Platform: 'GCM',
      Attributes: { PlatformCredential: 'sample' },
    }),
  );
  const { EndpointArn } = await sns.send(
    new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: knownCustomer.device }),
  );
  const deliveries = [...cloud.created.values()].find(({ attributes }) =>
    attributes?.['QueueName']?.endsWith('DeliveriesQueue'),
  );
  const message = {
    ...{ type: 'command', command: 'import', id: 'chiara', at: new Date(START).toISOString(), by: 'day' },
    identifiers: [`phone:${knownCustomer.phone}`, `push:acme:${EndpointArn}`],
  };
  cloud.send(deliveries?.attributes?.['Arn'] ?? '', JSON.stringify(message));
  await clock.runUntil(START);
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

type Call = (method: string, target: string, body?: object | string) => Promise<unknown>;

/** Asks the API with the key that the stack has made. */
const caller = ({ cloud, clock, runtime, hub }: Day): Call => {
  const secret = readSecret(runtime);
  return async (method, target, body) => {
    const key = Keys.parse(await secret(`${hub}/api`)).keys;
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const bytes = Buffer.from(
      typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
    );
    const answer = await cloud.front({ method, target, headers, body: bytes });
    expectThat(answer.status < 400, `${method} ${target} answered ${answer.status}`);
    await clock.runUntil(clock.now());
    const { location } = answer.headers;
    if (location !== undefined) {
      const file = await runtime.aws?.fetch(new Request(location));
      expectThat(file?.ok === true, `the file behind ${target} cannot be read`);
    }
    const text = Buffer.from(answer.body).toString();
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
};

const Keys = z.object({ keys: z.string() });
const Items = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });

/** What the API answers, and the link that ends marketing. */
const ask = async ({ runtime, hub }: Day, call: Call): Promise<void> => {
  const phone = 'phone:+14155550100';
  const idOf = async (identifier: string): Promise<string> => {
    const found = await call('GET', `/customers?identifier=${encodeURIComponent(identifier)}`);
    return z.looseObject({ id: z.string() }).parse(found).id;
  };
  const id = await idOf(phone);
  await call('GET', `/customers/${id}`);
  await call('GET', `/customers/${id}/timeline`);
  await call('GET', '/reviews');
  for (const list of ['recent', 'waiting', 'name=ada']) await call('GET', `/customers?${list}`);
  await call('GET', '/figures');
  await call('POST', '/commands', {
    command: 'consent',
    customer: phone,
    channel: 'email',
    status: 'granted',
  });
  const large = await idOf('messenger:300:1');
  const { items } = Items.parse(await call('GET', `/customers/${large}/timeline`));
  const text = items.find((one) => Array.isArray(one['attachments']));
  await call('GET', `/customers/${large}/interactions/${text?.id}/attachments/0`);
  const keys = Keys.parse(await readSecret(runtime)(`${hub}/signing`));
  const token = unsubscribeToken({ profileId: id, channel: 'sms' }, [keys.keys]);
  await call('GET', `/unsubscribe/${token}`);
  await call('POST', `/unsubscribe/${token}`);
  const until = START / 1000 + 86_400;
  await call('GET', `/preferences/${preferencesToken({ profileId: id, until }, [keys.keys])}`);
  await call('GET', `/customers/${id}/consent`);
};

const Job = z.looseObject({
  id: z.string(),
  upload: z.object({ url: z.string() }).optional(),
});

/** A list of one whom the hub takes, and one whom it refuses. */
const importList = async ({ clock, runtime }: Day, call: Call): Promise<void> => {
  const parameters = { format: 'csv', toCrms: true };
  const { id, upload } = Job.parse(await call('POST', '/jobs', { kind: 'import-customers', parameters }));
  const body = 'email,language\nada@example.com,it\nunknown,it\n';
  const sent = await runtime.aws?.fetch(new Request(upload?.url ?? '', { method: 'PUT', body }));
  expectThat(sent?.ok === true, 'a file cannot be uploaded');
  await call('POST', `/jobs/${id}/start`);
  await clock.runUntil(clock.now() + HOUR_MS);
  const { url } = z.object({ url: z.string() }).parse(await call('GET', `/jobs/${id}/refused/0`));
  const file = await runtime.aws?.fetch(new Request(url));
  expectThat(file?.ok === true, 'the refused rows cannot be read');
  await call('GET', `/customers?identifier=${encodeURIComponent('email:ada@example.com')}`);
};

/** What no stage can read, on each queue, and on each dead-letter queue. */
const failEverywhere = async ({ cloud, clock }: Day): Promise<void> => {
  for (const { attributes } of cloud.created.values())
    if (attributes?.['QueueUrl'] !== undefined)
      cloud.send(attributes['Arn'] ?? '', '{"nobody":"reads this"}');
  await clock.runUntil(clock.now() + HOUR_MS);
};

/** Failures are listed, edited, replayed one by one and many at once. */
const mend = async ({ clock }: Day, call: Call): Promise<void> => {
  const { items } = Items.parse(await call('GET', '/failures'));
  expectThat(items.length > 0, 'nothing failed');
  const about = { type: 'command', id: 'mended', at: new Date(clock.now()).toISOString(), by: 'day' };
  const command = {
    ...about,
    command: 'consent',
    customer: 'phone:+14155550100',
    channel: 'sms',
    status: 'granted',
  };
  const mendable = items.find((one) => one['stage'] === 'record');
  await call('GET', `/failures/${mendable?.id}`);
  await call('PUT', `/failures/${mendable?.id}/payload`, command);
  await call('POST', `/failures/${mendable?.id}/replay`);
  await call('POST', '/failures/replay', {});
  await clock.runUntil(clock.now() + HOUR_MS);
  Items.parse(await call('GET', '/jobs'));
};

/** Chiara asks what is held of her, and then to be forgotten: something of hers lies everywhere that an erasure looks. */
const forget = async ({ cloud, clock, runtime, runtimeOf }: Day, call: Call): Promise<void> => {
  const phone = `phone:${knownCustomer.phone}`;
  const bucket = bucketOf({
    ...runtime,
    env: { ...runtime.env, BUCKET: runtimeOf(/Record/u).env['BUCKET'] },
  });
  const deliveries = runtimeOf(/Record/u)
    .env['QUEUE_URL_DELIVERIES']?.split('/')
    .at(-1);
  const queue = [...cloud.created.values()].find(
    ({ attributes }) => attributes?.['QueueName'] === deliveries,
  );
  const tell = async (message: object): Promise<void> => {
    cloud.send(queue?.attributes?.['Arn'] ?? '', JSON.stringify(message));
    await clock.runUntil(clock.now() + HOUR_MS);
  };
  const keys = ['attachments/hers/0', 'texts/hers'];
  const said = {
    ...{ key: 'hers', provider: 'standard', kind: 'message', channel: 'sms', direction: 'inbound' },
    ...{ identifiers: [phone], occurredAt: new Date(clock.now()).toISOString(), text: 'Forget me' },
    attachments: keys.map((key) => ({ key })),
  };
  const message = { type: 'interaction', receivedAt: said.occurredAt, interaction: said };
  for (const key of keys) await bucket.put(key, 'hers');
  await tell(message);
  await tell({ nobody: 'reads this', of: knownCustomer.phone });
  const Known = z.looseObject({ id: z.string() });
  const { id: profileId } = Known.parse(
    await call('GET', `/customers?identifier=${encodeURIComponent(phone)}`),
  );
  const job = Known.parse(await call('POST', '/jobs', { kind: 'export', parameters: { profileId } }));
  await clock.runUntil(clock.now() + HOUR_MS);
  const exported = z.looseObject({ state: z.string() }).parse(await call('GET', `/jobs/${job.id}`));
  expectThat(exported.state === 'succeeded', 'the export did not come to its end');
  const raw = ['deliveries/hers', 'mail/hers'];
  for (const key of raw) await bucket.put(key, `From: ${knownCustomer.phone}`);
  const asked = Known.parse(await call('POST', '/erasures', { customer: phone }));
  await clock.runUntil(clock.now() + 2 * HOUR_MS);
  const Done = z.looseObject({ receipt: z.object({ receipt: Receipt }) });
  const { receipt } = Done.parse(await call('GET', `/erasures/${asked.id}`)).receipt;
  const counts = Object.fromEntries(receipt.systems.map(({ system, count }) => [system, count]));
  for (const system of [
    'table',
    'files',
    'failures',
    'deliveries/',
    'jobs/',
    'push',
    'salesforce',
    'hubspot',
  ])
    expectThat((counts[system] ?? 0) > 0, `the erasure found nothing in ${system}`);
  await call('GET', '/erasures');
  await call('GET', '/erasures/keys');
  // A late redelivery brings its files along, and they go again.
  for (const key of keys) await bucket.put(key, 'hers');
  await tell(message);
  for (const key of keys) expectThat((await bucket.get(key)) === undefined, `${key} came back`);
};

/**
 * What functions do for channels that are not switched on here, or when a vendor refuses: the same adapters, with the
 * functions' own keys.
 */
const actForOthers = async ({ runtimeOf, hub }: Day): Promise<void> => {
  await nonceStore(runtimeOf(/Receive/u))('other', { token: 'token', seconds: 60 }, Buffer.from('body'));
  const record = runtimeOf(/Record/u);
  await bucketOf(record).put('attachments/1/0', Buffer.from('file'), 'text/plain');
  const channel = await readSecret(record)(`${hub}/channels/twilio`);
  expectThat(channel !== undefined, 'record cannot read the secret that fetches files');
  const later = { type: 'file', provider: 'other', url: 'https://example.com/1', key: 'attachments/1/0' };
  const sqs = new SQSClient({ ...clientConfig(record), useQueueUrlAsEndpoint: false });
  const QueueUrl = record.env['QUEUE_URL_DELIVERIES'];
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(later) }));
  const api = runtimeOf(/Api/u);
  const file = await signedCalls(api).rest('s3', {
    method: 'HEAD',
    path: `/${api.env['BUCKET']}/attachments/1/0`,
  });
  expectThat(file.ok, 'the API cannot read a file');
  await readSecret(runtimeOf(/Notify/u))(`${hub}/senders/other`).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
  });
  for (const [name, stage] of [
    ['Notify', 'notify'],
    ['SalesforceSync', 'sync-salesforce'],
    ['HubspotSync', 'sync-hubspot'],
  ] as const)
    await bucketOf(runtimeOf(new RegExp(name, 'u'))).put(`failures/${stage}/1`, '{}');
  // A CRM that is down or has no calls left: the message waits in the queue, and the bus is told.
  for (const sync of [runtimeOf(/SalesforceSync/u), runtimeOf(/HubspotSync/u)]) {
    const own = new SQSClient({ ...clientConfig(sync), useQueueUrlAsEndpoint: false });
    await own.send(
      new SendMessageCommand({ QueueUrl: sync.env['QUEUE_URL_SYNC'], MessageBody: '{"profileId":"nobody"}' }),
    );
    await bus(sync)([syncFailed('nobody', 'other', 'refused', new Date(sync.now()).toISOString())]);
  }
  for (const runtime of [api, runtimeOf(/Jobs/u)]) {
    const enqueue = stageQueues(runtime);
    for (const stage of Object.keys(z.looseObject({}).parse(JSON.parse(runtime.env['QUEUE_URLS'] ?? '{}'))))
      await enqueue(stage, '{"nobody":"reads this"}', 'other');
  }
};

/** The seed as it is, and once more with nothing changed. */
const deployAgain = async ({ cloud }: Day): Promise<void> => {
  await cloud.runCustomResources('Update');
};

const scopeOf = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=ADMIN/20260302/${REGION}/${service}/aws4_request`;

/** CloudWatch tells an alarm's topic, which is under the hub's key. */
const raiseAlarm = async ({ cloud }: Day): Promise<void> => {
  for (const { ref } of cloud.created.values())
    if (/^arn:aws:sns:[^:]*:[^:]*:[^:]*Alarms[^:]*$/u.test(ref))
      await cloud.deliver({
        arn: ref,
        payload: '{"NewStateValue":"ALARM"}',
        source: `arn:aws:cloudwatch:${REGION}:123456789012:alarm:any`,
        principal: 'cloudwatch.amazonaws.com',
      });
};

/** Without TLS nobody reads a queue or a file. */
const comeWithoutTls = async ({ cloud }: Day): Promise<void> => {
  const plain = { query: '', secure: false };
  for (const [id, { ref, attributes }] of cloud.created) {
    if (/^arn:aws:sns:(?:[^:]*:){2}[^:]*$/u.test(ref)) {
      const form = new URLSearchParams({ Action: 'Publish', TopicArn: ref, Message: 'x' });
      const headers = { authorization: scopeOf('sns') };
      const { status } = await cloud.aws({
        ...plain,
        method: 'POST',
        path: '/',
        headers,
        body: Buffer.from(String(form)),
      });
      expectThat(status === 403, `${id} takes messages without TLS`);
    }
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

/** One event for each rule of the stack. */
const lostEvents = (at: string): BusEvent[] => {
  const customer: CustomerSnapshot = {
    ...{ id: 'nobody', profileId: 'nobody', identifiers: [], tags: [], traits: {}, consent: {} },
    ...{ preferences: {}, firstSeenAt: at, lastSeenAt: at, isNew: false },
  };
  const interaction: Interaction = {
    ...{ id: 'lost', kind: 'order', channel: 'web', provider: 'lost', direction: 'inbound' },
    ...{ occurredAt: at, identifiers: [] },
  };
  const merge = { merge: 'lost', survivor: 'nobody', others: [], by: 'lost' };
  const notification = { id: 'lost', trigger: 'lost', version: 1, interaction: 'lost' };
  return [
    { type: 'interaction.recorded', detail: { ...interaction, customer }, at },
    { type: 'customer.merged', detail: { customer, ...merge }, at },
    { type: 'notification.failed', detail: { ...notification, customer: { profileId: 'nobody' } }, at },
  ];
};

/** Work queues that are gone: what rules and schedules send to them goes to the dead letters. */
const loseQueues = async ({ cloud, clock, runtime, runtimeOf }: Day): Promise<void> => {
  const sqs = new SQSClient({ ...clientConfig(runtime), useQueueUrlAsEndpoint: false });
  const urls = [...cloud.created.values()].flatMap(({ attributes }) => attributes?.['QueueUrl'] ?? []);
  for (const QueueUrl of urls.filter((url) => !/Dead|Deliveries|Notifications/u.test(url)))
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  const name = runtimeOf(/Record/u).env['BUS'] ?? '';
  const at = new Date(clock.now()).toISOString();
  const taken = await bus({ ...runtime, env: { ...runtime.env, BUS: name } })(lostEvents(at));
  expectThat(!taken.includes(false), 'the bus refused an event');
  await clock.runUntil(clock.now() + 72 * HOUR_MS);
};
