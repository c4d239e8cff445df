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
import { BY_FUNCTION } from '../../../infra/local/runtime/meter.ts';
import { waitUntilIdle } from '../../../infra/scenario/hub/idle.ts';
import { openHub } from '../../../infra/scenario/hub/open-hub.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';

const PEOPLE = 100;
const MESSAGES = 1000;
const AT_ONCE = 16;

export interface Load {
  /** Until the template is synthesised anew and the hub answers, in seconds. */
  readonly ready: number;
  /** From the first webhook until every queue is empty, both CRMs included, per second. */
  readonly perSecond: number;
  readonly interactions: number;
  /** Milliseconds that processors worked, all functions, services and CRMs together, per interaction. */
  readonly worked: number;
  /** AWS requests of all functions, per interaction. */
  readonly requests: number;
  readonly crmCalls: Readonly<Record<string, number>>;
  /** What the stack is made of, and what CloudWatch would tell of the messages alone. */
  readonly resources: readonly StackResource[];
  readonly sumOf: SumOf;
  /** Operations that CloudWatch does not tell, by `service operation`. */
  readonly operations: ReadonlyMap<string, number>;
}

/** A thousand messages of a hundred people through the whole hub: sockets, workers, CRMs. */
export const benchLoad = async (): Promise<Load> => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-load-'));
  const publicUrl = 'https://acme.example';
  const began = performance.now();
  execFileSync(process.execPath, [join(root, 'infra', 'app.ts')], {
    env: { ...process.env, CDK_OUTDIR: join(folder, 'assembly') },
    stdio: 'ignore',
  });
  const synthesised = performance.now() - began;
  await assembly();
  const opened = performance.now();
  const hub = await openHub(
    {
      port: 0,
      publicUrl,
      state: join(folder, 'state.sqlite'),
      longestWindowSeconds: Number.POSITIVE_INFINITY,
    },
    () => {},
  );
  try {
    const ready = (synthesised + performance.now() - opened) / 1000;
    const secret = {
      SecretId: `${hub.name}/channels/twilio`,
      SecretString: JSON.stringify({ authToken: 'token' }),
    };
    await new SecretsManagerClient(clientConfig(hub.runtime)).send(new PutSecretValueCommand(secret));
    const send = async (serial: number): Promise<void> => {
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
      const signature = hmac('sha1', 'token', 'base64', `${publicUrl}/webhooks/twilio`, sorted);
      const response = await fetch(`${hub.apiUrl}/webhooks/twilio`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
        body: new URLSearchParams(fields).toString(),
      });
      await response.arrayBuffer();
      if (response.status !== 200)
        throw new Error(`Delivery ${serial} was answered with ${response.status}.`);
    };
    const aws = signedCalls(hub.runtime);
    const resources = await stackResources(aws, `tributary-${hub.name}`);
    const told = (): Promise<SumOf> => {
      const now = Math.ceil(Date.now() / 1000);
      return fetchMetricSums(aws, [...metricsOf(resources), ...byFunction(resources)], {
        from: now - 7200,
        to: now + 60,
      });
    };
    const [earlier, asked] = [await told(), operationsOf(hub.cloud.counts)];
    const before = total(hub.cloud.counts);
    const [started, busy] = [performance.now(), process.cpuUsage()];
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < MESSAGES) await send(next++);
      }),
    );
    // Figures and lists wait for a hundred events, and nobody waits for them.
    await waitUntilIdle(hub, /^Projections/u);
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(busy);
    await waitUntilIdle(hub);
    const interactions = Number(
      hub.cloud.db
        .prepare(`SELECT count(*) AS count FROM dynamodb_items WHERE item LIKE '%"sk":{"S":"at#%'`)
        .get()?.['count'],
    );
    if (interactions < MESSAGES)
      throw new Error(`Only ${interactions} of ${MESSAGES} messages became interactions.`);
    const requests = (total(hub.cloud.counts) - before) / interactions;
    const [later, operations] = [await told(), operationsOf(hub.cloud.counts)];
    return {
      ready,
      perSecond: interactions / seconds,
      interactions,
      worked: (user + system) / 1000 / interactions,
      requests,
      crmCalls: { salesforce: hub.crms.salesforce.calls(), hubspot: hub.crms.hubspot.calls() },
      resources,
      sumOf: (metric) => later(metric) - earlier(metric),
      operations: new Map([...operations].map(([name, count]) => [name, count - (asked.get(name) ?? 0)])),
    };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true });
  }
};

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const byFunction = (resources: readonly StackResource[]): Metric[] =>
  resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .flatMap(({ physicalId }) => capacityOf(physicalId));

/** What a function consumed of the table: its read units and its write units. */
export const capacityOf = (functionName: string): [read: Metric, written: Metric] => {
  const metric = (name: string): Metric => ({
    ...{ namespace: BY_FUNCTION, name, dimension: { name: 'FunctionName', value: functionName } },
  });
  return [metric('ConsumedReadCapacityUnits'), metric('ConsumedWriteCapacityUnits')];
};

const operationsOf = (counts: ReadonlyMap<string, number>): Map<string, number> => {
  const found = new Map<string, number>();
  for (const [counted, count] of counts) {
    const operation = counted.split(' ').slice(1).join(' ');
    found.set(operation, (found.get(operation) ?? 0) + count);
  }
  return found;
};
