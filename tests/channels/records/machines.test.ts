import { describe, expect, it } from 'vitest';
import { refusesSender } from '../../../core/formats/mail/bounce.ts';
import { decodeWith } from '../../support/decode.ts';

type Headers = Readonly<Record<string, string>>;

const postmark = (headers: Headers, more: object = {}) =>
  decodeWith('postmark', {
    ...{ FromFull: { Email: 'ada@example.com' }, MessageID: 'one', Subject: 'Hi', TextBody: 'Hi' },
    Headers: Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
    ...more,
  });
const sendgrid = (headers: Headers, envelope = 'ada@example.com') => {
  const fields = {
    headers: Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n'),
    ...{ from: 'Ada <ada@example.com>', text: 'Hi', envelope: JSON.stringify({ from: envelope }) },
  };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return decodeWith('sendgrid', `${parts.join('')}--b--\r\n`, {
    'content-type': 'multipart/form-data; boundary=b',
  });
};
const mailgun = (headers: Headers, sender = 'ada@example.com') =>
  decodeWith(
    'mailgun',
    new URLSearchParams({
      ...{
        sender,
        from: 'Ada <ada@example.com>',
        'stripped-text': 'Hi',
        token: 't',
        timestamp: '1772442000',
      },
      'message-headers': JSON.stringify(Object.entries(headers)),
    }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  );
const sns = (message: object) =>
  decodeWith('ses', {
    MessageId: 'n',
    Timestamp: '2026-03-02T09:00:00.000Z',
    Message: JSON.stringify(message),
  });
const ses = (headers: Headers, source = 'ada@example.com') =>
  sns({
    notificationType: 'Received',
    mail: {
      ...{ source, messageId: 'm', commonHeaders: { from: ['ada@example.com'], subject: 'Hi' } },
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    },
  });

describe.each(Object.entries({ postmark, sendgrid, mailgun, ses }))(
  'a mail that %s receives',
  (_, receive) => {
    it.each([
      { 'Auto-Submitted': 'auto-replied' },
      { Precedence: 'bulk' },
      { 'X-Autoreply': 'yes' },
      { 'X-Auto-Response-Suppress': 'OOF, AutoReply' },
      { 'Return-Path': '<>' },
    ])('with %o is automated', async (headers) => {
      const { interactions } = await receive(headers);
      expect(interactions).toMatchObject([{ kind: 'message', properties: { automated: true } }]);
    });

    it.each([
      { 'Auto-Submitted': 'no' },
      { Precedence: 'list' },
      { 'List-Id': 'help' },
      { 'Return-Path': '<ada@example.com>' },
    ])('with %o is a person', async (headers) => {
      const { interactions } = await receive(headers);
      expect(interactions).toHaveLength(1);
      expect(interactions[0]?.properties?.['automated']).toBeUndefined();
    });
  },
);

it.each([
  ['SendGrid', () => sendgrid({}, '')],
  ['Mailgun', () => mailgun({}, '')],
  ['SES', () => ses({}, '<>')],
])('a mail of %s with an empty return path is automated', async (_, receive) => {
  expect((await receive()).interactions).toMatchObject([{ properties: { automated: true } }]);
});

describe('a delivery report', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const report = (status: string) => ({
    FromFull: { Email: 'MAILER-DAEMON@mx.example.com' },
    Attachments: [
      {
        ContentType: 'message/delivery-status',
        Content: base64(
          `Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; Bob@example.com\r\n${status}`,
        ),
      },
      {
        ContentType: 'text/rfc822-headers',
        Content: base64('To: x\r\nMessage-ID:\r\n <0a129aee-e1cd-480d-b08d-4f48548ff48d@mtasv.net>\r\n'),
      },
    ],
  });

  it.each([
    ['Action: failed\r\nStatus: 5.1.1', 'bounced'],
    ['Action: failed\r\nStatus: 5.7.1\r\nDiagnostic-Code: smtp; 550 5.7.1 listed by Spamhaus', 'failed'],
    ['Action: delayed\r\nStatus: 4.4.1', 'deferred'],
    ['Action: relayed\r\nStatus: 2.0.0', 'delivered'],
  ])(
    'with %j is a status of its message, and closes no address: anybody can write one',
    async (fields, status) => {
      const { interactions } = await postmark({}, report(fields));
      expect(interactions).toMatchObject([
        {
          ...{ kind: 'delivery-status', direction: 'outbound', identifiers: ['email:bob@example.com'] },
          refersTo: '0a129aee-e1cd-480d-b08d-4f48548ff48d',
          properties: { status, automated: true },
        },
      ]);
    },
  );

  it('that names no message makes no customer of a mail server', async () => {
    const type = 'multipart/report; report-type=delivery-status; boundary=x';
    const { interactions, ignored } = await postmark({ 'Content-Type': type });
    expect([interactions, ignored]).toEqual([[], ['delivery report without its message']]);
  });
});

describe('a hard bounce', () => {
  const answers: readonly (readonly [string, boolean])[] = [
    ['550 5.1.1 The email account that you tried to reach does not exist', true],
    ['550 5.7.1 Recipient address rejected: user unknown', true],
    ['550 5.7.1 [203.0.113.7] blocked using Spamhaus', false],
    ['554 Message rejected due to poor reputation of your IP', false],
    ['552 5.2.2 Mailbox full', false],
    ['550 Requested action not taken: mailbox unavailable', true],
  ];

  it.each(answers)('%s: %s', (answer, isHard) => {
    expect(refusesSender(answer)).toBe(!isHard);
  });

  it.each(answers)('is the same with every provider: %s', async (answer, isHard) => {
    const kind = isHard ? 'bounce' : 'delivery-status';
    const email = 'ada@example.com';
    const bounce = {
      type: 'Permanent',
      subType: 'General',
      message: 'The mail bounced.',
      diagnosticCode: [answer],
    };
    const found = await Promise.all([
      decodeWith('sendgrid', [
        { email, event: 'bounce', type: 'bounce', timestamp: 1, sg_event_id: 'e', reason: answer },
      ]),
      decodeWith('mailgun', {
        'event-data': {
          ...{ event: 'failed', severity: 'permanent', reason: 'bounce', id: 'e', recipient: email },
          'delivery-status': { code: 550, message: answer },
        },
      }),
      decodeWith('postmark', {
        RecordType: 'Bounce',
        Type: 'HardBounce',
        ID: 1,
        Email: email,
        Details: answer,
      }),
      decodeWith(
        'resend',
        { type: 'email.bounced', data: { email_id: 'm', to: [email], bounce } },
        { 'svix-id': 's' },
      ),
      sns({
        notificationType: 'Bounce',
        bounce: {
          bounceType: 'Permanent',
          bouncedRecipients: [{ emailAddress: email, diagnosticCode: answer }],
        },
      }),
    ]);
    expect(found.map(({ interactions }) => interactions[0]?.kind)).toEqual(Array(5).fill(kind));
  });
});

it('a notification of SES is read recipient by recipient', async () => {
  const bouncedRecipients = [{ emailAddress: null }, { emailAddress: 'ada@example.com' }];
  const bounce = { bounceType: 'Permanent', bouncedRecipients };
  expect(await sns({ notificationType: 'Bounce', bounce })).toMatchObject({
    interactions: [{ kind: 'bounce', identifiers: ['email:ada@example.com'] }],
    unreadable: [{ member: 'bounce.bouncedRecipients[0]' }],
  });
});

it.each([
  ['test-00000000-0000-4000-8000-000000000001', 0],
  ['test-drive_Q3x0b1', 1],
  ['welcome_Q3x0b1', 1],
])(
  'a report of SES about %s is of a test of a template, or of a message: %i',
  async (notification, count) => {
    const { interactions } = await sns({
      eventType: 'Delivery',
      mail: { messageId: 'm', destination: ['ada@example.com'], tags: { notification: [notification] } },
      delivery: { timestamp: '2026-03-02T09:00:00.000Z', recipients: ['ada@example.com'] },
    });
    expect(interactions).toHaveLength(count);
  },
);
