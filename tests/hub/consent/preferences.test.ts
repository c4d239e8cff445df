import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preferencesToken, signingKeys, unsubscribeToken } from '../../../core/consent/signed-link.ts';
import { readSecret } from '../../../functions/aws/clients/secret.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const email = 'email:ada.lovelace@example.com';
const phone = 'phone:+14155550100';
let hub: TestHub;
let keys: readonly string[];
let profileId: string;

beforeEach(async () => {
  hub = await openTestHub();
  keys = signingKeys(await readSecret(hub.runtime)('acme/signing'));
  await command({
    ...{ command: 'import', identifiers: [email, phone] },
    consent: { email: 'granted', sms: 'service-only' },
  });
  profileId = await idOf(email);
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
const linkOf = (whose = profileId, until = NOW / 1000 + DAY): string =>
  `/preferences/${preferencesToken({ profileId: whose, until }, keys)}`;

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
  it('shows the current choices, and no address in full', async () => {
    const { status, text, chosen } = await visit();
    expect(status).toBe(200);
    expect(chosen).toEqual({ email: 'everything', sms: 'service', preferred: 'none' });
    expect(text).toContain('a•••@example.com');
    expect(text).toContain('number ending in 00');
    expect(text).not.toMatch(/lovelace|4155550|1415/u);
  });

  it('runs no script, loads and frames nothing, and is neither cached, referred to nor indexed', async () => {
    for (const target of [linkOf(), '/preferences/x', linkOf(profileId, 1)]) {
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
    const { chosen, text } = await visit(linkOf(), { email: 'nothing', sms: 'service', preferred: 'sms' });
    expect(text).toContain('Your choices are saved');
    expect(chosen).toEqual({ email: 'nothing', sms: 'service', preferred: 'sms' });
    expect(await statuses()).toEqual({ email: 'denied', sms: 'service-only', whatsapp: undefined });
    const { channels, closed, history, preferences } = await consentOf();
    expect(channels[0].evidence).toEqual({
      ...{ type: 'interaction', kind: 'opt-out', provider: 'tributary', address: email, page: 'preferences' },
    });
    expect([closed, history.length, preferences.channel]).toEqual([[], 3, 'sms']);
    expect((await visit()).chosen).toEqual(chosen);
  });

  it('ignores a form that is sent again', async () => {
    const form = { email: 'service', sms: 'everything', preferred: 'email' };
    const first = await visit(linkOf(), form);
    const again = await visit(linkOf(), form);
    expect(again.text).toContain('Nothing has changed');
    expect(again.chosen).toEqual(first.chosen);
    expect((await consentOf()).history).toHaveLength(4);
    expect(hub.timeline()).toHaveLength(2);
  });

  it('records two forms once that arrive before either is recorded', async () => {
    const send = () =>
      hub.cloud.front({
        ...{ method: 'POST', target: linkOf(), body: Buffer.from('email=nothing') },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    await Promise.all([send(), send(), send()]);
    await hub.settle();
    expect(hub.timeline()).toHaveLength(1);
  });

  it('accepts a change of every choice, in any order', async () => {
    for (const sms of ['nothing', 'service', 'everything', 'nothing', 'everything', 'service']) {
      await visit(linkOf(), { sms });
      expect((await visit()).chosen['sms']).toBe(sms);
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
    await visit(`/unsubscribe/${unsubscribeToken({ profileId, channel: 'email' }, keys)}`, {});
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
    const { text, chosen } = await visit(linkOf(), { sms: 'everything' });
    expect(text).toContain('send START');
    expect(chosen['sms']).toBeUndefined();
    expect(await statuses()).toMatchObject({ sms: 'denied' });
    expect((await consentOf()).closed).toMatchObject([{ address: phone, reason: 'opt-out' }]);
  });

  it('shows the whole customer after a merge, with a link of either source profile', async () => {
    await command({
      command: 'import',
      identifiers: ['email:ada@work.example'],
      consent: { email: 'denied' },
    });
    const other = await idOf('email:ada@work.example');
    await command({ command: 'merge', keep: email, other: 'email:ada@work.example' });
    for (const whose of [profileId, other])
      expect((await visit(linkOf(whose))).chosen['email']).toBe('nothing');
    await visit(linkOf(other), { email: 'everything' });
    expect(await statuses()).toMatchObject({ email: 'granted' });
    await command({ command: 'unmerge', customer: email });
    expect(await statuses('email:ada@work.example')).toMatchObject({ email: 'granted' });
  });

  it('refuses an erased customer, an expired, foreign or broken link, and another form', async () => {
    const form = { email: 'nothing' };
    for (const target of [
      linkOf(profileId, NOW / 1000),
      '/preferences/x',
      `${linkOf()}x`,
      `/preferences/${unsubscribeToken({ profileId, channel: 'email' }, keys)}`,
    ])
      for (const given of [undefined, form])
        expect([target, (await visit(target, given)).status]).toEqual([
          target,
          target.endsWith(linkOf(profileId, NOW / 1000)) ? 410 : 404,
        ]);
    expect((await visit(linkOf(profileId, NOW / 1000))).text).toContain('To get a fresh one');
    for (const odd of [{ email: 'all' }, { mail: 'nothing' }, { email: 'x'.repeat(5000) }])
      expect((await visit(linkOf(), odd as unknown as Record<string, string>)).status).toBe(400);
    expect(await statuses()).toEqual({ email: 'granted', sms: 'service-only' });
    await hub.api('POST', '/erasures', { customer: email });
    await hub.settle();
    const gone = await visit(linkOf(), form);
    expect([gone.status, gone.text.includes('We keep nothing about you')]).toEqual([410, true]);
    expect(hub.timeline()).toHaveLength(0);
  });
});

describe('the unsubscribe page', () => {
  it('asks, then withdraws consent to marketing once, and links to the other choices at any age of the link', async () => {
    const target = `/unsubscribe/${unsubscribeToken({ profileId, channel: 'email' }, keys)}`;
    const asked = await visit(target);
    expect(asked.text).toContain('a•••@example.com');
    expect(await statuses()).toMatchObject({ email: 'granted' });
    const done = await visit(target, { 'List-Unsubscribe': 'One-Click' });
    expect(done.text).toContain('You are unsubscribed');
    expect(await statuses()).toMatchObject({ email: 'service-only' });
    expect((await consentOf()).channels[0].evidence).toMatchObject({
      page: 'unsubscribe',
      scope: 'marketing',
    });
    const [, link] = /href="\.\.(\/preferences\/[^"]+)"/u.exec(done.text) ?? [];
    expect((await visit(link)).chosen['email']).toBe('service');
  });
});
