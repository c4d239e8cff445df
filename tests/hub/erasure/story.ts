import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { scanTable } from '../../../infra/scenario/scan-table.ts';
import { openScenarioHub, type ScenarioOptions } from '../../../infra/scenario/scenario-hub.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import { assembly } from '../../../infra/stack/assembly.ts';

export const NOW = Date.parse('2026-03-02T09:00:00Z');
const HOUR = 3_600_000;
const DELIVERIES = /^Deliveries(?!Dead)/u;

type Options = Partial<ScenarioOptions> & { readonly triggers?: readonly object[] };

/** The whole hub in this process with both CRMs, its clock at `NOW`, as someone who erases people sees it. */
export const openStory = async ({ triggers = [], ...options }: Options = {}) => {
  const scenario = Scenario.parse({
    ...{ name: 'erasure', triggers, expect: {} },
    steps: [{ at: new Date(NOW).toISOString(), advance: '1s' }],
  });
  const stage = await openScenarioHub(scenario, '.', { assembly: await assembly(), ...options });
  const { cloud, clock, crms, runtime } = stage;
  const hub = [...cloud.functions.values()][0]?.environment['HUB'] ?? '';
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  const { SecretString = '{}' } = await secrets.send(new GetSecretValueCommand({ SecretId: `${hub}/api` }));
  const { keys } = JSON.parse(SecretString);
  await clock.runUntil(NOW);
  const queueArn = (name: RegExp): string =>
    [...cloud.created].find(
      ([id, { attributes }]) => name.test(id) && attributes?.['QueueUrl'] !== undefined,
    )?.[1].attributes?.['Arn'] ?? '';
  const front = (method: string, target: string, body?: unknown, key: string = keys) =>
    cloud.front({
      ...{ method, target, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) },
      headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
    });
  const api = async (method: string, target: string, body?: unknown) => {
    const response = await front(method, target, body);
    return { status: response.status, body: JSON.parse(Buffer.from(response.body).toString()) };
  };
  return {
    ...{ cloud, clock, crms, runtime, hub, api, front, queueArn },
    table: table({ ...runtime, env: { ...runtime.env, HUB: hub } }),
    rows: () => scanTable(runtime),
    setSecret: (name: string, value: unknown) =>
      secrets.send(
        new PutSecretValueCommand({ SecretId: `${hub}/${name}`, SecretString: JSON.stringify(value) }),
      ),
    settle: () => clock.runUntil(clock.now()),
    /** Until whatever was asked for is done. */
    wait: (ms = HOUR) => clock.runUntil(clock.now() + ms),
    send: (queue: RegExp, body: object) => cloud.send(queueArn(queue), JSON.stringify(body)),
    /** Puts an interaction in, in our own words. */
    say(key: string, identifiers: readonly string[], more: object = {}) {
      const act = { kind: 'message', channel: 'sms', provider: 'standard', direction: 'inbound' };
      const now = new Date(clock.now()).toISOString();
      const interaction = { ...act, key, externalId: key, identifiers, occurredAt: now, ...more };
      cloud.send(queueArn(DELIVERIES), JSON.stringify({ type: 'interaction', receivedAt: now, interaction }));
    },
    async erase(customer: string) {
      const { body } = await api('POST', '/erasures', { customer, by: 'ada' });
      await clock.runUntil(clock.now() + HOUR);
      return (await api('GET', `/erasures/${body.id}`)).body;
    },
    async close() {
      await cloud.stop();
      await crms.stop();
    },
  };
};
export type Story = Awaited<ReturnType<typeof openStory>>;
