import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../../core/clock.ts';
import { type EventSource, eventSource } from '../../../functions/aws/clients/event-source.ts';
import { accessKeyOf } from '../../../infra/local/iam/access-key.ts';
import { type InProcessHub, openInProcessHub, queueArn } from '../../../infra/scenario/hub/in-process-hub.ts';
import { assembly } from '../../../infra/stack/assembly.ts';

const SALESFORCE = /^SalesforceQueue/u;

let folder: string;
let hub: InProcessHub;
let received: string[];
const open = async (): Promise<void> => {
  hub = await openInProcessHub({
    ...{ assembly: await assembly(), clock: new VirtualClock(Date.parse('2026-03-02T09:00:00Z')) },
    ...{ file: join(folder, 'hub.sqlite'), runCustomResources: false },
    functions: () => async (target) => {
      if (/SalesforceSync/u.test(target.name)) received.push(target.name);
      return { batchItemFailures: [] };
    },
  });
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-sources-'));
  received = [];
  await open();
});
afterEach(async () => {
  await hub.cloud.stop();
  rmSync(folder, { recursive: true });
});

const functionNamed = (part: RegExp): string =>
  [...hub.cloud.functions.keys()].find((name) => part.test(name)) ?? '';
/** The source between the queue of Salesforce and its function, for a caller: a function's name, or an administrator. */
const source = (caller?: string): EventSource => {
  const { runtime, cloud } = hub;
  const key = caller === undefined ? {} : { AWS_ACCESS_KEY_ID: accessKeyOf(caller) };
  return eventSource(
    { ...runtime, env: { ...runtime.env, ...key } },
    { functionName: functionNamed(/SalesforceSync/u), queueArn: queueArn(cloud, SALESFORCE) },
  );
};
const send = async (): Promise<number> => {
  hub.cloud.send(queueArn(hub.cloud, SALESFORCE), '{}');
  await hub.clock.runUntil(hub.clock.now() + 600_000);
  return hub.cloud.queue(queueArn(hub.cloud, SALESFORCE)).visible;
};

it('a source that is off leaves messages in their place, also after a restart, until it is on', async () => {
  expect([await send(), received.length]).toEqual([0, 1]);
  expect(await source().setEnabled(false)).toBe(true);
  expect(await source().setEnabled(false)).toBe(true);
  expect([await send(), received.length]).toEqual([1, 1]);
  await hub.cloud.stop();
  await open();
  expect([await send(), received.length]).toEqual([2, 1]);
  expect(await source().setEnabled(true)).toBe(true);
  await hub.clock.runUntil(hub.clock.now() + 30_000);
  expect(hub.cloud.queue(queueArn(hub.cloud, SALESFORCE)).visible).toBe(0);
});

it('a function may switch its own sources alone', async () => {
  await source(functionNamed(/SalesforceSync/u)).setEnabled(false);
  await expect(source(functionNamed(/HubspotSync/u)).setEnabled(true)).rejects.toThrow(
    /not authorized to perform: lambda:UpdateEventSourceMapping/u,
  );
  await expect(source(functionNamed(/Record/u)).setEnabled(true)).rejects.toThrow(
    /not authorized to perform: lambda:ListEventSourceMappings/u,
  );
});
