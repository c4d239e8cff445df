import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const STORED = 'https://sw.api.mailgun.net/v3/domains/mg.acme.example/messages/abc';
const MINUTE = 60_000;

let hub: TestHub;
let answer: () => Response;
let asked: number[];
let published: string[];
/** The bus takes nothing of `record`. */
let isBusDown: boolean;

beforeEach(async () => {
  asked = [];
  published = [];
  isBusDown = false;
  answer = () => new Response('down', { status: 503 });
  hub = await openTestHub({
    async fetch(input) {
      if (String(input) !== STORED) return new Response('', { status: 404 });
      asked.push((hub.clock.now() - NOW) / 1000);
      return answer();
    },
    before(_service, operation, caller) {
      if (isBusDown && operation === 'PutEvents' && /Record/.test(caller)) throw new Error('connection lost');
    },
    async around(invoke, target, event) {
      if (/Sync/.test(target.name)) published.push(...idsIn(event));
      return invoke(target, event);
    },
  });
  const secrets = new SecretsManagerClient(clientConfig(hub.runtime));
  const secret = { Name: 'acme/channels/mailgun', SecretString: '{"signingKey":"k","apiKey":"key"}' };
  await secrets.send(new CreateSecretCommand(secret));
});
afterEach(() => hub.stop());

const idsIn = (event: unknown): string[] =>
  [...JSON.stringify(event).matchAll(/\\"interaction\\":\\"([^"\\]+)/gu)].map(([, id]) => id ?? '');

/** A mail of which the webhook tells only where Mailgun keeps it. */
const mail = (identifiers: readonly string[]) => ({
  type: 'content',
  receivedAt: new Date(NOW).toISOString(),
  interaction: {
    ...{ key: 'q1', provider: 'mailgun', kind: 'message', channel: 'email', direction: 'inbound' },
    ...{
      identifiers,
      occurredAt: '2026-03-02T08:59:00.000Z',
      properties: { spam: 'No' },
      fetch: { url: STORED },
    },
  },
});
const whole = () =>
  Response.json({
    from: 'Ada <ada@example.com>',
    Date: 'Mon, 02 Mar 2026 08:00:00 +0000',
    subject: 'The parcel',
    'stripped-text': 'Where is it?',
    'In-Reply-To': '<out-1@acme.example>',
  });
const deliver = async (identifiers: readonly string[]): Promise<void> => {
  hub.send(/^DeliveriesQueue/, mail(identifiers));
  await hub.clock.runUntil(NOW + 10 * MINUTE);
};
const eraseAda = async (): Promise<void> => {
  await hub.api('POST', '/erasures', { customer: 'email:ada@example.com' });
  await hub.settle();
};
const replay = async (): Promise<void> => {
  const [{ id }] = await hub.failures();
  await hub.api('POST', `/failures/${id}/replay`);
  await hub.settle();
};

describe('content that cannot be fetched', () => {
  it('is fetched again after 5, 30 and 120 seconds, and then the interaction is stored without it', async () => {
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    await hub.clock.runUntil(NOW + 154_000);
    expect([asked, await hub.timeline()]).toEqual([[0, 5, 35], []]);
    await hub.clock.runUntil(NOW + 155_000);
    expect(asked).toEqual([0, 5, 35, 155]);
    expect(await hub.timeline()).toMatchObject([{ incomplete: { BOOL: true } }]);
    expect(await hub.failures()).toMatchObject([
      { code: 'unreachable-content', tries: 4, origin: 'refused' },
    ]);
  });

  it('is recorded as soon as a retry succeeds', async () => {
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    await hub.clock.runUntil(NOW + 10_000);
    answer = whole;
    await hub.clock.runUntil(NOW + 35_000);
    expect(await hub.timeline()).toMatchObject([{ text: { S: 'Where is it?' } }]);
    expect((await hub.timeline())[0]).not.toHaveProperty('incomplete');
    expect(await hub.failures()).toEqual([]);
  });
});

describe('a replay of missing content', () => {
  it('completes the stored row, and synchronises the CRMs again', async () => {
    await deliver(['email:ada@example.com']);
    const [before] = await hub.timeline();
    const told = published.length;
    answer = whole;
    await replay();
    await hub.clock.runUntil(hub.clock.now() + MINUTE);
    const [after, ...others] = await hub.timeline();
    expect(others).toEqual([]);
    const { incomplete: _, ...kept } = before ?? {};
    expect(after).toEqual({
      ...kept,
      text: { S: 'Where is it?' },
      subject: { S: 'The parcel' },
      refersTo: { S: 'out-1@acme.example' },
    });
    expect(new Set(published.slice(told))).toEqual(new Set([Object(before?.['id']).S]));
    expect(published.length).toBeGreaterThan(told);
    expect(await hub.failures()).toEqual([]);
  });

  it('synchronises the CRMs also where the process ends between the row and the bus', async () => {
    await deliver(['email:ada@example.com']);
    const told = published.length;
    answer = whole;
    isBusDown = true;
    await replay();
    expect([(await hub.timeline())[0]?.['text'], published.length]).toEqual([{ S: 'Where is it?' }, told]);
    isBusDown = false;
    await hub.clock.runUntil(hub.clock.now() + 10 * MINUTE);
    expect(published.length).toBeGreaterThan(told);
  });

  it('retries as often as the first time, and is the same failure if it fails again', async () => {
    await deliver(['email:ada@example.com']);
    asked.length = 0;
    await replay();
    await hub.clock.runUntil(hub.clock.now() + 10 * MINUTE);
    expect(asked).toHaveLength(4);
    expect(await hub.failures()).toMatchObject([{ count: 2, status: 'open' }]);
    expect(await hub.timeline()).toMatchObject([{ incomplete: { BOOL: true } }]);
  });

  it('changes nothing the second time, and never a row that was erased', async () => {
    await deliver(['email:ada@example.com']);
    answer = whole;
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    await hub.settle();
    const after = await hub.timeline();
    answer = () => Response.json({ 'stripped-text': 'Something else' });
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    await hub.settle();
    expect(await hub.timeline()).toEqual(after);
    await eraseAda();
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    await hub.settle();
    expect(await hub.timeline()).toEqual([]);
  });

  it('fetches neither content nor files of an erased customer', async () => {
    answer = whole;
    await deliver(['email:ada@example.com']);
    const [row] = await hub.timeline();
    await eraseAda();
    asked.length = 0;
    hub.send(/^DeliveriesQueue/, mail(['email:ada@example.com']));
    const key = `attachments/${Object(row?.['id']).S}/0`;
    hub.send(/^DeliveriesQueue/, { type: 'file', provider: 'mailgun', url: STORED, key });
    await hub.settle();
    expect([asked, await hub.timeline(), await hub.failures()]).toEqual([[], [], []]);
  });

  it('assigns an interaction under review to the customer that the content identifies', async () => {
    await deliver([]);
    expect((await hub.api('GET', '/reviews')).body.items).toHaveLength(1);
    expect(await hub.timeline()).toEqual([]);
    answer = whole;
    await replay();
    expect((await hub.api('GET', '/reviews')).body.items).toEqual([]);
    expect(await hub.timeline()).toMatchObject([
      { identifiers: { L: [{ S: 'email:ada@example.com' }] }, text: { S: 'Where is it?' } },
    ]);
    expect((await hub.api('GET', '/customers?identifier=email:ada@example.com')).status).toBe(200);
  });

  it('completes an interaction under review that still names no customer', async () => {
    await deliver([]);
    answer = () => Response.json({ 'stripped-text': 'No name' });
    await replay();
    const { items } = (await hub.api('GET', '/reviews')).body;
    expect(items).toMatchObject([{ interaction: { text: 'No name' } }]);
    expect(items[0].interaction).not.toHaveProperty('incomplete');
  });

  it('completes an interaction that a person has assigned in the meantime', async () => {
    await deliver([]);
    hub.send(/^DeliveriesQueue/, {
      type: 'interaction',
      receivedAt: new Date(NOW).toISOString(),
      interaction: {
        ...{ key: 'b', provider: 'test', kind: 'message', channel: 'email', direction: 'inbound' },
        identifiers: ['email:bob@example.com'],
      },
    });
    await hub.settle();
    const [{ id }] = (await hub.api('GET', '/reviews')).body.items;
    hub.send(/^DeliveriesQueue/, {
      ...{ type: 'command', command: 'resolve', id: 'c', at: new Date(NOW).toISOString(), by: 'eve' },
      ...{ review: id, decision: 'assign', customer: 'email:bob@example.com' },
    });
    await hub.settle();
    answer = whole;
    await replay();
    const found = (await hub.timeline()).filter((row) => JSON.stringify(row).includes('mailgun'));
    expect(found).toMatchObject([{ text: { S: 'Where is it?' }, identifiers: { L: [] } }]);
    expect((await hub.api('GET', '/customers?identifier=email:ada@example.com')).status).toBe(404);
  });
});
