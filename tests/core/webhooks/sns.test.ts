import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../core/webhooks/channel.ts';
import { verifySns } from '../../../core/webhooks/sns.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const topic = 'arn:aws:sns:eu-south-1:123456789012:mail';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const certificate = 'https://sns.eu-south-1.amazonaws.com/SimpleNotificationService-0a1b.pem';
const subscribe = 'https://sns.eu-south-1.amazonaws.com/?Action=ConfirmSubscription&Token=t';

const confirmation = { Token: 't', SubscribeURL: subscribe };
const messageOf = (type: string, more: Readonly<Record<string, string>>, version = '2') => {
  const signed = {
    Message: 'm',
    MessageId: 'i',
    Timestamp: '2026-03-02T08:59:00.000Z',
    TopicArn: topic,
    Type: type,
  };
  const fields: Record<string, string> = { ...signed, ...more };
  const text = Object.keys(fields)
    .sort()
    .map((name) => `${name}\n${fields[name]}\n`)
    .join('');
  const signature = sign(version === '2' ? 'sha256' : 'sha1', Buffer.from(text), privateKey).toString(
    'base64',
  );
  return {
    ...fields,
    SignatureVersion: version,
    Signature: signature,
    SigningCertURL: certificate,
    UnsubscribeURL: 'u',
  };
};

const judge = async (body: object): Promise<{ verdict: Verdict; asked: string[] }> => {
  const asked: string[] = [];
  const document = async (url: string) => {
    asked.push(url);
    return pem;
  };
  const request = {
    method: 'POST',
    url: 'https://hub.example',
    headers: {},
    body: Buffer.from(JSON.stringify(body)),
  };
  return { verdict: await verifySns(request, ['arn:another', topic], { now, document }), asked };
};

describe('messages of SNS', () => {
  const kinds = [
    ['a notification', messageOf('Notification', {}), 'accepted', [certificate]],
    [
      'one with a subject, signed the old way',
      messageOf('Notification', { Subject: 's' }, '1'),
      'accepted',
      [certificate],
    ],
    [
      'a new subscription',
      messageOf('SubscriptionConfirmation', confirmation),
      'answered',
      [certificate, subscribe],
    ],
    ['the end of one', messageOf('UnsubscribeConfirmation', confirmation), 'answered', [certificate]],
  ] as const;

  it.each(kinds)(
    '%s is accepted, and only a new subscription is confirmed',
    async (_, message, expected, addresses) => {
      const { verdict, asked } = await judge(message);
      expect([verdict.verdict, asked]).toEqual([expected, addresses]);
    },
  );

  it.each(kinds)('%s is refused with any signed field changed, and never confirmed', async (_, message) => {
    for (const name of Object.keys(message).filter((one) => !/^(?:Unsub|Signing)/u.test(one))) {
      const changed = { ...message, [name]: `x${Reflect.get(message, name)}` };
      const { verdict, asked } = await judge(changed);
      expect([name, verdict.verdict, asked.includes(subscribe)]).toEqual([name, 'refused', false]);
    }
  });

  it('fetches nothing where the topic is not ours or the message is old', async () => {
    for (const message of [
      messageOf('SubscriptionConfirmation', { ...confirmation, TopicArn: 'arn:theirs' }),
      messageOf('Notification', { Timestamp: '2026-03-02T07:00:00.000Z' }),
    ])
      expect(await judge(message)).toMatchObject({ verdict: { verdict: 'refused' }, asked: [] });
  });

  it.each([{}, [], null, 'text', 1])('refuses %j', async (body) => {
    expect((await judge(body as object)).verdict.verdict).toBe('refused');
  });
});
