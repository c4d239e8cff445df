import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  countDeliveries,
  fetchMetricSums,
  metricsOf,
  stackResources,
  usageOf,
} from '../../../cli/deployment/cost/measure.ts';
import { signedCalls } from '../../../functions/aws/clients/signed.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-metrics-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The usage of the last hour, as `hub cost` reads it. */
const measureUsage = async ({ clock, runtime }: TestHub) => {
  const aws = signedCalls(runtime);
  const resources = await stackResources(aws, 'tributary-acme');
  const now = clock.now() / 1000;
  const of = await fetchMetricSums(aws, metricsOf(resources), { from: now - 3600, to: now + 60 });
  return { usage: usageOf(resources, of), deliveries: countDeliveries(resources, of) };
};

it('counts usage as CloudWatch does, and continues the count when the hub is opened again', async () => {
  const file = join(folder, 'state.sqlite');
  const first = await openTestHub({ file });
  const before = await measureUsage(first);
  first.sendInteraction({ key: 'SM1', provider: 'twilio', text: 'Hi' });
  await first.wait(60_000);
  const after = await measureUsage(first);
  expect(after.deliveries - before.deliveries).toBeGreaterThanOrEqual(1);
  const record = after.usage.functions.find(({ name }) => name.includes('Record'));
  expect(record?.runs).toBeGreaterThanOrEqual(1);
  expect(after.usage.dynamodb.writeUnits - before.usage.dynamodb.writeUnits).toBeGreaterThanOrEqual(10);
  // Only transactions say whether their capacity was read or written.
  expect(after.usage.dynamodb.readUnits - before.usage.dynamodb.readUnits).toBeGreaterThanOrEqual(4);
  expect(after.usage.events - before.usage.events).toBeGreaterThanOrEqual(2);
  // At least one for each CRM.
  expect(after.usage.sqs.sends - before.usage.sqs.sends).toBeGreaterThanOrEqual(3);
  await first.stop();
  const second = await openTestHub({ file, clock: first.clock });
  expect((await measureUsage(second)).deliveries).toBe(after.deliveries);
  await second.stop();
});
