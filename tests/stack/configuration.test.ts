import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { expect, it } from 'vitest';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { openTestHub } from '../support/open-test-hub.ts';

it('deletes the rules of triggers with the stack, also when CloudFormation asks twice', async () => {
  const { cloud, runtime, stop } = await openTestHub();
  const events = new EventBridgeClient(clientConfig(runtime));
  const published = async (): Promise<string[]> => {
    const { Rules = [] } = await events.send(new ListRulesCommand({ EventBusName: 'tributary-acme' }));
    return Rules.flatMap(({ Name = '' }) => (Name.startsWith('trigger-') ? [Name] : []));
  };
  expect((await published()).length).toBeGreaterThan(0);
  for (let times = 0; times < 2; times++) {
    await cloud.runCustomResources('Delete');
    expect(await published()).toEqual([]);
  }
  await stop();
});

it('refuses at synthesis what publishing refuses, with the file and the line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mappings-'));
  cpSync(new URL('../../mappings', import.meta.url).pathname, folder, { recursive: true });
  const write = (on: string, template: string): void =>
    writeFileSync(
      join(folder, 'triggers', 'welcome.yaml'),
      `id: welcome\ncategory: service\non: ${on}\nsend: { channels: [email], template: ${template} }\n`,
    );
  write('{ kind: [message] }', 'not-there');
  expect(() => readSeed(folder)).toThrow(
    'mappings/triggers/welcome.yaml:4: send: The trigger welcome names the template not-there, which is not in mappings/templates.',
  );
  const names = Array.from({ length: 200 }, (_, at) => `a-long-name-${at}`).join(', ');
  write(`{ kind: [behaviour], properties: { name: [${names}] } }`, 'welcome');
  expect(() => readSeed(folder)).toThrow(
    /^mappings\/triggers\/welcome\.yaml:3: on: The pattern of welcome has \d+ characters/u,
  );
  rmSync(folder, { recursive: true });
});
