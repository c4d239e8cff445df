import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import * as z from 'zod';
import { knownCustomer, samples } from '../../../../cli/local/samples.ts';
import { signLink } from '../../../../core/consent/signed-link.ts';
import { hmac } from '../../../../core/webhooks/signature.ts';
import { clientConfig } from '../../../../functions/aws/clients/config.ts';
import { readSecret } from '../../../../functions/aws/clients/secret.ts';

import { assertThat, type Call, type Day, HOUR_MS, Items, Keys, publicUrl, START } from './hub.ts';

/** Registers the device of a customer, whose orders are confirmed by push. */
export const registerDevice = async ({ cloud, clock, runtime }: Day): Promise<void> => {
  const sns = new SNSClient(clientConfig(runtime));
  const { PlatformApplicationArn } = await sns.send(
    new CreatePlatformApplicationCommand({
      Name: 'acme',
      Platform: 'GCM',
      Attributes: { PlatformCredential: 'sample' },
    }),
  );
  const { EndpointArn } = await sns.send(
    new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: knownCustomer.device }),
  );
  const deliveries = [...cloud.created.values()].find(({ attributes }) =>
    attributes?.['QueueName']?.endsWith('DeliveriesQueue'),
  );
  const message = {
    ...{ type: 'command', command: 'import', id: 'chiara', at: new Date(START).toISOString(), by: 'day' },
    identifiers: [`phone:${knownCustomer.phone}`, `push:acme:${EndpointArn}`],
  };
  cloud.send(deliveries?.attributes?.['Arn'] ?? '', JSON.stringify(message));
  await clock.runUntil(START);
};

/** Sends the sample webhooks, then two bodies too large for a queue message, the second unreadable. */
export const receiveWebhooks = async ({ cloud, clock, runtime, hub }: Day): Promise<void> => {
  const set = samples(START, publicUrl);
  const secrets = new SecretsManagerClient(clientConfig(runtime));
  for (const [provider, secret] of Object.entries(set.secrets))
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: `${hub}/channels/${provider}`,
        SecretString: JSON.stringify(secret),
      }),
    );
  const post = async (provider: string, headers: Readonly<Record<string, string>>, body: string) => {
    const request = { method: 'POST', target: `/webhooks/${provider}`, headers, body: Buffer.from(body) };
    const { status } = await cloud.front(request);
    await clock.runUntil(clock.now());
    return status;
  };
  for (const { about, provider, headers, body, status } of set.deliveries)
    assertThat((await post(provider, headers, body)) === status, `the delivery was refused: ${about}`);
  const large = 'Ω'.repeat(600_000);
  const message = { mid: 'm_large', text: large };
  const messaging = [{ sender: { id: '1' }, recipient: { id: '300' }, timestamp: START, message }];
  for (const entry of [[{ id: '300', time: START, messaging }], large]) {
    const body = JSON.stringify({ object: 'page', entry });
    const signed = `sha256=${hmac('sha256', set.secrets['meta']?.['appSecret'] ?? '', 'hex', body)}`;
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signed };
    assertThat((await post('meta', headers, body)) === 200, 'a large delivery was refused');
  }
};

/** Reads what the API shows, and follows the links of notifications. */
export const useApi = async ({ runtime, hub }: Day, call: Call): Promise<void> => {
  const phone = 'phone:+14155550100';
  const idOf = async (identifier: string): Promise<string> => {
    const found = await call('GET', `/customers?identifier=${encodeURIComponent(identifier)}`);
    return z.looseObject({ id: z.string() }).parse(found).id;
  };
  const id = await idOf(phone);
  await call('GET', `/customers/${id}`);
  await call('GET', `/customers/${id}/timeline`);
  await call('GET', '/reviews');
  for (const list of ['recent', 'waiting', 'name=ada']) await call('GET', `/customers?${list}`);
  for (const list of ['/figures', '/channels']) await call('GET', list);
  await call('POST', '/commands', {
    command: 'consent',
    customer: phone,
    channel: 'email',
    status: 'granted',
  });
  const large = await idOf('messenger:300:1');
  const { items } = Items.parse(await call('GET', `/customers/${large}/timeline`));
  const text = items.find((one) => Array.isArray(one['attachments']));
  await call('GET', `/customers/${large}/interactions/${text?.id}/attachments/0`);
  const keys = Keys.parse(await readSecret(runtime)(`${hub}/signing`));
  for (const purpose of ['unsubscribe', 'preferences', 'confirm'] as const) {
    const link = { address: phone, channel: 'sms', issuedAt: START / 1000 } as const;
    const target = `/${purpose}/${signLink(purpose, link, [keys.keys])}`;
    await call('GET', target);
    await call('POST', target);
  }
  await call('GET', `/customers/${id}/consent`);
  await call('GET', `/customers/${id}/notifications`);
  await publishByHand(call);
};

/** Publishes a trigger from a draft, changes, pauses and resumes it, tries it on a customer, and removes it again. */
const publishByHand = async (call: Call): Promise<void> => {
  const text = (wait: string): string =>
    JSON.stringify({
      ...{ id: 'day', category: 'service', on: { kind: ['order'] }, wait },
      send: { channels: ['sms'], template: 'day' },
    });
  const templates = { day: { 'sms.liquid': 'Hello' } };
  await call('PUT', '/triggers/day', { text: text('1h'), templates, as: 'draft' });
  await call('POST', '/triggers/day/publish');
  await call('PUT', '/triggers/day', { text: text('2h'), templates });
  for (const act of ['pause', 'resume', 'roll-back']) await call('POST', `/triggers/day/${act}`);
  const customer = 'phone:+14155550100';
  await call('POST', '/triggers/test', { customer, trigger: 'day', interaction: { kind: 'order' } });
  await call('GET', '/triggers/day/report');
  await call('DELETE', '/triggers/day');
};

const Job = z.looseObject({
  id: z.string(),
  upload: z.object({ url: z.string() }).optional(),
});

/** Imports a file with one good row and one bad row. */
export const importCustomers = async ({ clock, runtime }: Day, call: Call): Promise<void> => {
  const parameters = { format: 'csv', toCrms: true };
  const { id, upload } = Job.parse(await call('POST', '/jobs', { kind: 'import-customers', parameters }));
  const body = 'email,language\nada@example.com,it\nunknown,it\n';
  const sent = await runtime.aws?.fetch(new Request(upload?.url ?? '', { method: 'PUT', body }));
  assertThat(sent?.ok === true, 'a file cannot be uploaded');
  await call('POST', `/jobs/${id}/start`);
  await clock.runUntil(clock.now() + HOUR_MS);
  const { url } = z.object({ url: z.string() }).parse(await call('GET', `/jobs/${id}/refused/0`));
  const file = await runtime.aws?.fetch(new Request(url));
  assertThat(file?.ok === true, 'the refused rows cannot be read');
  await call('GET', `/customers?identifier=${encodeURIComponent('email:ada@example.com')}`);
};
