import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signingKeys, signLink } from '../../../core/consent/signed-link.ts';
import { readSecret } from '../../../functions/aws/clients/secret.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const email = 'email:ada.lovelace@example.com';
const phone = 'phone:+14155550100';
let hub: TestHub;
let keys: readonly string[];

beforeEach(async () => {
  hub = await openTestHub();
  keys = signingKeys(await readSecret(hub.runtime)('acme/signing'));
  await command({
    ...{ command: 'import', identifiers: [email, phone] },
    consent: { email: 'granted', sms: 'service-only' },
  });
});
afterEach(() => hub.stop());

const command = async (body: object): Promise<void> => {
  expect((await hub.api('POST', '/commands', body)).status).toBe(202);
  await hub.settle();
};
const idOf = async (identifier: string): Promise<string> =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body.id;
const consentOf = async (identifier = email) =>
  (await hub.api('GET', `/customers/${await idOf(identifier)}/consent`)).body;
const statuses = async (identifier = email): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await consentOf(identifier)).channels.map(({ channel, status }: Record<string, string>) => [
      channel,
      status,
    ]),
  );

const DAY = 86_400;
const linkOf = (address = email, issuedAt = NOW / 1000): string => {
  const channel = address.startsWith('phone:') ? 'sms' : 'email';
  return `/preferences/${signLink('preferences', { address, channel, issuedAt }, keys)}`;
};
const unsubscribeLink = (address = email): string =>
  `/unsubscribe/${signLink('unsubscribe', { address, channel: 'email', issuedAt: 0 }, keys)}`;

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The values that are chosen, by the name of the group. */
  readonly chosen: Readonly<Record<string, string>>;
}
const visit = async (target = linkOf(), form?: Readonly<Record<string, string>>): Promise<Seen> => {
  // Nobody answers twice within a millisecond.
  await hub.clock.runUntil(hub.clock.now() + 1000);
  const { status, headers, body } = await hub.cloud.front({
    method: form === undefined ? 'GET' : 'POST',
    target,
    headers: form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form === undefined ? '' : String(new URLSearchParams(form))),
  });
  await hub.settle();
  const text = Buffer.from(body).toString();
  const chosen = Object.fromEntries(
    [...text.matchAll(/name="([^"]+)" value="([^"]+)" checked/gu)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  return { status, headers, text, chosen };
};

describe('the preferences page', () => {
  it('shows the current choices of the address to which it was sent, and no address in full', async () => {
    const { status, text, chosen } = await visit();
    expect(status).toBe(200);
    expect(chosen).toEqual({ email: 'everything', preferred: 'none' });
    expect((await visit(linkOf(phone))).chosen).toEqual({ sms: 'service', preferred: 'none' });
    expect(text).toContain('a•••@example.com');
    expect(text).toContain('number ending in 00');
    expect(text).not.toMatch(/lovelace|4155550|1415/u);
  });

  it('runs no script, loads and frames nothing, and is neither cached, referred to nor indexed', async () => {
    for (const target of [linkOf(), '/preferences/x', linkOf(email, 1), unsubscribeLink()]) {
      const { headers, text } = await visit(target);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'/u,
        ),
        ...{ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' },
        ...{ 'x-content-type-options': 'nosniff', 'x-robots-tag': 'noindex, nofollow' },
      });
      expect(text).not.toMatch(/<script|style="|\son\w+=/u);
    }
  });

  it('records an interaction for each changed choice, with evidence', async () => {
    const { chosen, text } = await visit(linkOf(), { email: 'nothing', preferred: 'sms' });
    expect(text).toContain('Your choices are saved');
    expect(chosen).toEqual({ email: 'nothing', preferred: 'sms' });
    expect(await statuses()).toEqual({ email: 'denied', sms: 'service-only', whatsapp: undefined });
    const { channels, closed, history, preferences } = await consentOf();
    expect(channels[0].evidence).toEqual({
      ...{ type: 'interaction', kind: 'opt-out', provider: 'tributary', address: email, page: 'preferences' },
    });
    expect([closed, history.length, preferences.channel]).toEqual([[], 3, 'sms']);
    expect((await visit()).chosen).toEqual(chosen);
  });

  it('ignores a form that is sent again', async () => {
    const form = { email: 'service', preferred: 'email' };
    const first = await visit(linkOf(), form);
    const again = await visit(linkOf(), form);
    expect(again.text).toContain('Nothing has changed');
    expect(again.chosen).toEqual(first.chosen);
    expect((await consentOf()).history).toHaveLength(3);
    expect(await hub.timeline()).toHaveLength(1);
  });

  it('records two forms once that arrive before either is recorded', async () => {
    const send = () =>
      hub.cloud.front({
        ...{ method: 'POST', target: linkOf(), body: Buffer.from('email=nothing') },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    await Promise.all([send(), send(), send()]);
    await hub.settle();
    expect(await hub.timeline()).toHaveLength(1);
  });

  it('accepts a change of every choice, in any order', async () => {
    for (const sms of ['nothing', 'service', 'everything', 'nothing', 'everything', 'service']) {
      await visit(linkOf(phone), { sms });
      expect((await visit(linkOf(phone))).chosen['sms']).toBe(sms);
    }
    await visit(linkOf(), { preferred: 'sms' });
    await visit(linkOf(), { preferred: 'none' });
    expect((await visit()).chosen['preferred']).toBe('none');
  });

  it('wins over an answer with a later time from a vendor whose clock is ahead', async () => {
    const ahead = new Date(NOW + 600_000).toISOString();
    hub.send(/^Deliveries(?!Dead)/u, {
      ...{ type: 'interaction', receivedAt: ahead },
      interaction: {
        ...{ key: 'S', provider: 'ahead', kind: 'opt-in', channel: 'email', direction: 'inbound' },
        ...{ occurredAt: ahead, identifiers: [email] },
      },
    });
    await hub.settle();
    await visit(linkOf(), { email: 'nothing' });
    expect((await visit()).chosen['email']).toBe('nothing');
    await visit(linkOf(), { email: 'everything' });
    expect((await visit()).chosen['email']).toBe('everything');
    await visit(unsubscribeLink(), {});
    expect((await visit()).chosen['email']).toBe('service');
  });

  it('shows how a closed address is reopened, and offers no choice without effect', async () => {
    hub.send(/^Deliveries(?!Dead)/u, {
      ...{ type: 'interaction', receivedAt: new Date(NOW).toISOString() },
      interaction: {
        ...{ key: 'S', provider: 'twilio', kind: 'message', channel: 'sms', direction: 'inbound' },
        ...{ occurredAt: new Date(NOW).toISOString(), identifiers: [phone], text: 'STOP' },
      },
    });
    await hub.settle();
    const { text, chosen } = await visit(linkOf(phone), { sms: 'everything' });
    expect(text).toContain('send START');
    expect(chosen['sms']).toBeUndefined();
    expect(await statuses()).toMatchObject({ sms: 'denied' });
    expect((await consentOf()).closed).toMatchObject([{ address: phone, reason: 'opt-out' }]);
  });

  it('after a merge changes its own address alone, and an unmerge gives both back with what each has chosen', async () => {
    const work = 'email:ada@work.example';
    await command({ command: 'import', identifiers: [work], consent: { email: 'denied' } });
    await command({ command: 'preference', customer: work, channel: 'email' });
    await command({ command: 'merge', reason: 'the same person', keep: email, other: work });
    const shown = await visit(linkOf(email));
    expect(shown.chosen['email']).toBe('everything');
    expect(shown.text).toContain('Another of your addresses has chosen less');
    expect(shown.text).toContain('a•••@w•••.example');
    expect(shown.text).not.toContain('work');
    await visit(linkOf(email), { email: 'service', preferred: 'sms' });
    expect(await statuses()).toMatchObject({ email: 'denied' });
    await visit(linkOf(work), { email: 'everything' });
    expect(await statuses()).toMatchObject({ email: 'service-only' });
    await command({ command: 'unmerge', customer: email });
    expect(await statuses()).toMatchObject({ email: 'service-only', sms: 'service-only' });
    expect(await statuses(work)).toEqual({ email: 'granted' });
    expect((await consentOf()).preferences.channel).toBe('sms');
    expect((await consentOf(work)).preferences.channel).toBe('email');
  });

  it('sends the link of another address to that address, a few times a day, and shows neither', async () => {
    const { text } = await visit();
    const [, send = ''] = /name="send" value="([^"]+)"/u.exec(text) ?? [];
    expect((await visit(linkOf(), { send })).text).toContain('A link is on its way');
    const sms = hub.cloud.sentMessages.list();
    expect(sms).toMatchObject([{ medium: 'sms', to: ['+14155550100'] }]);
    const [path = ''] = /\/preferences\/[\w.-]+/u.exec(sms[0]?.text ?? '') ?? [];
    expect((await visit(path)).chosen).toEqual({ sms: 'service', preferred: 'none' });
    for (let again = 0; again < 12; again++) {
      await hub.wait(600_000);
      await visit(linkOf(), { send });
    }
    expect(hub.cloud.sentMessages.list()).toHaveLength(5);
    for (const other of ['x', '', 'this-is-none'])
      expect((await visit(linkOf(), { send: other })).status).toBe(400);
  });

  it('refuses an expired, foreign, forged or broken link, one of another purpose, and another form', async () => {
    const form = { email: 'nothing' };
    const expired = linkOf(email, NOW / 1000 - 30 * DAY);
    const other = signLink('confirm', { address: email, channel: 'email', issuedAt: NOW / 1000 }, keys);
    const forged = signLink('preferences', { address: email, channel: 'email', issuedAt: 1 }, [
      '0123456789abcdef-x',
    ]);
    for (const target of [
      expired,
      '/preferences/x',
      `${linkOf()}x`,
      `/preferences/${other}`,
      `/preferences/${forged}`,
    ])
      for (const given of [undefined, form])
        expect([target, (await visit(target, given)).status]).toEqual([
          target,
          target === expired ? 410 : 404,
        ]);
    for (const odd of [{ email: 'all' }, { mail: 'nothing' }, { email: 'x'.repeat(5000) }])
      expect((await visit(linkOf(), odd as unknown as Record<string, string>)).status).toBe(400);
    expect(await statuses()).toEqual({ email: 'granted', sms: 'service-only' });
    expect(await hub.timeline()).toHaveLength(0);
  });

  it('sends a fresh link in place of an expired one, to the same address alone', async () => {
    const expired = linkOf(email, NOW / 1000 - 40 * DAY);
    const { text } = await visit(expired);
    expect(text).toContain('This link has expired');
    const [, handle = ''] = /name="send" value="([^"]+)"/u.exec((await visit()).text) ?? [];
    expect((await visit(expired, { send: handle })).status).toBe(400);
    expect((await visit(expired, { send: 'this' })).status).toBe(200);
    const mails = hub.cloud.sentMessages.list();
    expect(mails).toMatchObject([{ medium: 'email', to: ['ada.lovelace@example.com'] }]);
    const [path = ''] = /\/preferences\/[\w.-]+/u.exec(mails[0]?.text ?? '') ?? [];
    expect((await visit(path)).chosen['email']).toBe('everything');
  });

  it('shows that nothing is kept once the person was erased', async () => {
    await hub.api('POST', '/erasures', { customer: email });
    await hub.settle();
    for (const target of [linkOf(), unsubscribeLink()]) {
      const gone = await visit(target, { email: 'nothing' });
      expect([gone.status, gone.text.includes('We keep nothing about this address')]).toEqual([410, true]);
    }
    expect(await hub.timeline()).toHaveLength(0);
  });
});

describe('the unsubscribe page', () => {
  it('asks, then withdraws consent to marketing once, at any age of the link, and leads nowhere else', async () => {
    const asked = await visit(unsubscribeLink());
    expect(asked.text).toContain('a•••@example.com');
    expect(await statuses()).toMatchObject({ email: 'granted' });
    const done = await visit(unsubscribeLink(), { 'List-Unsubscribe': 'One-Click' });
    expect(done.text).toContain('You are unsubscribed');
    expect(await statuses()).toMatchObject({ email: 'service-only' });
    expect((await consentOf()).channels[0].evidence).toMatchObject({
      page: 'unsubscribe',
      scope: 'marketing',
    });
    for (const { text } of [asked, done]) expect(text).not.toMatch(/href|<input|<select|number ending/u);
  });

  it('turns nothing on, whatever is sent to it', async () => {
    await command({ command: 'consent', customer: email, channel: 'email', status: 'denied' });
    await visit(unsubscribeLink(), { email: 'everything', preferred: 'sms', send: 'this' });
    expect(await statuses()).toMatchObject({ email: 'denied' });
    expect((await consentOf()).preferences).toEqual({});
    expect(hub.cloud.sentMessages.list()).toHaveLength(0);
  });

  it('in an old mail changes its own address alone after a merge', async () => {
    const work = 'email:ada@work.example';
    await command({ command: 'import', identifiers: [work], consent: { email: 'granted', sms: 'granted' } });
    await command({ command: 'merge', reason: 'the same person', keep: email, other: work });
    await visit(unsubscribeLink(work), {});
    await command({ command: 'unmerge', customer: email });
    expect(await statuses(work)).toEqual({ email: 'service-only', sms: 'granted' });
    expect(await statuses()).toEqual({ email: 'granted', sms: 'service-only' });
  });
});
