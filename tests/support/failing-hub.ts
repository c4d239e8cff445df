import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { samples } from '../../cli/local/samples.ts';
import { VirtualClock } from '../../core/clock.ts';
import { hmac } from '../../core/webhooks/signature.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import type { LambdaFunction } from '../../infra/local/lambda/function.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { type Cloud, type CloudOptions, startCloud } from '../../infra/local/runtime/cloud.ts';
import { eventPatterns } from '../../infra/scenario/event-patterns.ts';
import { hubFunctions } from '../../infra/scenario/hub-functions.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';

export const NOW = Date.parse('2026-03-02T09:00:00Z');
const publicUrl = 'https://acme.example';
export const API_KEY = 'a-key-of-the-tests-0123456789';

type Invoke = (target: LambdaFunction, event: unknown) => Promise<unknown>;

export interface Options {
  readonly senders?: Runtime['senders'];
  /** The vendors' APIs. */
  readonly fetch?: typeof fetch;
  /** Another hub than that of `mappings/`. */
  readonly hub?: Assembly;
  readonly before?: CloudOptions['before'];
  /** Stands between the queue and the function. */
  readonly around?: (invoke: Invoke, target: LambdaFunction, event: unknown) => Promise<unknown>;
}

/** The whole hub in this process, reached by its front door and its queues. */
export const openHub = async ({ senders, fetch, hub, before, around }: Options = {}) => {
  const synthesised = hub ?? (await assembly());
  const clock = new VirtualClock(NOW);
  let ids = 0;
  const world = {
    now: () => clock.now(),
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    random: () => 0.5,
  };
  const services: { open?: Pick<Cloud, 'aws'> } = {};
  const opened = (): Pick<Cloud, 'aws'> => {
    if (services.open) return services.open;
    throw new Error('The services are not open yet.');
  };
  const functions = hubFunctions(synthesised, opened, {
    ...world,
    ...(senders && { senders }),
    ...(fetch && { fetch }),
  });
  const cloud = await startCloud({
    patterns: eventPatterns,
    assembly: synthesised,
    clock,
    ...world,
    file: ':memory:',
    publicUrl,
    awsUrl: 'http://127.0.0.1',
    invoke: (target, event, invocation) => {
      const run: Invoke = (one, given) => functions(one, given, invocation);
      return around ? around(run, target, event) : run(target, event);
    },
    onService: (service) => {
      services.open = service;
    },
    onError: () => {},
    ...(before && { before }),
  });
  const runtime: Runtime = {
    ...world,
    env: {
      AWS_REGION: 'eu-south-1',
      AWS_ACCESS_KEY_ID: 'TEST',
      AWS_SECRET_ACCESS_KEY: 'test',
      TABLE: [...cloud.functions.values()][0]?.environment['TABLE'],
    },
    aws: inProcess((request) => cloud.aws(request)),
  };
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  const put = (SecretId: string, value: unknown) =>
    secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
  for (const [provider, secret] of Object.entries(samples(NOW, publicUrl).secrets))
    await put(`acme/channels/${provider}`, secret);
  await put('acme/api', { keys: [API_KEY] });

  /** Until nothing is at work; time stands still. */
  const settle = () => clock.runUntil(clock.now());
  /** The queues give up after five visibility timeouts. */
  const giveUp = () => clock.runUntil(clock.now() + 2 * 3_600_000);
  const queueArn = (name: RegExp): string => {
    const [found] = [...cloud.created].filter(
      ([id, { attributes }]) => name.test(id) && attributes?.['QueueUrl'] !== undefined,
    );
    if (found === undefined) throw new Error(`no queue ${name}`);
    return found[1].attributes?.['Arn'] ?? '';
  };
  const api = async (method: string, target: string, body?: unknown) => {
    const response = await cloud.front({
      method,
      target,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    });
    const text = Buffer.from(response.body).toString();
    return { status: response.status, body: JSON.parse(text) };
  };
  /** The status that a webhook is answered with, once all that follows from it is done. */
  const deliver = async (
    provider: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<number> => {
    const target = `/webhooks/${provider}`;
    const { status } = await cloud.front({ method: 'POST', target, headers, body: Buffer.from(body) });
    await settle();
    return status;
  };
  /** As Meta signs it. */
  const post = (body: string): Promise<number> =>
    deliver(
      'meta',
      {
        'content-type': 'application/json',
        'x-hub-signature-256': `sha256=${hmac('sha256', 'sample-meta-app-secret', 'hex', body)}`,
      },
      body,
    );
  /** Rows of the table as DynamoDB writes them, by SQL's LIKE. */
  const rows = (like: string): Record<string, unknown>[] =>
    cloud.db
      .prepare('SELECT item FROM dynamodb_items WHERE item LIKE ?')
      .all(like)
      .map((row) => JSON.parse(String(row['item'])));
  /** The secrets of a provider's route, as `hub connect` stores them. */
  const connect = (route: string, secrets: object) =>
    new SecretsManagerClient(clientConfig(runtime)).send(
      new CreateSecretCommand({ Name: `acme/channels/${route}`, SecretString: JSON.stringify(secrets) }),
    );
  return {
    ...{ cloud, clock, runtime, settle, giveUp, queueArn, api, deliver, post, rows, connect },
    table: table(runtime),
    failures: async (query = '') => (await api('GET', `/failures${query}`)).body.items,
    send(queue: RegExp, body: unknown) {
      cloud.send(queueArn(queue), typeof body === 'string' ? body : JSON.stringify(body));
    },
    timeline: () =>
      rows('%"sk":{"S":"at#%').filter((row) => JSON.stringify(row['kind']) !== '{"S":"notification"}'),
  };
};
export type TestHub = Awaited<ReturnType<typeof openHub>>;

export const messenger = (text: string, mid = 'm_1'): string =>
  JSON.stringify({
    object: 'page',
    entry: [
      {
        id: '300',
        messaging: [
          { sender: { id: '5678' }, recipient: { id: '300' }, timestamp: NOW, message: { mid, text } },
        ],
      },
    ],
  });
