import { afterEach, expect, it } from 'vitest';
import { signingKeys } from '../../../core/consent/signed-link.ts';
import { receiptFault, SignedReceipt } from '../../../core/privacy/receipt.ts';
import { readSecret } from '../../../functions/aws/clients/secret.ts';
import { configKey } from '../../../functions/contracts/keys.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { eraseCustomer } from '../erasure/erase-customer.ts';

const offer = {
  ...{ id: 'offer', category: 'marketing', on: { kind: ['form'] } },
  ...{ send: { channels: ['email'], template: 'cart-left' }, limits: { quietHours: '23:58-23:59' } },
};
const PERSON = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Firefox/140.0';
const files = {
  'email.liquid':
    '---\nsubject: Offer\nfrom: hello@acme.example\n---\n<a href="https://acme.example/shop?a=1&amp;b=2">Shop</a> <a href="{{ links.unsubscribe }}">x</a> <a href="{{ links.preferences }}">y</a>',
};

let hub: TestHub;
afterEach(() => hub.stop());

const open = (method: string, target: string, agent = PERSON) =>
  hub.cloud.front({ method, target, headers: { 'user-agent': agent }, body: Buffer.alloc(0) });
const clicks = async () =>
  (await hub.scan()).filter(({ sk, kind }) => sk.startsWith('at#') && kind === 'click');
/** Sends the offer to Ada, with tracked links; the paths of the mail. */
const mail = async (): Promise<{ tracked: string; unsubscribe: string; html: string }> => {
  hub = await openTestHub({ triggers: [offer] });
  const version = { pk: 'trigger#offer', sk: 'v#1' };
  const [row = version] = await hub.table.get([version]);
  await hub.table.put({ ...row, templates: { 'cart-left': files } });
  const [config] = await hub.table.get([configKey('hub')]);
  await hub.table.put({ ...configKey('hub'), body: { ...Object(config?.['body']), links: { track: true } } });
  const identifiers = ['email:ada@example.com'];
  await hub.api('POST', '/commands', { command: 'import', identifiers, consent: { email: 'granted' } });
  await hub.settle();
  hub.sendInteraction({ key: 'F1', identifiers, kind: 'form', channel: 'form' });
  await hub.settle();
  const [{ html = '' } = {}] = hub.cloud.sentMessages.list();
  const pathTo = (page: string): string => new RegExp(`/${page}/[\\w.-]+`, 'u').exec(html)?.[0] ?? '';
  return { tracked: pathTo('r'), unsubscribe: pathTo('unsubscribe'), html };
};

it('a tracked link leads to its address and records the click of a person with its message', async () => {
  const { tracked, unsubscribe, html } = await mail();
  expect(html).not.toContain('href="https://acme.example/shop');
  expect(html).toMatch(/href="[^"]*\/unsubscribe\/[^"]*">x.*href="[^"]*\/preferences\//u);
  expect(unsubscribe).not.toBe('');
  for (const [method, agent] of [
    ['HEAD', PERSON],
    ['GET', 'Googlebot/2.1'],
    ['GET', PERSON],
  ] as const) {
    const { status, headers } = await open(method, tracked, agent);
    expect([status, headers['location']]).toEqual([302, 'https://acme.example/shop?a=1&b=2']);
  }
  await hub.settle();
  const sent = (await hub.scan()).find(({ kind, sk }) => kind === 'notification' && sk.startsWith('at#'));
  expect(sent?.['text']).toContain('https://acme.example/shop?a=1&b=2');
  expect(await clicks()).toMatchObject([
    {
      ...{ pk: sent?.['pk'], channel: 'email', refersTo: sent?.['externalId'], provider: sent?.['provider'] },
      properties: { trigger: 'offer', template: 'cart-left', url: 'https://acme.example/shop?a=1&b=2' },
    },
  ]);
  expect((await open('GET', `${tracked.slice(0, -2)}xx`)).status).toBe(404);
  expect(await hub.failures()).toEqual([]);
});

it('links from before a rotation of the signing key, and receipts, hold after it', async () => {
  const { tracked, unsubscribe } = await mail();
  const keysNow = async () =>
    JSON.parse(Buffer.from((await hub.front('GET', '/erasures/keys', undefined, '')).body).toString()).keys;
  hub.sendInteraction({ key: 'S1', identifiers: ['phone:+14155550100'] });
  await hub.settle();
  const signed = SignedReceipt.parse((await eraseCustomer(hub, 'phone:+14155550100')).receipt);
  const keys = signingKeys(await readSecret(hub.runtime)('acme/signing'));
  await hub.setSecret('signing', { keys: ['a-new-key-of-the-hub-0123456789', ...keys] });
  // Every function uses a new value within five minutes.
  await hub.wait(360_000);
  const after = await keysNow();
  expect(after).toHaveLength(keys.length + 1);
  expect(after).toContainEqual(signed.key);
  expect(receiptFault(signed)).toBeUndefined();
  expect((await open('GET', tracked)).status).toBe(302);
  expect((await open('GET', unsubscribe)).status).toBe(200);
  await hub.settle();
  expect(await clicks()).toHaveLength(1);
});
