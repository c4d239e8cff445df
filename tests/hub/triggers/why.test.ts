import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { run as customerCommand } from '../../../cli/customers/customer.ts';
import { run as triggerCommand } from '../../../cli/triggers/trigger.ts';
import { run as whyCommand } from '../../../cli/triggers/why.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

// Why somebody got a message, or did not: asked on the command line, of a hub that has decided.

const MINUTE = 60_000;
const send = { channels: ['sms'], template: 't' };
const form = { kind: ['form'] };
const triggers = [
  { id: 'news', name: 'News', category: 'marketing', on: form, send },
  { id: 'receipt', category: 'transactional', on: form, send },
  { id: 'vip', category: 'service', on: form, where: [{ customer: { tags: ['vip'] } }], send },
  { id: 'later', category: 'transactional', on: form, wait: '2h', unless: { kind: ['order'] }, send },
];

let hub: TestHub;
let printed: string[];
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'why-'));
  hub = await openTestHub({ triggers, connectCrms: false });
  hub.sendInteraction({ key: 'F1', kind: 'form', channel: 'form' });
  await hub.wait(5 * MINUTE);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await hub.stop();
});
beforeEach(() => {
  printed = terminal(hub.api);
});
afterEach(closeTerminal);

const ADA = 'phone:+14155550100';
const idOf = async (trigger: string): Promise<string> => {
  const { id } = (await hub.api('GET', `/customers?identifier=${encodeURIComponent(ADA)}`)).body;
  const { items } = (await hub.api('GET', `/customers/${id}/notifications`)).body;
  return items.find((one: { trigger: string }) => one.trigger === trigger).id;
};

it('lists the last decisions about a customer', async () => {
  expect(await whyCommand([ADA])).toBe(0);
  const text = printed.join('\n');
  expect(text).toMatch(/news v1 {2}Not sent: the consent does not allow it \(no-consent, sms\)\./u);
  expect(text).toMatch(/receipt v1 {2}Sent by sms at 2026-03-02 09:/u);
  expect(text).toMatch(/later v1 {2}Waits until 2026-03-02 11:/u);
});

it('explains one, with the consent and the nearest change', async () => {
  await whyCommand([await idOf('news')]);
  expect(printed).toEqual([
    expect.stringMatching(
      /^Version 1 of news \(News\), marketing, was set off by the form on form \(standard\)/u,
    ),
    expect.stringMatching(/^Decided at 2026-03-02 09:/u),
    'The channel sms was passed over: the consent does not allow it (no-consent); consent was unknown.',
    'Nobody had answered about consent for sms.',
    'Not sent: the consent does not allow it (no-consent, sms).',
    'Nearest change:',
    '  With consent for sms (granted; it was unknown) it would have been sent by sms.',
  ]);
});

it('explains by what was then, whatever has changed since', async () => {
  await hub.api('POST', '/commands', {
    command: 'consent',
    customer: ADA,
    channel: 'sms',
    status: 'granted',
  });
  await hub.wait(MINUTE);
  await whyCommand([await idOf('news')]);
  expect(printed.at(-1)).toBe(
    '  With consent for sms (granted; it was unknown) it would have been sent by sms.',
  );
});

it('what was not sent, or not yet, stands on the timeline', async () => {
  await customerCommand(['timeline', ADA]);
  const at = (text: RegExp) => printed.findIndex((line) => text.test(line));
  expect(
    at(/← sms +notification news: Not sent: the consent does not allow it \(no-consent, sms\)\.$/u),
  ).toBeGreaterThan(0);
  expect(at(/notification later: Waits until/u)).toBeGreaterThan(0);
  expect(printed.filter((line) => line.includes('Stub'))).toHaveLength(1);
  const { id } = (await hub.api('GET', `/customers?identifier=${encodeURIComponent(ADA)}`)).body;
  const whole = (await hub.api('GET', `/customers/${id}/timeline?order=oldest`)).body.items;
  for (const order of ['oldest', 'newest']) {
    const paged: { id: string }[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await hub.api('GET', `/customers/${id}/timeline?order=${order}&limit=1${cursor}`);
      paged.push(...body.items);
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    const ids = whole.map((one: { id: string }) => one.id);
    expect(paged.map((one) => one.id)).toEqual(order === 'oldest' ? ids : ids.toReversed());
  }
  const { body } = await hub.api('GET', `/customers/${id}/timeline?kind=form`);
  expect(body.items.map((one: { kind: string }) => one.kind)).toEqual(['form']);
  const found = (await hub.api('GET', `/customers/${id}/timeline?kind=notification`)).body.items;
  expect(
    found.filter((one: { unsent?: { reason?: string } }) => one.unsent?.reason === 'condition'),
  ).toHaveLength(1);
  expect(whole.filter((one: { unsent?: { reason?: string } }) => one.unsent?.reason === 'condition')).toEqual(
    [],
  );
});

it('tries a trigger on a customer without an effect', async () => {
  const before = (await hub.scan()).length;
  expect(await triggerCommand(['test', 'later', '--customer', ADA])).toBe(0);
  expect(printed.join('\n')).toMatch(
    /Tried on the form on form .*\nAt 2026-03-02T09:\S+:\n {2}It waited until .*\n {2}It would wait until .*\nAt 2026-03-02T11:\S+:\n(?:.*\n)+ {2}It would be sent by sms\.\n {2}\| Stub/u,
  );
  printed.length = 0;
  await triggerCommand([
    'test',
    'news',
    '--customer',
    ADA,
    '--interaction',
    '{ kind: order, properties: { total: 9 } }',
  ]);
  expect(printed.join('\n')).toMatch(/does not set the trigger off/u);
  await hub.wait(MINUTE);
  expect((await hub.scan()).length).toBe(before);
  await expect(triggerCommand(['test', 'news', '--customer', 'email:nobody@example.com'])).rejects.toThrow(
    /No customer owns/u,
  );
});

it("sends a test message to an address of one's own, and only there", async () => {
  const before = hub.cloud.sentMessages.list().length;
  await triggerCommand(['test', 'news', '--customer', ADA, '--send-to', 'email:me@acme.example']);
  expect(printed.at(-1)).toBe('A test message is on its way to email:me@acme.example.');
  await hub.wait(MINUTE);
  const sent = hub.cloud.sentMessages.list();
  expect(sent).toHaveLength(before + 1);
  expect(JSON.stringify(sent.at(-1)) + JSON.stringify(sent[0])).toMatch(/\[Test\] Stub/u);
  await expect(triggerCommand(['test', 'news', '--customer', ADA, '--send-to', 'me'])).rejects.toThrow(
    /such as email:/u,
  );
});

it('gives a signed sheet with the text that was sent, and finds a change in it', async () => {
  const file = join(folder, 'sheet.json');
  expect(await whyCommand([await idOf('receipt'), '--evidence', '--out', file])).toBe(0);
  const sheet = JSON.parse(readFileSync(file, 'utf8'));
  expect(sheet.evidence.body).toEqual({ from: 'kept', text: 'Stub' });
  expect(sheet.evidence.interaction.kind).toBe('form');
  expect(sheet.evidence.trigger.id).toBe('receipt');
  expect(await whyCommand(['--verify', file])).toBe(0);
  sheet.evidence.body.text = 'Something else';
  writeFileSync(file, JSON.stringify(sheet));
  expect(await whyCommand(['--verify', file])).toBe(1);
  expect(printed.at(-1)).toMatch(/not what was signed/u);
});

it('refuses an id that nothing was decided under', async () => {
  await expect(whyCommand(['news.nobody'])).rejects.toThrow(/no decision with this id/u);
});
