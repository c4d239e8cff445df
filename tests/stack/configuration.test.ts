import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
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

it('keeps the secrets that exist with their values, restores those that wait for deletion, and creates the missing ones', async () => {
  const { cloud, runtime, stop } = await openTestHub();
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  const readValue = async (name: string) =>
    (await secrets.send(new GetSecretValueCommand({ SecretId: `acme/${name}` }))).SecretString;
  const present = '{"authToken":"stored before"}';
  await secrets.send(new PutSecretValueCommand({ SecretId: 'acme/channels/twilio', SecretString: present }));
  const signing = await readValue('signing');
  await secrets.send(new DeleteSecretCommand({ SecretId: 'acme/signing' }));
  await secrets.send(
    new DeleteSecretCommand({ SecretId: 'acme/channels/meta', ForceDeleteWithoutRecovery: true }),
  );
  await cloud.runCustomResources('Create');
  expect([await readValue('channels/twilio'), await readValue('channels/meta')]).toEqual([present, '{}']);
  expect(signing).toMatch(/^\{"keys":"[\w-]{40}"\}$/u);
  expect(await readValue('signing')).toBe(signing);
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
    `${folder}/triggers/welcome.yaml:4: send: The trigger welcome names the template not-there, which is not in mappings/templates.`,
  );
  const names = Array.from({ length: 200 }, (_, at) => `a-long-name-${at}`).join(', ');
  write(`{ kind: [behaviour], properties: { name: [${names}] } }`, 'welcome');
  expect(() => readSeed(folder)).toThrow(
    /triggers\/welcome\.yaml:3: on: The pattern of welcome has \d+ characters/u,
  );
  rmSync(folder, { recursive: true });
});
