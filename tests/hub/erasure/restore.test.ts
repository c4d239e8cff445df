import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, UpdateContinuousBackupsCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, it } from 'vitest';
import { destructionLines } from '../../../cli/deployment/destroy.ts';
import { restore } from '../../../cli/deployment/restore.ts';
import { VirtualClock } from '../../../core/clock.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { signedCalls } from '../../../functions/aws/clients/signed.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

const MINUTE_MS = 60_000;
const [ADA, BOB, CAT] = ['phone:+14155550100', 'phone:+14155550101', 'phone:+14155550102'];
const TARGET = 'restored';

let hub: TestHub;
let source: string;
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
  source = hub.runtime.env['TABLE'] ?? '';
  await new DynamoDBClient(clientConfig(hub.runtime)).send(
    new UpdateContinuousBackupsCommand({
      TableName: source,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
};
afterEach(() => hub.stop());

const run = async (to: number, dryRun = false): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of restore(hub.runtime, { source, target: TARGET, to, dryRun })) lines.push(line);
  return lines;
};
const restoredText = async (): Promise<string> =>
  JSON.stringify(await scanTable({ ...hub.runtime, env: { ...hub.runtime.env, TABLE: TARGET } }));

/** Ada, Bob and Cat write; then Ada is erased, and Cat writes again. Returns the instant before the erasure. */
const eraseAda = async (): Promise<number> => {
  for (const [key, identifier] of [
    ['a', ADA],
    ['b', BOB],
    ['c', CAT],
  ] as const)
    hub.sendInteraction({ key, identifiers: [identifier ?? ''], text: `Text of ${key}` });
  await hub.wait(10 * MINUTE_MS);
  const before = hub.clock.now();
  await hub.wait(10 * MINUTE_MS);
  const { status } = await hub.api('POST', '/erasures', { customer: ADA });
  expect(status).toBe(202);
  hub.sendInteraction({ key: 'later', identifiers: [CAT ?? ''], text: 'Written after the second' });
  await hub.wait(2 * 60 * MINUTE_MS);
  return before;
};

it('restores the others as they were, and nobody who was erased since', async () => {
  await open();
  const before = await eraseAda();
  await run(before);
  const text = await restoredText();
  expect(text).toContain('Text of b');
  expect(text).toContain('Text of c');
  expect(text).not.toContain('Written after the second');
  expect(text).not.toContain('Text of a');
  expect(text).not.toContain('+14155550100');
  // The receipt and the hashed keys are there, so that a late redelivery stays dropped.
  expect(text).toContain('tributary-erasure-1');
  expect(text).toContain('"pk":"erased#');
  const repeated = await run(before);
  expect(repeated.join('\n')).toContain('0 source profiles');
});

it('is what the hub uses once hub.yaml names it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-restore-'));
  const file = join(folder, 'hub.sqlite');
  const restored = synthesiseHub({ table: TARGET });
  await open({ file });
  await run(await eraseAda());
  await hub.stop();
  hub = await openTestHub({ assembly: restored, file, clock: new VirtualClock(hub.clock.now()) });
  expect(hub.runtime.env['TABLE']).toBe(TARGET);
  expect((await hub.api('GET', `/customers?identifier=${encodeURIComponent(BOB ?? '')}`)).status).toBe(200);
  expect((await hub.api('GET', `/customers?identifier=${encodeURIComponent(ADA ?? '')}`)).status).toBe(404);
  hub.sendInteraction({ key: 'after', identifiers: [BOB ?? ''], text: 'After the switch' });
  await hub.wait(MINUTE_MS);
  expect(await restoredText()).toContain('After the switch');
  restored.remove();
  rmSync(folder, { recursive: true });
});

it('writes nothing in a dry run', async () => {
  await open();
  const before = await eraseAda();
  expect((await run(before, true)).at(-1)).toContain('nothing was written');
  await expect(restoredText()).rejects.toThrow('Requested resource not found');
});

it('refuses a time that cannot be restored, with the range', async () => {
  await open();
  await expect(run(hub.clock.now() - 40 * 86_400_000)).rejects.toMatchObject({ code: 'unrestorable-time' });
});

it('lists what stays when the stack is deleted, and what goes', async () => {
  await open();
  const { template } = await assembly();
  const lines = await destructionLines(signedCalls(hub.runtime), { name: hub.name }, template);
  const goes = lines.indexOf('Goes:');
  expect(lines.slice(0, goes).join('\n')).toContain(`${source}  table, protected against deletion`);
  expect(lines.slice(0, goes).join('\n')).toMatch(/bucket with attachments/u);
  expect(lines.slice(goes).join('\n')).toMatch(/× AWS::Lambda::Function/u);
});
