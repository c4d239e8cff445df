import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { HubConfig, usedSenders } from '../../core/config/hub-config.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { waitUntilIdle } from '../../infra/scenario/hub/idle.ts';
import { type Hub, readApiKey } from '../../infra/scenario/hub/open-hub.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { sendCommand } from '../client/commands.ts';
import { knownCustomer, newsletterReader, type Samples } from './samples.ts';

/**
 * Stores the secrets of the samples, imports the known customers, sends every sample to its webhook and waits until the hub
 * has processed them. Prints a line for each and returns the statuses that were answered.
 */
export const replaySamples = async (
  hub: Hub,
  { deliveries, secrets }: Samples,
): Promise<readonly number[]> => {
  const hubConfig = HubConfig.parse(readSeed().hub);
  const { channels } = hubConfig;
  const isOn = (provider: string): boolean => Object.hasOwn(channels, provider);
  await storeSecrets(
    hub,
    Object.entries(secrets).filter(([provider]) => isOn(provider)),
  );
  const device = usedSenders(hubConfig).has('sns-push') ? await registerDevice(hub) : undefined;
  const api = { url: hub.apiUrl, key: await readApiKey(hub) };
  await sendCommand(api, {
    command: 'import',
    identifiers: [`phone:${knownCustomer.phone}`, ...(device === undefined ? [] : [`push:acme:${device}`])],
    profile: { name: { full: 'Chiara Rossi' } },
  });
  await sendCommand(api, { command: 'import', identifiers: [`email:${newsletterReader.email}`] });
  await waitUntilIdle(hub);
  const statuses: number[] = [];
  for (const { about, provider, headers, body, status } of deliveries) {
    const response = await fetch(`${hub.apiUrl}/webhooks/${provider}`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    statuses.push(response.status);
    const wanted = isOn(provider) ? status : 404;
    const unexpected =
      response.status === wanted ? '' : `: expected the status ${wanted}, found ${response.status}`;
    const refused = { 401: ' (refused)', 404: ' (hub.yaml switches the channel off)' }[response.status] ?? '';
    const count = `${String(statuses.length).padStart(2)}/${deliveries.length}`;
    console.log(`  ${count}  ${provider.padEnd(8)} ${about}${unexpected}${refused}`);
  }
  console.log('  waiting until every queue is empty …');
  await waitUntilIdle(hub);
  return statuses;
};

const storeSecrets = async (
  { runtime, name }: Hub,
  secrets: readonly (readonly [provider: string, secret: Samples['secrets'][string]])[],
): Promise<void> => {
  const client = new SecretsManagerClient(clientConfig(runtime));
  for (const [provider, secret] of secrets)
    await client.send(
      new PutSecretValueCommand({
        SecretId: `${name}/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
};

/** Registers the device of the known customer for push messages. Returns the ARN of its endpoint. */
const registerDevice = async ({ runtime }: Hub): Promise<string | undefined> => {
  const sns = new SNSClient(clientConfig(runtime));
  const { PlatformApplicationArn } = await sns.send(
    new CreatePlatformApplicationCommand({
      Name: 'acme',
      Platform: 'GCM',
      Attributes: { PlatformCredential: 'local' },
    }),
  );
  const { EndpointArn } = await sns.send(
    new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: knownCustomer.device }),
  );
  return EndpointArn;
};
