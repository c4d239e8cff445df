import type { Answer } from './open-sender.ts';

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
export const answers: Readonly<Record<string, readonly (readonly [Answer, unknown])[]>> = {
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

/** What people and vendors report of the first message above: a delivery, a reaction, an answer that quotes it. */
export const reports: Readonly<Record<string, unknown>> = {
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
