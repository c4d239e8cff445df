import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusal, type Sender } from '../../../core/triggers/sending/sender.ts';
import { hmac } from '../../../core/webhooks/signature.ts';
import { listen } from '../../../infra/local/protocol/http.ts';
import { NOW, openTestHub, type TestHub, type TestHubOptions } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';
import { signingProviders, type Webhook } from '../../tools/crash/webhooks.ts';

// Each row of the failure table, through the front door, with both CRMs.

const HOUR = 3_600_000;
const from = '+14155550100';
const { secrets, sms, mail, forge } = signingProviders('https://acme.example');
let hub: TestHub;

const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
  for (const [provider, secret] of Object.entries(secrets))
    await hub.setSecret(`channels/${provider}`, secret);
};
beforeEach(() => open());
afterEach(async () => {
  vi.restoreAllMocks();
  await hub.stop();
});

const post = async ({ provider, headers, body }: Webhook, wait = 10_000): Promise<number> => {
  const { status } = await hub.cloud.front({
    method: 'POST',
    target: `/webhooks/${provider}`,
    headers,
    body: Buffer.from(body),
  });
  await hub.clock.runUntil(hub.clock.now() + wait);
  return status;
};
const message = (key: string, identifiers: readonly string[]) => ({
  type: 'interaction',
  receivedAt: new Date(NOW).toISOString(),
  interaction: {
    ...{ key, provider: 'test', kind: 'message', channel: 'email', direction: 'inbound', text: 'hi' },
    ...{ occurredAt: new Date(NOW).toISOString(), identifiers },
  },
});
const tasks = (): number => hub.crms.salesforce.records('Task').length;
const sent = (): (string | undefined)[] =>
  hub.cloud.sentMessages.list().map(({ medium, to }) => `${medium} ${to.join()}`);
/** How many rows there are, without what `receive` notes of the webhooks of each provider. */
const stored = async (): Promise<number> =>
  (await hub.scan()).filter(({ pk }) => !pk.startsWith('channel#')).length;
/** How often a function has told of this, which a metric filter counts. */
const told = (code: string): number =>
  vi.mocked(console.warn).mock.calls.filter(([line]) => String(line).includes(`"code":"${code}"`)).length;

it('bad or missing signature, stale time: 401, nothing stored of it, counted', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const built = synthesiseHub({ channels: { twilio: {}, sendgrid: {}, meta: {}, standard: {} } });
  await hub.stop();
  await open({ assembly: built });
  const key = Buffer.from('a secret of twenty-four b').toString('base64');
  await hub.connect('standard', { signingSecret: `whsec_${key}` });
  const signedAt = (at: number): Webhook => {
    const [id, timestamp, body] = ['m1', String(at / 1000), '{}'];
    const signature = hmac('sha256', Buffer.from(key, 'base64'), 'base64', `${id}.${timestamp}.`, body);
    const headers = {
      ...{ 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` },
    };
    return { provider: 'standard', headers, body };
  };
  const before = await stored();
  const good = sms({ id: 'SM1', from, text: 'hi' });
  const unsigned = { ...good, headers: { 'content-type': good.headers['content-type'] ?? '' } };
  expect(await post(forge(good))).toBe(401);
  expect(await post(unsigned)).toBe(401);
  expect(await post(forge(mail({ id: 'm1', from: 'ada@example.com', text: 'hi', at: NOW })))).toBe(401);
  expect(await post(signedAt(hub.clock.now() - HOUR))).toBe(401);
  expect(told('refused-delivery')).toBe(4);
  built.remove();
  expect(await stored()).toBe(before);
  expect(await post(signedAt(hub.clock.now()))).toBe(200);
  expect(await post(good)).toBe(200);
});

it('unknown provider: 404', async () => {
  const before = await stored();
  expect(await post({ provider: 'nobody', headers: {}, body: '{}' })).toBe(404);
  expect(await stored()).toBe(before);
});

describe('body over the limit: 413 before it is buffered', () => {
  it('at the front door', async () => {
    expect(await post({ ...sms({ id: 'SM1', from, text: 'hi' }), body: 'x'.repeat(4_500_001) })).toBe(413);
    expect(await hub.timeline()).toEqual([]);
  });

  it('on the socket: a body announced as too large is refused unread', async () => {
    let asked = 0;
    const listener = await listen(
      async () => {
        asked++;
        return { status: 200, headers: {}, body: '' };
      },
      { bodyLimit: 1000 },
    );
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(100_000));
        if (pulled === 500) controller.close();
      },
    });
    const init = { method: 'POST', body, duplex: 'half' };
    const status = await fetch(`http://127.0.0.1:${listener.port}`, init as RequestInit).then(
      (response) => response.status,
      () => 413,
    );
    await listener.stop();
    expect([status, asked]).toEqual([413, 0]);
    expect(pulled).toBeLessThan(500);
  });
});

it('authentic but unreadable: 200, stored, and a replay succeeds after it is edited', async () => {
  const body = '{ "object": "page", ';
  const signature = `sha256=${hmac('sha256', String(secrets['meta']?.['appSecret']), 'hex', body)}`;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
  expect(await post({ provider: 'meta', headers, body })).toBe(200);
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  expect(await hub.timeline()).toEqual([]);
  const [{ id, code }] = await hub.failures();
  expect(code).toBe('unreadable-delivery');
  const { payload } = (await hub.api('GET', `/failures/${id}`)).body;
  const messaging = {
    ...{ sender: { id: '5678' }, recipient: { id: '300' }, timestamp: NOW },
    message: { mid: 'm1', text: 'mended' },
  };
  const good = { object: 'page', entry: [{ id: '300', time: NOW, messaging: [messaging] }] };
  const request = { ...payload.request, body: Buffer.from(JSON.stringify(good)).toString('base64') };
  await hub.api('PUT', `/failures/${id}/payload`, { ...payload, request });
  await hub.api('POST', `/failures/${id}/replay`);
  await hub.settle();
  expect(await hub.timeline()).toHaveLength(1);
});

it('duplicate delivery: 200, one row, effects once', async () => {
  const delivery = sms({ id: 'SM1', from, text: 'hi' });
  for (let copy = 0; copy < 4; copy++) expect(await post(delivery)).toBe(200);
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  expect(await hub.timeline()).toHaveLength(1);
  expect(sent()).toEqual([`sms ${from}`]);
  // The message, and the welcome that answered it.
  expect(tasks()).toBe(2);
});

describe('CRM down: the queue holds, the breaker probes, and the queue drains at the budget', () => {
  it('calls seldom while it is down, and synchronises everything when it is back', async () => {
    const recover = hub.crms.hubspot.fault({ kind: 'down' });
    for (let serial = 0; serial < 60; serial++)
      await post(sms({ id: `SM${serial}`, from, text: `number ${serial}` }), 60_000);
    expect(hub.crms.hubspot.records('communications')).toEqual([]);
    // An hour of a message a minute: three calls shut the breaker, then it probes less and less often.
    expect(hub.crms.hubspot.requests()).toBeGreaterThan(3);
    expect(hub.crms.hubspot.requests()).toBeLessThan(14);
    recover();
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    expect(hub.crms.hubspot.records('communications')).toHaveLength(61);
    expect(await hub.failures()).toEqual([]);
  });

  it('pauses a CRM for the time of its Retry-After', async () => {
    const recover = hub.crms.hubspot.fault({ kind: 'migration' });
    await post(sms({ id: 'SM0', from, text: 'first' }), 30_000);
    const calls = hub.crms.hubspot.requests();
    expect(calls).toBe(1);
    for (let serial = 1; serial < 9; serial++)
      await post(sms({ id: `SM${serial}`, from, text: `number ${serial}` }), 60_000);
    expect(hub.crms.hubspot.requests()).toBe(calls);
    recover();
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    expect(hub.crms.hubspot.records('communications')).toHaveLength(10);
  });
});

it('one bad record: its own failure entry, and the rest of the batch is processed', async () => {
  for (const [serial, address] of ['ada@example.com', 'nobody@acme.invalid', 'bob@example.com'].entries())
    hub.send(/^DeliveriesQueue/, message(`k${serial}`, [`email:${address}`]));
  await hub.clock.runUntil(NOW + HOUR);
  const inCrm = hub.crms.hubspot.records('contacts').map(({ fields }) => fields['email']);
  expect(inCrm.toSorted()).toEqual(['ada@example.com', 'bob@example.com']);
  const failures = await hub.failures('?stage=sync-hubspot');
  expect(failures.length).toBeGreaterThan(0);
  for (const { code, reason } of failures) {
    // HubSpot's own code of the value, which says more than that of the answer.
    expect(code).toBe('hubspot-invalid-email');
    expect(reason).toContain('then replay');
  }
});

describe('sender refuses: the next channel, or a failure entry, never silent', () => {
  const refusing: Sender = {
    ...{ id: 'refusing', provider: 'refusing' },
    send: () => Promise.reject(refusal('The account is in its sandbox.')),
  };
  const write = async (senders: Record<string, Sender>): Promise<void> => {
    await hub.stop();
    await open({ senders });
    hub.send(/^DeliveriesQueue/, message('k', ['email:ada@example.com', `phone:${from}`]));
    await hub.clock.runUntil(NOW + HOUR);
  };

  it('the next channel', async () => {
    await write({ ses: refusing });
    expect(sent()).toEqual([`sms ${from}`]);
    expect(await hub.failures()).toEqual([]);
  });

  it('a failure entry', async () => {
    await write({ ses: refusing, 'aws-sms': refusing });
    expect(sent()).toEqual([]);
    expect(await hub.failures()).toMatchObject([{ stage: 'notify', code: 'sender-refusal' }]);
  });
});

it('poison message: the dead-letter queue with the reason after bounded tries', async () => {
  hub.send(/^DeliveriesQueue/, 'no JSON');
  hub.send(/^DeliveriesQueue/, { type: 'delivery', id: 'x' });
  await hub.giveUp();
  expect(await hub.failures()).toMatchObject([
    { stage: 'record', origin: 'dead-letter', tries: 5 },
    { stage: 'record', origin: 'dead-letter', tries: 5 },
  ]);
  for (const { reason } of await hub.failures()) expect(reason.length).toBeGreaterThan(20);
});
