import { afterEach, expect, it } from 'vitest';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const files = {
  'email.liquid':
    '---\nsubject: "For {{ customer.name.first }}"\n---\n<p>Order {{ interaction.properties.order }}</p>',
  'email.it.liquid':
    '---\nsubject: "Per {{ customer.name.first }}"\n---\n<p>Ordine {{ interaction.properties.order }}</p>',
  'sms.liquid': 'Order {{ interaction.properties.order }} €',
};
const thanks = {
  ...{ id: 'thanks', category: 'service', on: { kind: ['order'] } },
  send: { channels: ['email'], template: 'welcome' },
};
const asked = { template: 'thanks', files, trigger: thanks, customer: 'email:ada@example.com' };

let hub: TestHub;
afterEach(() => hub.stop());

const post = (what: 'preview' | 'test', body: object) => hub.api('POST', `/templates/${what}`, body);
const orderOfAda = async (): Promise<void> => {
  const identifiers = ['email:ada@example.com', 'phone:+14155550100'];
  const profile = { name: { first: 'Ada' }, language: 'it-CH' };
  const order = {
    identifiers,
    profile,
    provider: 'standard',
    kind: 'order',
    channel: 'web',
    direction: 'inbound',
  } as const;
  hub.sendInteraction({ ...order, key: 'O1', properties: { order: '77' } });
  hub.sendInteraction({ key: 'M1', identifiers, kind: 'message', channel: 'sms', text: 'STOP' });
  await hub.settle();
};

it('previews a draft for a customer, after the interaction that sets the trigger off, and tests it without a trace', async () => {
  hub = await openTestHub({ triggers: [] });
  await orderOfAda();
  const rows = async (): Promise<string> =>
    // The text of the test itself, which expires within a day.
    JSON.stringify((await hub.scan()).filter(({ sk }) => !sk.startsWith('test#')));
  const before = await rows();
  const { status, body } = await post('preview', asked);
  expect(status).toBe(200);
  expect(body.items).toMatchObject([
    { file: 'email.it.liquid', subject: 'Per Ada', text: 'Ordine 77' },
    { file: 'sms.liquid', text: 'Order 77 €', sms: { encoding: 'GSM-7', units: 11, parts: 1 } },
  ]);
  expect((await post('preview', { ...asked, language: 'en', medium: 'email' })).body.items).toMatchObject([
    { file: 'email.liquid', subject: 'For Ada' },
  ]);
  const test = await post('test', { ...asked, to: 'you@acme.example', channel: 'email' });
  expect(test).toMatchObject({ status: 202, body: { to: 'you@acme.example', file: 'email.it.liquid' } });
  await hub.settle();
  expect(hub.cloud.sentMessages.list()).toMatchObject([
    { to: ['you@acme.example'], subject: '[Test] Per Ada', text: expect.stringContaining('Ordine 77') },
  ]);
  expect(await hub.failures()).toEqual([]);
  expect(await rows()).toBe(before);
});

it('refuses a draft with faults, a customer and a trigger that are not there, and an address that its owner has closed', async () => {
  hub = await openTestHub({ triggers: [thanks] });
  await orderOfAda();
  const refused = async (what: 'preview' | 'test', body: object) => {
    const answer = await post(what, body);
    return [answer.status, answer.body.type ?? answer.body.code, answer.body.detail];
  };
  const wrong = { ...asked, files: { 'sms.liquid': '{{ customer.nam.first }}' } };
  expect(JSON.stringify(await refused('preview', wrong))).toMatch(
    /400.*invalid-template.*sms\.liquid:1: there is no variable customer\.nam\.first; did you mean customer\.name\.first/u,
  );
  expect(JSON.stringify(await refused('preview', { ...asked, customer: 'email:eve@example.com' }))).toMatch(
    /404.*unknown-customer/u,
  );
  expect(JSON.stringify(await refused('preview', { ...asked, trigger: 'gone' }))).toMatch(
    /404.*unknown-trigger/u,
  );
  expect(JSON.stringify(await refused('preview', { template: 'welcome' }))).toMatch(/400.*invalid-preview/u);
  expect(JSON.stringify(await refused('test', { ...asked, to: '+14155550100', channel: 'sms' }))).toMatch(
    /409.*closed-address/u,
  );
  const published = await post('preview', {
    template: 'welcome',
    trigger: 'thanks',
    customer: asked.customer,
  });
  expect(published.body.items).toMatchObject([
    { file: 'email.it.liquid', subject: 'Benvenuti, Ada' },
    { file: 'sms.it.liquid' },
    { file: 'push.it.liquid' },
  ]);
});
