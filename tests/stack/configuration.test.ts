import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import { clientConfig } from '../../functions/aws/clients/config.ts';
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
