import { messagingApi } from '@line/bot-sdk';
import twilio from 'twilio';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OutgoingMessage } from '../../core/triggers/sending/sender.ts';
import { type Answer, ending, open, secrets } from '../support/senders/open-sender.ts';

describe('the requests', () => {
  afterEach(() => void vi.unstubAllGlobals());

  const formOf = ({ body = '' }: { readonly body?: string } = {}) =>
    Object.fromEntries(new URLSearchParams(body));
  const jsonOf = ({ body = 'null' }: { readonly body?: string } = {}): unknown => JSON.parse(body);

  it('of Twilio are those of its own library', async () => {
    const made: { readonly uri: string; readonly data: unknown }[] = [];
    const client = twilio('AC1', 't');
    vi.spyOn(client.httpClient, 'request').mockImplementation(async ({ uri, data }) => {
      made.push({ uri, data });
      return { statusCode: 201, body: JSON.parse('{"sid":"SM1"}'), headers: {} };
    });
    const contentSid = `HX${'0'.repeat(32)}`;
    const template = { name: contentSid, language: 'it', parameters: ['Ada', '60'] };
    await client.messages.create({
      ...{ to: '+14155550100', from: '+15005550006', body: 'Hi' },
      statusCallback: 'https://hub.example/webhooks/twilio',
    });
    await client.messages.create({
      ...{ to: 'whatsapp:+14155550100', from: 'whatsapp:+14155238886', contentSid },
      ...{ contentVariables: JSON.stringify({ 1: 'Ada', 2: '60' }) },
      statusCallback: 'https://hub.example/webhooks/twilio',
    });
    const { send, requests } = open('twilio', [201, { sid: 'SM1' }]);
    await send({ text: 'Hi' });
    await send({ channel: 'whatsapp', to: '14155550100', template });
    expect(requests.map((one) => ({ uri: one.url, data: formOf(one) }))).toEqual(made);
    expect(requests[0]?.headers.get('authorization')).toBe(`Basic ${btoa('AC1:t')}`);
  });

  it('of Twilio go through a Messaging Service where its id is stored; a template needs its ContentSid', async () => {
    const service = `MG${'0'.repeat(32)}`;
    const { send, requests } = open('twilio', [201, { sid: 'SM1' }], { ...secrets['twilio'], from: service });
    await send();
    expect(formOf(requests[0])).toMatchObject({ MessagingServiceSid: service });
    const template = { name: 'cart', language: 'it', parameters: [] };
    await expect(send({ channel: 'whatsapp', template })).rejects.toThrow('ContentSid');
    const { whatsappFrom: _, ...smsOnly } = secrets['twilio'] ?? {};
    await expect(open('twilio', [201], smsOnly).send({ channel: 'whatsapp' })).rejects.toThrow(
      'whatsappFrom',
    );
  });

  it('of LINE are those of its own library, and the same notification has the same retry key', async () => {
    const { send, requests } = open('line', [200, { sentMessages: [{ id: '1' }] }]);
    await send();
    await send();
    await send({ id: 'other.cause' });
    const [first, second, third] = requests.map(({ headers }) => headers.get('x-line-retry-key'));
    expect(first).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
    expect([second, third === first]).toEqual([first, false]);
    const made: Request[] = [];
    vi.stubGlobal('fetch', async (input: string, init: RequestInit) => {
      made.push(new Request(input, init));
      return Response.json({ sentMessages: [{ id: '1' }] });
    });
    const client = new messagingApi.MessagingApiClient({ channelAccessToken: 'line-token' });
    const text = 'Hi <Ada> & co';
    await client.pushMessage({ to: 'U4af4980629', messages: [{ type: 'text', text }] }, first ?? '');
    const [oracle] = made;
    expect(requests[0]?.url).toBe(oracle?.url);
    expect(jsonOf(requests[0])).toEqual(await oracle?.json());
    for (const name of ['authorization', 'x-line-retry-key'])
      expect(requests[0]?.headers.get(name)).toBe(oracle?.headers.get(name));
  });

  it('of SendGrid carry the one-click unsubscribe headers and the notification, and no person', async () => {
    const { send, requests } = open('sendgrid', [202, undefined, { 'x-message-id': 'a' }]);
    await send({ html: '<p>Hi</p>', unsubscribe: 'https://hub.example/unsubscribe/t' });
    expect(requests[0]?.url).toBe('https://api.sendgrid.com/v3/mail/send');
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer SG.key');
    expect(jsonOf(requests[0])).toMatchObject({
      personalizations: [{ to: [{ email: 'ada@example.com' }] }],
      from: { email: 'hello@acme.example', name: 'Acme, Inc.' },
      content: [{ type: 'text/plain' }, { type: 'text/html', value: '<p>Hi</p>' }],
      headers: {
        'List-Unsubscribe': '<https://hub.example/unsubscribe/t>',
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
      custom_args: { notification: 'hello.cause' },
    });
    await open('sendgrid', [202], { apiKey: 'SG.key', region: 'eu' }).send();
    expect(await ending(open('sendgrid', [202]).send({ from: undefined as never }))).toBe('never');
  });

  it('of Telegram, Slack, Messenger and Instagram are those of their pages', async () => {
    const made = async (id: string, answer: Answer, message: Partial<OutgoingMessage> = {}) => {
      const { send, requests } = open(id, answer);
      await send(message);
      return {
        url: requests[0]?.url,
        json: jsonOf(requests[0]),
        token: requests[0]?.headers.get('authorization'),
      };
    };
    expect(
      await made('telegram', [200, { ok: true, result: { message_id: 1, chat: { id: 1 } } }]),
    ).toMatchObject({
      url: 'https://api.telegram.org/bot110201543:AAH/sendMessage',
      json: { chat_id: '5678', text: 'Hi <Ada> & co' },
    });
    const posted: Answer = [200, { ok: true, channel: 'D024', ts: '1.2' }];
    expect(await made('slack', posted)).toMatchObject({
      url: 'https://slack.com/api/chat.postMessage',
      json: { channel: 'U123', text: 'Hi &lt;Ada&gt; &amp; co', mrkdwn: false },
      token: 'Bearer xoxb-1',
    });
    expect(await made('slack', posted, { to: '#leads' })).toMatchObject({ json: { channel: '#leads' } });
    const sent: Answer = [200, { recipient_id: '5678', message_id: 'm1' }];
    expect(await made('messenger', sent)).toMatchObject({
      url: expect.stringMatching(/^https:\/\/graph\.facebook\.com\/v\d+\.0\/300\/messages$/u),
      json: { recipient: { id: '5678' }, messaging_type: 'RESPONSE', message: { text: 'Hi <Ada> & co' } },
      token: 'Bearer page-token',
    });
    expect(await made('instagram', sent)).toMatchObject({
      url: expect.stringMatching(/\/me\/messages$/u),
      json: { recipient: { id: '5678' } },
    });
  });

  it.each(['messenger', 'instagram'])('of %s go to nobody of another page', async (id) => {
    const { send, requests } = open(id, [200, { message_id: 'm1' }]);
    await expect(send({ to: '999:5678' })).rejects.toMatchObject({ retry: 'never', message: /999/u });
    expect(requests).toEqual([]);
  });
});

describe('a check', () => {
  it.each([
    ['twilio', { friendly_name: 'Acme', status: 'active' }, 'the account Acme'],
    ['sendgrid', { scopes: ['mail.send', 'alerts.read'] }, 'an API key that may send'],
    ['telegram', { ok: true, result: { id: 1, is_bot: true, username: 'acme_bot' } }, 'the bot @acme_bot'],
    ['line', { userId: 'U1', basicId: '@216ru', displayName: 'Acme' }, 'the account Acme (@216ru)'],
    ['slack', { ok: true, team: 'Acme', user: 'hub', team_id: 'T1' }, 'hub in the workspace Acme'],
    ['messenger', { id: '300', name: 'Acme' }, 'the page Acme'],
    [
      'instagram',
      { id: '300', instagram_business_account: { id: '178', username: 'acme' } },
      'the account acme',
    ],
    [
      'whatsapp-cloud',
      { display_phone_number: '+1 415 555 0100', verified_name: 'Acme', id: '106' },
      'the number +1 415 555 0100 of Acme',
    ],
  ])('of %s says where the credentials lead to, and sends nothing', async (id, body, expected) => {
    const { check, requests } = open(id, [200, body]);
    expect(await check()).toBe(expected);
    expect(requests.map(({ method }) => method)).toEqual([id === 'slack' ? 'POST' : 'GET']);
  });

  it.each([
    ['twilio', { friendly_name: 'Acme', status: 'suspended' }, /suspended/u],
    ['sendgrid', { scopes: ['alerts.read'] }, /Mail Send/u],
    ['messenger', { id: '999', name: 'Other' }, /Other.*300/u],
    ['instagram', { id: '300' }, /missing.*178/u],
    ['slack', { ok: false, error: 'invalid_auth' }, /invalid_auth.*hub connect slack --sender/u],
  ])('of %s fails where they cannot send', async (id, body, message) => {
    await expect(open(id, [200, body]).check()).rejects.toThrow(message);
  });
});
