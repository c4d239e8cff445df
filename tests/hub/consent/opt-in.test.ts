import { afterEach, describe, expect, it } from 'vitest';
import { type LinkPurpose, signingKeys, signLink } from '../../../core/consent/signed-link.ts';
import { readSecret } from '../../../functions/aws/clients/secret.ts';
import { openTestHub, type TestHub, type TestInteraction } from '../../support/open-test-hub.ts';

const bea = 'email:bea@example.com';
const ada = 'email:ada@example.com';
const DAY_MS = 86_400_000;
const offer = {
  ...{ id: 'offer', name: 'Offer', category: 'marketing' },
  on: { kind: ['behaviour'] },
  send: { channels: ['email'], template: 'cart-left' },
};

let hub: TestHub;
const open = async (...triggers: (object | string)[]): Promise<void> => {
  hub = await openTestHub({ triggers: ['opt-in-confirm.yaml', ...triggers] as object[] });
};
afterEach(() => hub.stop());

let sent = 0;
/** What somebody typed into a form, by default an opt-in to e-mail. */
const claim = async (address: string, more: Partial<TestInteraction> = {}): Promise<void> => {
  hub.sendInteraction({
    ...{ key: `c${sent++}`, kind: 'opt-in', channel: 'email', provider: 'typeform' },
    ...{ identifiers: [address], claimed: [address], ...more },
  });
  await hub.settle();
};
const visited = (address: string, more: Partial<TestInteraction> = {}): Promise<void> =>
  claim(address, { kind: 'behaviour', channel: 'web', ...more });
const command = async (body: object): Promise<void> => {
  expect((await hub.api('POST', '/commands', body)).status).toBe(202);
  await hub.settle();
};

const mails = (to = 'bea@example.com') =>
  hub.cloud.sentMessages.list().filter((message) => message.to.includes(to));
const linkIn = (mail: { readonly html?: string | undefined } | undefined, purpose: LinkPurpose): string =>
  new RegExp(`/${purpose}/[\\w.-]+`, 'u').exec(mail?.html ?? '')?.[0] ?? '';
const visit = async (method: 'GET' | 'POST', target: string, form: Record<string, string> = {}) => {
  await hub.wait(1000);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = Buffer.from(method === 'GET' ? '' : String(new URLSearchParams(form)));
  const response = await hub.cloud.front({ method, target, headers, body });
  await hub.settle();
  return { status: response.status, text: Buffer.from(response.body).toString() };
};
/** What the hub keeps of people and their addresses. */
const stored = () =>
  Promise.all(['customer#', 'claim#', 'identifier#', 'seen#'].map((pk) => hub.rows(`"pk":{"S":"${pk}`)));
const customer = async (identifier: string) =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body;
const consentOf = async (identifier: string) =>
  (await hub.api('GET', `/customers/${(await customer(identifier)).id}/consent`)).body;

describe('double opt-in', () => {
  it('counts once the button behind the link of the mail was pressed, and the guest is then shown with the owner', async () => {
    await open(offer);
    await claim(bea, { profile: { name: { full: 'Bea' } } });
    const [mail] = mails();
    const link = linkIn(mail, 'confirm');
    await hub.wait();
    const before = await stored();
    expect((await visit('GET', link)).text).toContain('b•••@example.com');
    const keys = signingKeys(await readSecret(hub.runtime)(`${hub.name}/signing`));
    const address = { address: bea, channel: 'email', issuedAt: hub.clock.now() / 1000 } as const;
    for (const purpose of ['unsubscribe', 'preferences'] as const)
      expect((await visit('GET', `/${purpose}/${signLink(purpose, address, keys)}`)).status).toBe(200);
    expect(await stored()).toEqual(before);
    await visited(bea);
    expect(mails()).toHaveLength(1);
    expect((await visit('POST', link)).text).toContain('It is confirmed');
    expect((await visit('POST', link)).text).toContain('It is confirmed');
    expect(await customer(bea)).toMatchObject({
      ...{ identifiers: [bea], guest: false, name: { full: 'Bea' } },
      guests: [{ claimed: [bea] }],
    });
    const { channels, history } = await consentOf(bea);
    expect(channels).toMatchObject([
      {
        ...{ channel: 'email', status: 'granted' },
        evidence: {
          type: 'interaction',
          kind: 'opt-in',
          provider: 'tributary',
          address: bea,
          page: 'confirm',
        },
      },
    ]);
    expect(history).toHaveLength(1);
    await visited(bea);
    expect(mails()).toHaveLength(2);
  });

  it('of an address that somebody owns is an answer of its owner, and lifts even a denial', async () => {
    await open();
    await command({ command: 'import', identifiers: [ada, 'user-id:42'], consent: { email: 'denied' } });
    await claim(ada);
    expect((await consentOf(ada)).channels).toMatchObject([{ status: 'denied' }]);
    await visit('POST', linkIn(mails('ada@example.com')[0], 'confirm'));
    expect((await consentOf(ada)).channels).toMatchObject([{ status: 'granted' }]);
    expect((await customer(ada)).identifiers).toEqual(['user-id:42', ada]);
  });

  it('asks an address at most three times, and a closed one never', async () => {
    await open();
    for (let time = 0; time < 5; time++) {
      await claim(bea);
      await hub.wait(DAY_MS);
    }
    expect(mails()).toHaveLength(3);
    await command({ command: 'import', identifiers: [ada] });
    await claim(ada, { kind: 'bounce', provider: 'ses', direction: 'system' });
    await claim(ada);
    expect(mails('ada@example.com')).toHaveLength(0);
  });

  it('refuses a forged link, one of another purpose and an expired one, and does not ask about a closed address', async () => {
    await open();
    await claim(bea);
    const keys = signingKeys(await readSecret(hub.runtime)(`${hub.name}/signing`));
    const link = { address: bea, channel: 'email', issuedAt: hub.clock.now() / 1000 } as const;
    for (const token of [
      signLink('preferences', link, keys),
      signLink('confirm', link, ['another-key-0123456789']),
      `${signLink('confirm', link, keys)}x`,
    ])
      for (const method of ['GET', 'POST'] as const)
        expect(await visit(method, `/confirm/${token}`)).toMatchObject({
          ...{ status: 404, text: expect.stringContaining('Nothing was changed') },
        });
    await hub.wait(7 * DAY_MS);
    for (const method of ['GET', 'POST'] as const) {
      const { status, text } = await visit(method, linkIn(mails()[0], 'confirm'));
      expect([status, text.includes('sign up again')]).toEqual([410, true]);
    }
    expect(await customer(bea)).toMatchObject({ guest: true, identifiers: [] });
    await command({ command: 'import', identifiers: [ada] });
    await claim(ada, { kind: 'complaint', provider: 'ses', direction: 'system' });
    const closed = `/confirm/${signLink('confirm', { ...link, address: ada, issuedAt: hub.clock.now() / 1000 }, keys)}`;
    expect((await visit('POST', closed)).text).toContain('marked as spam');
    expect((await consentOf(ada)).channels).toEqual([]);
  });
});

describe('an address that nobody owns', () => {
  const invite = { ...offer, id: 'invite', category: 'transactional', on: { kind: ['form'] } };

  it('is muted by the unsubscribe link, until its owner answers', async () => {
    await open(offer, invite);
    await claim(bea, { kind: 'form', channel: 'form' });
    const unsubscribe = linkIn(mails()[0], 'unsubscribe');
    expect((await visit('GET', unsubscribe)).text).toContain('b•••@example.com');
    expect((await customer(bea)).muted).toEqual([]);
    await visit('POST', unsubscribe, { 'List-Unsubscribe': 'One-Click' });
    const muted = [{ address: bea, channel: 'email' }];
    expect(await customer(bea)).toMatchObject({ guest: true, muted });
    expect((await consentOf(bea)).muted).toMatchObject(muted);
    // Its owner was known by another source, and gets no offers either.
    await command({
      command: 'import',
      identifiers: [bea, 'user-id:7'],
      consent: { email: 'granted' },
      answeredAt: { email: '2026-01-01T00:00:00Z' },
    });
    await visited(bea, { identifiers: ['user-id:7'], claimed: [] });
    expect(mails()).toHaveLength(1);
    expect((await customer(bea)).muted).toMatchObject(muted);
    await visit('POST', linkIn(mails()[0], 'preferences'), { email: 'everything' });
    expect((await customer(bea)).muted).toEqual([]);
    await visited(bea, { identifiers: ['user-id:7'], claimed: [] });
    expect(mails()).toHaveLength(2);
  });

  it('has a preference page about offers alone, whose opt-in has to be confirmed', async () => {
    await open(invite);
    await claim(bea, { kind: 'form', channel: 'form' });
    const preferences = linkIn(mails()[0], 'preferences');
    expect((await visit('GET', preferences)).text).toContain('You have not chosen yet');
    const asked = await visit('POST', preferences, { email: 'everything' });
    expect(asked.text).toContain('Offers and news begin once you confirm');
    expect(asked.text).not.toContain('value="nothing"');
    expect(mails()).toHaveLength(2);
    await visit('POST', linkIn(mails()[1], 'confirm'));
    expect((await consentOf(bea)).channels).toMatchObject([{ channel: 'email', status: 'granted' }]);
    expect((await visit('GET', preferences)).text).toContain('value="nothing"');
  });
});
