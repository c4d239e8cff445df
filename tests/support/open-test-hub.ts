import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { samples } from '../../cli/local/samples.ts';
import { VirtualClock } from '../../core/clock.ts';
import { hmac } from '../../core/webhooks/signature.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import type { InteractionMessage } from '../../functions/contracts/messages/record.ts';
import type { LambdaFunction } from '../../infra/local/lambda/function.ts';
import { hubFunctions } from '../../infra/scenario/hub/functions.ts';
import {
  type InProcessHubOptions,
  openInProcessHub,
  queueArn,
} from '../../infra/scenario/hub/in-process-hub.ts';
import { openSandboxes } from '../../infra/scenario/hub/sandboxes.ts';
import { scanItems, scanTable } from '../../infra/scenario/hub/scan-table.ts';
import { openScenarioHub } from '../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../infra/scenario/schema.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';

/** When the clock of a test hub begins: a Monday morning. */
export const NOW = Date.parse('2026-03-02T09:00:00Z');
export const API_KEY = 'a-key-of-the-tests-0123456789';
export const PUBLIC_URL = 'https://acme.example';
const HOUR_MS = 3_600_000;
const DELIVERIES = /^Deliveries(?!.*Dead)/u;

type Invoke = (target: LambdaFunction, event: unknown) => Promise<unknown>;

/** An interaction in our own words; by default an inbound SMS of +1 415 555 0100 that occurs now. */
export type TestInteraction = Partial<InteractionMessage['interaction']> & {
  readonly key: string;
  /** Epoch milliseconds at which it occurs and arrives. */
  readonly at?: number;
};

export interface TestHubOptions extends Omit<InProcessHubOptions, 'assembly' | 'clock' | 'functions'> {
  /** Default: the hub of `mappings/`. */
  readonly assembly?: Assembly;
  /** Default: a clock that begins at `NOW`. */
  readonly clock?: VirtualClock;
  /** Triggers in place of the configuration of `mappings/`; every channel has a sender then, and both CRMs are connected. */
  readonly triggers?: readonly object[];
  /** Whether the secrets of the sandbox CRMs are stored, so that customers are synchronised; default true. */
  readonly connectCrms?: boolean;
  /** Functions, by their names, of which every invocation is a worker of its own, without what others have cached. */
  readonly ownWorkers?: RegExp;
  /** Wraps every invocation of a function. */
  readonly around?: (invoke: Invoke, target: LambdaFunction, event: unknown) => Promise<unknown>;
}

/** Opens the deployed hub of `mappings/`, or one with other triggers. */
const openHub = async ({
  assembly: given,
  clock,
  triggers,
  connectCrms = true,
  ownWorkers,
  around,
  ...rest
}: TestHubOptions) => {
  const options: Omit<InProcessHubOptions, 'clock'> = {
    publicUrl: PUBLIC_URL,
    ...rest,
    assembly: given ?? (await assembly()),
    functions: (...parts) => {
      const shared = hubFunctions(...parts);
      return (target, event, invocation) => {
        const run = ownWorkers?.test(target.name) ? hubFunctions(...parts) : shared;
        return around === undefined
          ? run(target, event, invocation)
          : around((one, other) => run(one, other, invocation), target, event);
      };
    },
  };
  if (triggers === undefined) {
    const hub = await openInProcessHub({ ...options, clock: clock ?? new VirtualClock(NOW) });
    const crms = await openSandboxes(undefined, { now: () => hub.clock.now() });
    if (connectCrms) await crms.connect(hub.runtime, hub.name);
    return { ...hub, crms };
  }
  const steps = [{ at: new Date(NOW).toISOString(), advance: '1s' }];
  const scenario = Scenario.parse({ name: 'test', triggers, steps, expect: {} });
  const hub = await openScenarioHub(scenario, '.', options);
  await hub.clock.runUntil(NOW);
  return hub;
};

/** Opens the whole hub in this process. A test reaches it through its front door, its queues and its table. */
export const openTestHub = async (options: TestHubOptions = {}) => {
  const hub = await openHub(options);
  const { cloud, clock, runtime, name, crms } = hub;
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  /** Stores a value of a secret that the stack has created. */
  const setSecret = (secret: string, value: unknown) =>
    secrets.send(
      new PutSecretValueCommand({ SecretId: `${name}/${secret}`, SecretString: JSON.stringify(value) }),
    );
  for (const [provider, secret] of Object.entries(samples(NOW, PUBLIC_URL).secrets))
    await setSecret(`channels/${provider}`, secret);
  await setSecret('api', { keys: [API_KEY] });

  /** Runs everything that is due now; time stands still. */
  const settle = (): Promise<void> => clock.runUntil(clock.now());
  /** Lets `ms` pass; default an hour. */
  const wait = (ms = HOUR_MS): Promise<void> => clock.runUntil(clock.now() + ms);
  /** Calls the API. `key` is empty for a caller without one. */
  const front = (method: string, target: string, body?: unknown, key: string = API_KEY) =>
    cloud.front({
      ...{ method, target, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) },
      headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
    });
  const api = async (method: string, target: string, body?: unknown) => {
    const response = await front(method, target, body);
    return { status: response.status, body: JSON.parse(Buffer.from(response.body).toString()) };
  };
  /** Sends a webhook and runs what follows from it. Returns the status of the answer. */
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
  /** The rows of the table whose DynamoDB JSON contains a text in any case, by a scan. */
  const rows = async (text: string): Promise<Record<string, unknown>[]> => {
    const found: Record<string, unknown>[] = [];
    for await (const item of scanItems(runtime))
      if (JSON.stringify(item).toLowerCase().includes(text.toLowerCase())) found.push(item);
    return found;
  };
  /** Puts a message on the queue whose logical id matches; an object as JSON. */
  const send = (queue: RegExp, body: unknown): void =>
    cloud.send(queueArn(cloud, queue), typeof body === 'string' ? body : JSON.stringify(body));
  return {
    ...{ cloud, clock, runtime, name, crms, settle, wait, front, api, deliver, rows, setSecret },
    table: table(runtime),
    /** Every row of the table. */
    scan: () => scanTable(runtime),
    queueArn: (id: RegExp) => queueArn(cloud, id),
    /** Lets every queue give up: five visibility timeouts pass. */
    giveUp: () => wait(2 * HOUR_MS),
    /** Sends a webhook of Meta, signed as Meta signs. */
    post: (body: string): Promise<number> => {
      const signature = hmac('sha256', 'sample-meta-app-secret', 'hex', body);
      const headers = { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` };
      return deliver('meta', headers, body);
    },
    /** Stores the secrets of a provider's route, as `hub connect` does: the stack creates those of channels that are on. */
    connect: (route: string, values: object) =>
      setSecret(`channels/${route}`, values).catch((error: unknown) => {
        if (!(error instanceof ResourceNotFoundException)) throw error;
        return secrets.send(
          new CreateSecretCommand({
            Name: `${name}/channels/${route}`,
            SecretString: JSON.stringify(values),
          }),
        );
      }),
    failures: async (query = '') => (await api('GET', `/failures${query}`)).body.items,
    send,
    /** Puts an interaction on the deliveries queue. */
    sendInteraction({ at = clock.now(), ...fields }: TestInteraction): void {
      const time = new Date(at).toISOString();
      const interaction = {
        ...{ kind: 'message', channel: 'sms', provider: 'standard', direction: 'inbound' },
        ...{ externalId: fields.key, identifiers: ['phone:+14155550100'], occurredAt: time, ...fields },
      };
      send(DELIVERIES, { type: 'interaction', receivedAt: time, interaction });
    },
    /** The stored interactions as DynamoDB's JSON, without notifications. */
    timeline: async () =>
      (await rows('"sk":{"S":"at#')).filter((row) => JSON.stringify(row['kind']) !== '{"S":"notification"}'),
    async stop(): Promise<void> {
      await cloud.stop();
      await crms.stop();
    },
  };
};
export type TestHub = Awaited<ReturnType<typeof openTestHub>>;

/** The body of a Messenger webhook with one message. */
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
