import { messagingApi } from '@line/bot-sdk';
import twilio from 'twilio';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { httpSenderOf, senderDeclarations } from '../../connectors/senders/index.ts';
import { isRefusal, NotNow, type OutgoingMessage } from '../../core/triggers/sender.ts';
import { decodeWith } from '../support/decode.ts';

/** A vendor's answer: its status, its JSON, its headers. */
type Answer = readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>];

const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  twilio: { accountSid: 'AC1', authToken: 't', from: '+15005550006', whatsappFrom: '+14155238886' },
  sendgrid: { apiKey: 'SG.key' },
  telegram: { botToken: '110201543:AAH' },
  line: { accessToken: 'line-token' },
  slack: { botToken: 'xoxb-1' },
  messenger: { pageId: '300', accessToken: 'page-token' },
  instagram: { accountId: '178', accessToken: 'page-token' },
  'whatsapp-cloud': { accessToken: 'token', phoneNumberId: '106' },
};

const messages: Readonly<Record<string, Partial<OutgoingMessage>>> = {
  twilio: { channel: 'sms', to: '+14155550100' },
  sendgrid: {
    channel: 'email',
    to: 'ada@example.com',
    from: 'Acme, Inc. <hello@acme.example>',
    subject: 'Hi',
  },
  telegram: { channel: 'telegram', to: '5678' },
  line: { channel: 'line', to: 'U4af4980629' },
  slack: { channel: 'slack', to: 'T061:U123' },
  messenger: { channel: 'messenger', to: '300:5678' },
  instagram: { channel: 'instagram', to: '178:5678' },
  'whatsapp-cloud': { channel: 'whatsapp', to: '14155550100' },
};

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

const open = (id: string, answer: Answer | Error, secret: unknown = secrets[id]) => {
  const requests: Sent[] = [];
  const built = httpSenderOf(id)?.build({
    async fetch(input, init) {
      const request = new Request(input, init);
      const { method, url, headers } = request;
      requests.push({ method, url, headers, body: await request.text() });
      if (answer instanceof Error) throw answer;
      const [status, body, more = {}] = answer;
      return typeof body === 'object'
        ? Response.json(body, { status, headers: more })
        : new Response(body === undefined ? null : String(body), { status, headers: more });
    },
    timeLimit: () => AbortSignal.timeout(10_000),
    secret: async () => secret,
    publicUrl: 'https://hub.example',
  });
  const send = (message: Partial<OutgoingMessage> = {}): Promise<string> =>
    built?.send({
      ...{ id: 'hello.cause', channel: 'sms', category: 'service', to: '', text: 'Hi <Ada> & co' },
      ...messages[id],
      ...message,
    }) ?? Promise.reject(new Error(`no sender ${id}`));
  return { send, check: () => built?.check?.() ?? Promise.reject(new Error(id)), requests };
};

/** How a send ended: an id, `never`, why it waits (and for how many seconds), or doubt. */
const ending = (sending: Promise<string>): Promise<unknown> =>
  sending.catch((error: unknown) => {
    if (error instanceof NotNow)
      return typeof error.retry === 'object' ? [error.why, error.retry.afterSeconds] : error.why;
    return isRefusal(error) ? error.retry : 'in doubt';
  });

const graph = (code: number, error_subcode?: number) => ({
  error: { message: '(#1) Words', type: 'OAuthException', code, error_subcode, fbtrace_id: 'A' },
});
const twilioError = (code: number, status: number): Answer => [
  status,
  { code, message: 'Words', more_info: `https://www.twilio.com/docs/errors/${code}`, status },
];
const telegramError = (error_code: number, description: string, parameters?: object): Answer => [
  error_code,
  { ok: false, error_code, description, parameters },
];
const UNVERIFIED =
  'The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements';

/** The answers that each vendor publishes, and what becomes of the message. */
const answers: Readonly<Record<string, readonly (readonly [Answer, unknown])[]>> = {
  twilio: [
    [[201, { sid: 'SM1', status: 'queued', error_code: null }], 'SM1'],
    [twilioError(21610, 400), 'never'],
    [twilioError(21211, 400), 'never'],
    [twilioError(21408, 403), 'never'],
    [twilioError(99999, 400), 'never'],
    [twilioError(20429, 429), 'rate'],
    [twilioError(63038, 429), 'account'],
    [twilioError(21611, 400), 'account'],
    [twilioError(20003, 401), 'account'],
    [twilioError(20500, 500), 'in doubt'],
  ],
  sendgrid: [
    [[202, undefined, { 'x-message-id': '14c5d75ce93.dfd.64b469' }], '14c5d75ce93'],
    [
      [400, { errors: [{ message: 'Does not contain a valid address.', field: 'from.email', help: null }] }],
      'never',
    ],
    [[403, { errors: [{ message: UNVERIFIED, field: 'from', help: null }] }], 'never'],
    [[403, { errors: [{ message: 'access forbidden', field: null, help: null }] }], 'account'],
    [
      [
        401,
        {
          errors: [
            {
              message: 'The provided authorization grant is invalid, expired, or revoked',
              field: null,
              help: null,
            },
          ],
        },
      ],
      'account',
    ],
    [[401, { errors: [{ message: 'Maximum credits exceeded', field: null, help: null }] }], 'account'],
    [[429, { errors: [{ field: null, message: 'too many requests' }] }], 'rate'],
    [[500, { errors: [{ message: 'Internal server error' }] }], 'in doubt'],
  ],
  telegram: [
    [
      [200, { ok: true, result: { message_id: 42, date: 1, chat: { id: 5678, type: 'private' } } }],
      '5678:42',
    ],
    [telegramError(403, 'Forbidden: bot was blocked by the user'), 'never'],
    [telegramError(403, 'Forbidden: user is deactivated'), 'never'],
    [telegramError(400, 'Bad Request: chat not found'), 'never'],
    [telegramError(400, 'Bad Request: message is too long'), 'never'],
    [telegramError(429, 'Too Many Requests: retry after 35', { retry_after: 35 }), ['rate', 35]],
    [telegramError(401, 'Unauthorized'), 'account'],
    [telegramError(404, 'Not Found'), 'account'],
    [telegramError(500, 'Internal Server Error'), 'in doubt'],
  ],
  line: [
    [
      [200, { sentMessages: [{ id: '461230966842064897', quoteToken: 'IStG5h1Tz7b' }] }],
      '461230966842064897',
    ],
    [
      [
        409,
        { message: 'The retry key is already accepted', sentMessages: [{ id: '461', quoteToken: 'I' }] },
        { 'x-line-accepted-request-id': '123e4567-e89b-12d3-a456-426655440001' },
      ],
      '461',
    ],
    [[409, { message: 'A conflict of another kind' }], 'never'],
    [[400, { message: 'Failed to send messages' }], 'never'],
    [[400, { message: "The property, 'to', in the request body is invalid (line: -, column: -)" }], 'never'],
    [[429, { message: 'You have reached your monthly limit.' }], 'account'],
    [[429, { message: 'The API rate limit has been exceeded. Try again later.' }], 'rate'],
    [[403, { message: 'Access to this API is not available for your account' }], 'account'],
    [
      [
        401,
        {
          message:
            'Authentication failed. Confirm that the access token in the authorization header is valid.',
        },
      ],
      'account',
    ],
    [[500, { message: 'Internal Server Error' }], 'in doubt'],
  ],
  slack: [
    [
      [200, { ok: true, channel: 'D024', ts: '1503435956.000247', message: { text: 'Hi' } }],
      'D024:1503435956.000247',
    ],
    [[200, { ok: false, error: 'channel_not_found' }], 'never'],
    [[200, { ok: false, error: 'msg_too_long' }], 'never'],
    [[200, { ok: false, error: 'invalid_auth' }], 'account'],
    [[200, { ok: false, error: 'missing_scope', needed: 'chat:write', provided: 'files:read' }], 'account'],
    [
      [429, { ok: false, error: 'ratelimited' }, { 'retry-after': '30' }],
      ['rate', 30],
    ],
    [[200, { ok: false, error: 'service_unavailable' }], 'down'],
    [[200, { ok: false, error: 'fatal_error' }], 'in doubt'],
    [[200, { ok: false, error: 'internal_error' }], 'in doubt'],
  ],
  messenger: [
    [[200, { recipient_id: '5678', message_id: 'm_AG5Hz2U' }], 'm_AG5Hz2U'],
    [[400, graph(10, 2018278)], 'never'],
    [[400, graph(551, 1545041)], 'never'],
    [[400, graph(551)], 'never'],
    [[400, graph(100, 2018001)], 'never'],
    [[400, graph(100)], 'never'],
    [[403, graph(10)], 'account'],
    [[401, graph(190, 463)], 'account'],
    [[400, graph(613)], 'rate'],
    [[400, graph(80006)], 'rate'],
    [[500, graph(1200)], 'down'],
    [[500, graph(2)], 'down'],
    [[500, graph(99)], 'in doubt'],
  ],
  instagram: [
    [[200, { recipient_id: '5678', message_id: 'aWdfZAG' }], 'aWdfZAG'],
    [[400, graph(10, 2534022)], 'never'],
    [[400, graph(100, 2534014)], 'never'],
    [[400, graph(80002)], 'rate'],
    [[401, graph(190)], 'account'],
  ],
};

describe.each(Object.entries(answers))('%s', (id, cases) => {
  it.each(cases)('%j: %j', async (answer, expected) => {
    expect(await ending(open(id, answer).send())).toEqual(expected);
  });
});

/** What people and vendors report of the first message above: a delivery, a reaction, an answer that quotes it. */
const reports: Readonly<Record<string, unknown>> = {
  twilio: 'MessageSid=SM1&MessageStatus=delivered&To=%2B14155550100&From=%2B15005550006',
  sendgrid: [
    {
      ...{ email: 'ada@example.com', event: 'open', timestamp: 1, sg_event_id: 'E1' },
      sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
    },
  ],
  telegram: {
    update_id: 1,
    message_reaction: {
      ...{ chat: { id: 5678, type: 'private' }, message_id: 42, date: 1, user: { id: 5678 } },
      new_reaction: [{ type: 'emoji', emoji: '👍' }],
    },
  },
  line: {
    events: [
      {
        ...{ type: 'message', webhookEventId: '01', timestamp: 1, source: { userId: 'U4af4980629' } },
        message: { id: '2', type: 'text', text: 'Yes', quotedMessageId: '461230966842064897' },
      },
    ],
  },
  slack: {
    ...{ type: 'event_callback', team_id: 'T061', event_id: 'E1' },
    event: {
      ...{ type: 'reaction_added', user: 'U123', reaction: '+1', event_ts: '1' },
      item: { type: 'message', channel: 'D024', ts: '1503435956.000247' },
    },
  },
  messenger: {
    object: 'page',
    entry: [
      {
        id: '300',
        messaging: [
          {
            ...{ sender: { id: '5678' }, recipient: { id: '300' }, timestamp: 1 },
            delivery: { mids: ['m_AG5Hz2U'], watermark: 1 },
          },
        ],
      },
    ],
  },
  instagram: {
    object: 'instagram',
    entry: [
      {
        id: '178',
        messaging: [
          {
            ...{ sender: { id: '5678' }, recipient: { id: '178' }, timestamp: 1 },
            message: { mid: 'm2', text: 'Yes', reply_to: { mid: 'aWdfZAG' } },
          },
        ],
      },
    ],
  },
};

it.each(Object.entries(reports))(
  'the id of a message of %s is the one that its reports name',
  async (id, report) => {
    const [[answer = [500] as const] = []] = answers[id] ?? [];
    const sent = await open(id, answer).send();
    const { interactions } = await decodeWith(httpSenderOf(id)?.provider ?? '', report);
    expect(interactions.map(({ refersTo }) => refersTo)).toEqual([sent]);
  },
);

const overHttp = Object.keys(secrets);

describe.each(overHttp)('%s', (id) => {
  it('nobody knows whether it was sent after a lost connection or an answer that is not its own', async () => {
    expect(await ending(open(id, new TypeError('fetch failed')).send())).toBe('in doubt');
    expect(await ending(open(id, [502, '<html>Bad gateway</html>']).send())).toBe('in doubt');
    if (id !== 'sendgrid')
      expect(await ending(open(id, [200, {}]).send())).toBe(id === 'line' ? 'hello.cause' : 'in doubt');
  });

  it('waits where the connection was never made, since then nothing was sent', async () => {
    const refused = new TypeError('fetch failed', {
      cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
    });
    expect(await ending(open(id, refused).send())).toBe('down');
  });

  it('names each field that is missing, and sends no value that a header cannot carry', async () => {
    const { send, requests } = open(id, [200, {}], {});
    const required = Object.entries(httpSenderOf(id)?.secrets ?? {}).filter(([, { optional }]) => !optional);
    await expect(send()).rejects.toThrow(
      new RegExp(required.map(([field]) => `${field} \\(`).join('.*'), 'u'),
    );
    await expect(send()).rejects.toThrow(`hub connect ${id} --sender`);
    const broken = Object.fromEntries(Object.keys(secrets[id] ?? {}).map((field) => [field, 'a\nb']));
    const sending = open(id, [200, {}], broken).send();
    await expect(sending).rejects.toMatchObject({
      retry: 'never',
      message: expect.not.stringContaining('a\nb'),
    });
    expect(requests).toEqual([]);
  });

  it('no error shows a secret', async () => {
    const values = Object.values(secrets[id] ?? {}).filter((value) => /[a-z]/iu.test(value));
    for (const answer of [
      [500, 'x'],
      [400, {}],
      [401, {}],
      [429, {}],
    ] as const)
      await open(id, answer)
        .send()
        .catch((error: unknown) => {
          for (const value of values.filter((one) => one.length > 2))
            expect(String(error)).not.toContain(value);
        });
  });
});

it('every declaration says which channels it serves, where its page is, and what each field is', () => {
  expect(senderDeclarations.map(({ id }) => id)).toEqual([
    ...['aws-sms', 'instagram', 'line', 'messenger', 'sendgrid', 'ses', 'slack', 'sns-push'],
    ...['telegram', 'twilio', 'whatsapp-cloud'],
  ]);
  for (const { channels, docs } of senderDeclarations) {
    expect(channels.length).toBeGreaterThan(0);
    expect(docs).toMatch(/^https:\/\//u);
  }
  expect(overHttp.filter((id) => httpSenderOf(id) === undefined)).toEqual([]);
});

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
    const { send, requests } = open('twilio', [201, { sid: 'SM1' }], { ...secrets['twilio'], from: 'MG1' });
    await send();
    expect(formOf(requests[0])).toMatchObject({ MessagingServiceSid: 'MG1' });
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
