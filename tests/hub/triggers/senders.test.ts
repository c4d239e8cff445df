import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SetEndpointAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { afterEach, expect, it } from 'vitest';
import * as z from 'zod';
import { hmac } from '../../../core/webhooks/signature.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { configKey } from '../../../functions/contracts/keys.ts';
import { openTestHub, PUBLIC_URL, type TestHub } from '../../support/open-test-hub.ts';

const thanks = {
  ...{ id: 'thanks', name: 'Thanks', category: 'transactional', on: { kind: ['order'] } },
  send: { channels: ['push', 'sms'], template: 'order-received' },
};
const phone = 'phone:+14155550100';

let hub: TestHub;
afterEach(() => hub.stop());

const Stored = z.looseObject({ body: z.looseObject({ senders: z.looseObject({}) }) });

/** A hub whose messages go through these senders, in place of those of scenarios. */
const open = async (senders: object, fetch?: typeof globalThis.fetch): Promise<void> => {
  hub = await openTestHub({ triggers: [thanks], ...(fetch && { fetch }) });
  const [row] = await hub.table.get([configKey('hub')]);
  const { body } = Stored.parse(row);
  await hub.table.put({
    ...row,
    ...configKey('hub'),
    body: { ...body, senders: { ...body.senders, ...senders } },
  });
};
const order = async (key: string, ...identifiers: string[]): Promise<void> => {
  hub.sendInteraction({
    ...{ key, kind: 'order', channel: 'web', identifiers, profile: { name: { full: 'Ada' } } },
    properties: { order: key, total: 60, currency: 'EUR' },
  });
  await hub.wait(60_000);
};

it('a push address whose endpoint is disabled is closed, and is not tried again', async () => {
  await open({ push: 'sns-push' });
  const sns = new SNSClient(clientConfig(hub.runtime));
  const { PlatformApplicationArn } = await sns.send(
    new CreatePlatformApplicationCommand({ Name: 'shop', Platform: 'GCM', Attributes: {} }),
  );
  const { EndpointArn } = await sns.send(
    new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: 'device-1' }),
  );
  await sns.send(new SetEndpointAttributesCommand({ EndpointArn, Attributes: { Enabled: 'false' } }));
  const push = `push:shop:${EndpointArn}`;
  await order('o1', push, phone);
  expect(hub.cloud.sentMessages.list().map(({ medium }) => medium)).toEqual(['sms']);
  const { body: customer } = await hub.api('GET', `/customers?identifier=${encodeURIComponent(phone)}`);
  expect(customer.closed).toMatchObject({ [push]: { reason: 'bounce' } });
  // It is enabled again, but whether it is the same person's is unknown.
  await sns.send(new SetEndpointAttributesCommand({ EndpointArn, Attributes: { Enabled: 'true' } }));
  await order('o2', push, phone);
  expect(hub.cloud.sentMessages.list().map(({ medium }) => medium)).toEqual(['sms', 'sms']);
  expect(await hub.rows('"address-closed"')).toHaveLength(1);
  expect(await hub.failures()).toEqual([]);
});

it("Twilio's report attaches to the message that the hub has sent", async () => {
  const forms: Record<string, string>[] = [];
  await open({ sms: 'twilio' }, async (input, init) => {
    forms.push(Object.fromEntries(new URLSearchParams(await new Request(input, init).text())));
    return Response.json({ sid: 'SM0123', status: 'queued' }, { status: 201 });
  });
  const secret = { accountSid: 'AC1', authToken: 'sample-twilio-auth-token', from: '+15005550006' };
  await new SecretsManagerClient(clientConfig(hub.runtime)).send(
    new CreateSecretCommand({ Name: `${hub.name}/senders/twilio`, SecretString: JSON.stringify(secret) }),
  );
  await order('o1', phone);
  expect(forms).toMatchObject([
    { To: '+14155550100', From: '+15005550006', StatusCallback: `${PUBLIC_URL}/webhooks/twilio` },
  ]);
  const report = {
    MessageSid: 'SM0123',
    MessageStatus: 'delivered',
    To: '+14155550100',
    From: '+15005550006',
  };
  const signed = Object.entries(report)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map((pair) => pair.join(''));
  const signature = hmac(
    'sha1',
    'sample-twilio-auth-token',
    'base64',
    forms[0]?.['StatusCallback'] ?? '',
    ...signed,
  );
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': signature,
  };
  expect(await hub.deliver('twilio', headers, String(new URLSearchParams(report)))).toBe(200);
  await hub.wait(60_000);
  const { body: customer } = await hub.api('GET', `/customers?identifier=${encodeURIComponent(phone)}`);
  const { body: timeline } = await hub.api('GET', `/customers/${customer.id}/timeline`);
  expect(timeline.items).toMatchObject([
    { kind: 'notification', externalId: 'SM0123', status: { name: 'delivered' } },
    { kind: 'order' },
  ]);
});
