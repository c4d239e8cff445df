import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  fetchMetricSums,
  type Metric,
  metricsOf,
  type StackResource,
  type SumOf,
  stackResources,
} from '../../../cli/deployment/cost/measure.ts';
import { hmac } from '../../../core/webhooks/signature.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { signedCalls } from '../../../functions/aws/clients/signed.ts';
import { CAPACITY_BY_FUNCTION } from '../../../infra/local/runtime/meter.ts';
import { waitUntilIdle } from '../../../infra/scenario/hub/idle.ts';
import { type Hub, openHub } from '../../../infra/scenario/hub/open-hub.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';

const PEOPLE = 100;
const MESSAGES = 1000;
const CONCURRENCY = 16;
const PUBLIC_URL = 'https://acme.example';

export interface Load {
  /** Seconds to synthesise the template and to open the hub. */
  readonly readySeconds: number;
  /** Interactions per second, from the first webhook until every queue is empty, both CRMs included. */
  readonly perSecond: number;
  readonly interactions: number;
  /** Milliseconds of processor time of all functions, services and CRMs together, per interaction. */
  readonly cpuMs: number;
  /** AWS requests of all functions, per interaction. */
  readonly requests: number;
  readonly crmCalls: Readonly<Record<string, number>>;
  readonly resources: readonly StackResource[];
  /** Sums of CloudWatch metrics over the load alone. */
  readonly sumOf: SumOf;
  /** Operations without a CloudWatch metric, by `service operation`. */
  readonly operations: ReadonlyMap<string, number>;
}

/** Synthesises the template anew, then opens a hub. */
const openMeasuredHub = async (folder: string): Promise<{ hub: Hub; readySeconds: number }> => {
  const startedAt = performance.now();
  execFileSync(process.execPath, [join(root, 'infra', 'app.ts')], {
    env: { ...process.env, CDK_OUTDIR: join(folder, 'assembly') },
    stdio: 'ignore',
  });
  const synthesisMs = performance.now() - startedAt;
  await assembly();
  const openedAt = performance.now();
  const hub = await openHub(
    {
      port: 0,
      publicUrl: PUBLIC_URL,
      state: join(folder, 'state.sqlite'),
      longestWindowSeconds: Number.POSITIVE_INFINITY,
    },
    () => {},
  );
  return { hub, readySeconds: (synthesisMs + performance.now() - openedAt) / 1000 };
};

const storeSecret = (hub: Hub): Promise<unknown> =>
  new SecretsManagerClient(clientConfig(hub.runtime)).send(
    new PutSecretValueCommand({
      SecretId: `${hub.name}/channels/twilio`,
      SecretString: JSON.stringify({ authToken: 'token' }),
    }),
  );

/** Sends an SMS webhook of Twilio, one of several people by turns. */
const sendMessage = async (apiUrl: string, serial: number): Promise<void> => {
  const fields = {
    MessageSid: `SM${serial}`,
    From: `+141555${String(10_000 + (serial % PEOPLE))}`,
    To: '+15005550006',
    Body: `Message ${serial}`,
  };
  const sorted = Object.entries(fields)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flat()
    .join('');
  const signature = hmac('sha1', 'token', 'base64', `${PUBLIC_URL}/webhooks/twilio`, sorted);
  const response = await fetch(`${apiUrl}/webhooks/twilio`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`Delivery ${serial} was answered with ${response.status}.`);
};

const sendMessages = async (apiUrl: string): Promise<void> => {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < MESSAGES) await sendMessage(apiUrl, next++);
    }),
  );
};

const countInteractions = ({ cloud }: Hub): number => {
  const row = cloud.db
    .prepare(`SELECT count(*) AS count FROM dynamodb_items WHERE item LIKE '%"sk":{"S":"at#%'`)
    .get();
  const interactions = Number(row?.['count']);
  if (interactions < MESSAGES)
    throw new Error(`Only ${interactions} of ${MESSAGES} messages became interactions.`);
  return interactions;
};

/** A thousand messages of a hundred people through the whole hub: sockets, workers, CRMs. */
export const benchLoad = async (): Promise<Load> => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-load-'));
  const { hub, readySeconds } = await openMeasuredHub(folder);
  try {
    await storeSecret(hub);
    const aws = signedCalls(hub.runtime);
    const resources = await stackResources(aws, `tributary-${hub.name}`);
    const readMetrics = (): Promise<SumOf> => {
      const now = Math.ceil(Date.now() / 1000);
      return fetchMetricSums(aws, [...metricsOf(resources), ...metricsByFunction(resources)], {
        from: now - 7200,
        to: now + 60,
      });
    };
    const [metricsBefore, operationsBefore] = [await readMetrics(), countOperations(hub.cloud.counts)];
    const requestsBefore = total(hub.cloud.counts);
    const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
    await sendMessages(hub.apiUrl);
    // The projections function gathers a hundred events, for which no other function waits.
    await waitUntilIdle(hub, /^Projections/u);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    await waitUntilIdle(hub);
    const interactions = countInteractions(hub);
    const requests = (total(hub.cloud.counts) - requestsBefore) / interactions;
    const [metricsAfter, operations] = [await readMetrics(), countOperations(hub.cloud.counts)];
    return {
      ...{ readySeconds, interactions, requests, resources },
      perSecond: interactions / seconds,
      cpuMs: (user + system) / 1000 / interactions,
      crmCalls: { salesforce: hub.crms.salesforce.requests(), hubspot: hub.crms.hubspot.requests() },
      sumOf: (metric) => metricsAfter(metric) - metricsBefore(metric),
      operations: new Map(
        [...operations].map(([name, count]) => [name, count - (operationsBefore.get(name) ?? 0)]),
      ),
    };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true });
  }
};

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const metricsByFunction = (resources: readonly StackResource[]): Metric[] =>
  resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .flatMap(({ physicalId }) => capacityOf(physicalId));

/** The metrics of the read and write units that a function consumes. */
export const capacityOf = (functionName: string): [read: Metric, written: Metric] => {
  const metric = (name: string): Metric => ({
    ...{ namespace: CAPACITY_BY_FUNCTION, name, dimension: { name: 'FunctionName', value: functionName } },
  });
  return [metric('ConsumedReadCapacityUnits'), metric('ConsumedWriteCapacityUnits')];
};

const countOperations = (counts: ReadonlyMap<string, number>): Map<string, number> => {
  const found = new Map<string, number>();
  for (const [counted, count] of counts) {
    const operation = counted.split(' ').slice(1).join(' ');
    found.set(operation, (found.get(operation) ?? 0) + count);
  }
  return found;
};
