import { PinpointSMSVoiceV2Client, PutOptedOutNumberCommand } from '@aws-sdk/client-pinpoint-sms-voice-v2';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SetEndpointAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { senders } from '../../connectors/senders/index.ts';
import { DeadAddress, isRefusal, NotNow, type OutgoingMessage } from '../../core/triggers/sending/sender.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';
import { sentMessages } from '../../infra/local/inbox/sent-messages.ts';
import type { AwsResponse, AwsService } from '../../infra/local/protocol/service.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { ses } from '../../infra/local/ses/index.ts';
import type { SendingQuota } from '../../infra/local/ses/quota.ts';
import { smsVoice } from '../../infra/local/sms/index.ts';
import { sns } from '../../infra/local/sns/index.ts';
import { serviceContext } from '../support/service-context.ts';

interface World {
  /** Answers instead of the AWS services. */
  readonly aws?: () => Promise<AwsResponse>;
  readonly meta?: (request: Request) => Response | Promise<Response>;
  readonly sandbox?: boolean;
  readonly quota?: SendingQuota;
  readonly timeLimitMs?: number;
}

const open = ({ aws, meta, sandbox = false, quota, timeLimitMs = 10_000 }: World = {}) => {
  const around = serviceContext();
  const sent = sentMessages(around.db);
  const services: Record<string, AwsService> = {
    ses: ses(around, sent, { sandbox, quota, verified: ['acme.example'] }),
    sns: sns(around, sent),
    'sms-voice': smsVoice(around, sent),
  };
  const bound = inProcess(async (request) => {
    if (aws) return aws();
    const name = /\/([\w-]+)\/aws4_request/u.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    const service = services[name];
    if (service === undefined) throw new Error(`no service ${name}`);
    return service.handle(request, { accessKeyId: 'TEST', arn: 'arn:aws:iam::123456789012:role/test' });
  });
  const config = {
    region: around.region,
    credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: bound.requestHandler,
  };
  const timeLimit = (): AbortSignal => AbortSignal.timeout(timeLimitMs);
  const all = senders({
    aws: config,
    call: signedCalls(
      {
        env: { AWS_REGION: around.region, AWS_ACCESS_KEY_ID: 'TEST', AWS_SECRET_ACCESS_KEY: 'test' },
        aws: bound,
        random: () => 0,
      },
      { attempts: 1, timeLimit },
    ),
    fetch: async (input, init) => {
      if (meta === undefined) throw new TypeError('fetch failed');
      return meta(new Request(input, init));
    },
    timeLimit,
    publicUrl: 'https://hub.example',
    secret: async () => ({ accessToken: 'token', phoneNumberId: '106' }),
  });
  const send = (id: string, message: Partial<OutgoingMessage> = {}): Promise<string> => {
    const sender = all[id];
    if (sender === undefined) throw new Error(`no sender ${id}`);
    return sender.send({
      ...{ id: 'hello.cause', channel: 'email', category: 'service', to: 'ada@example.com' },
      ...{ from: 'Grüße <hello@acme.example>', subject: 'Schöne Grüße', text: 'Hällo', ...message },
    });
  };
  const push = async (): Promise<string> => {
    const client = new SNSClient(config);
    const { PlatformApplicationArn } = await client.send(
      new CreatePlatformApplicationCommand({ Name: 'shop', Platform: 'GCM', Attributes: {} }),
    );
    const { EndpointArn = '' } = await client.send(
      new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: 'device-1' }),
    );
    return EndpointArn;
  };
  return { sent, send, config, push, clock: around.clock, sender: (id: string) => all[id] };
};

/** How a send ended: an id, a refusal with its retry, or doubt. */
const ending = async (sending: Promise<string>): Promise<unknown> =>
  sending.then(
    () => 'sent',
    (error: unknown) => {
      if (error instanceof NotNow) return error.why;
      return isRefusal(error) ? error.retry : 'in doubt';
    },
  );

describe('SES', () => {
  it('sends valid MIME with one-click unsubscribe', async () => {
    const { send, sent } = open();
    const id = await send('ses', { html: '<p>Hällo</p>', unsubscribe: 'https://hub.example/unsubscribe/t' });
    expect(sent.list()).toMatchObject([
      {
        ...{ id, medium: 'email', to: ['ada@example.com'], subject: 'Schöne Grüße', text: 'Hällo' },
        html: '<p>Hällo</p>',
        headers: {
          'list-unsubscribe': '<https://hub.example/unsubscribe/t>',
          'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
        },
        tags: { notification: 'hello_cause' },
      },
    ]);
  });

  it('sends a sender whose name has a comma whole, and names one that is not verified', async () => {
    const { send, sent } = open();
    await send('ses', { from: 'Acme, Inc. <hello@acme.example>' });
    expect(sent.list()).toMatchObject([{ from: 'Acme, Inc. <hello@acme.example>' }]);
    await expect(send('ses', { from: 'Shop <shop@else.example>' })).rejects.toMatchObject({
      message: expect.stringMatching(/shop@else\.example is not verified.*Verify its domain/u),
    });
    const recipient = open({ sandbox: true }).send('ses');
    await expect(recipient).rejects.toMatchObject({ message: expect.not.stringContaining('ada@') });
  });

  it('reports a permanent refusal of SES, and of a mail without a sender', async () => {
    expect(await ending(open({ sandbox: true }).send('ses'))).toBe('never');
    const { send } = open();
    const { from: _, ...nameless } = { from: 'x' };
    expect(await ending(send('ses', { ...nameless, from: undefined as never }))).toBe('never');
  });
});

describe('AWS End User Messaging', () => {
  it('sends an SMS with the id of the notification in its context', async () => {
    const { send, sent } = open();
    const id = await send('aws-sms', { channel: 'sms', to: '+14155550100', text: 'Hi' });
    expect(sent.list()).toMatchObject([
      { id, medium: 'sms', to: ['+14155550100'], text: 'Hi', tags: { notification: 'hello.cause' } },
    ]);
  });

  it('reports a permanent refusal of an opted-out or invalid number', async () => {
    const { send, config } = open();
    await new PinpointSMSVoiceV2Client(config).send(
      new PutOptedOutNumberCommand({ OptOutListName: 'Default', OptedOutNumber: '+14155550100' }),
    );
    expect(await ending(send('aws-sms', { channel: 'sms', to: '+14155550100' }))).toBe('never');
    expect(await ending(send('aws-sms', { channel: 'sms', to: 'nobody' }))).toBe('never');
  });
});

describe('the limits of an account', () => {
  const outcomes = async (count: number, send: () => Promise<string>): Promise<unknown[]> => {
    const ended: unknown[] = [];
    for (let one = 0; one < count; one++) ended.push(await ending(send()));
    return ended;
  };

  it('of SES: by the second for a moment, by the day for the account', async () => {
    const { send, clock } = open({ quota: { second: 2, day: 3 } });
    expect(await outcomes(3, () => send('ses'))).toEqual(['sent', 'sent', 'rate']);
    await clock.runUntil(clock.now() + 1000);
    expect(await outcomes(2, () => send('ses'))).toEqual(['sent', 'account']);
    await clock.runUntil(clock.now() + 86_400_000);
    expect(await outcomes(1, () => send('ses'))).toEqual(['sent']);
  });

  it('of SES are what SES says of them', async () => {
    const { send, sender } = open({ quota: { second: 2, day: 3 } });
    await send('ses');
    expect(await sender('ses')?.quota?.()).toEqual({ perSecond: 2, daily: 3, used: 1 });
  });

  it('of SMS: by the parts of a second, and by the spend limit of the month', async () => {
    const { send, clock } = open();
    const text = (words: string) => send('aws-sms', { channel: 'sms', to: '+14155550100', text: words });
    expect(await outcomes(3, () => text('x'.repeat(200)))).toEqual(['sent', 'rate', 'rate']);
    await clock.runUntil(clock.now() + 1000);
    // A message of more parts than that goes alone. A new account spends a dollar a month.
    for (let second = 0; second < 9; second++) {
      expect(await ending(text('x'.repeat(1500)))).toBe('sent');
      await clock.runUntil(clock.now() + 1000);
    }
    expect(await ending(text('x'.repeat(1500)))).toBe('account');
  });
});

describe('a vendor that does not answer', () => {
  it('WhatsApp: the request ends after its time, and nobody knows whether the message was sent', async () => {
    const silent = (request: Request): Promise<Response> =>
      new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason));
      });
    const { send } = open({ meta: silent, timeLimitMs: 20 });
    const to = { channel: 'whatsapp', to: '+14155550100', text: 'Hi' } as const;
    expect(await ending(send('whatsapp-cloud', to))).toBe('in doubt');
  });

  it.each([
    ['ses', {}],
    ['aws-sms', { channel: 'sms', to: '+14155550100' }],
    ['sns-push', { channel: 'push', to: 'shop:arn:aws:sns:eu-south-1:123456789012:endpoint/GCM/shop/1' }],
  ] as const)('%s likewise', async (id, message) => {
    const { send } = open({ aws: () => new Promise(() => {}), timeLimitMs: 20 });
    expect(await ending(send(id, message))).toBe('in doubt');
  });
});

describe('SNS push', () => {
  it('publishes to the endpoint of the address', async () => {
    const { send, sent, push } = open();
    await send('sns-push', { channel: 'push', to: `shop:${await push()}`, subject: 'Title', text: 'Body' });
    expect(sent.list()).toMatchObject([{ medium: 'push', subject: 'Title', text: 'Body' }]);
  });

  it('reports a permanent refusal of an invalid or disabled endpoint', async () => {
    const { send, push, config } = open();
    expect(await ending(send('sns-push', { channel: 'push', to: 'shop:device-1' }))).toBe('never');
    const EndpointArn = await push();
    await new SNSClient(config).send(
      new SetEndpointAttributesCommand({ EndpointArn, Attributes: { Enabled: 'false' } }),
    );
    const disabled = send('sns-push', { channel: 'push', to: `shop:${EndpointArn}` });
    await expect(disabled).rejects.toBeInstanceOf(DeadAddress);
  });
});

describe('WhatsApp Cloud', () => {
  const answered = (status: number, body: unknown) => () => Response.json(body, { status });
  const to = { channel: 'whatsapp', to: '+14155550100', text: 'Hi' } as const;

  it('sends text to the number, with the token and the id of the notification', async () => {
    const requests: { readonly url: string; readonly token: string | null; readonly body: unknown }[] = [];
    const { send } = open({
      async meta(request) {
        const token = request.headers.get('authorization');
        requests.push({ url: request.url, token, body: await request.json() });
        return Response.json({ messages: [{ id: 'wamid.1' }] });
      },
    });
    expect(await send('whatsapp-cloud', to)).toBe('wamid.1');
    expect(requests).toMatchObject([
      {
        url: expect.stringMatching(/^https:\/\/graph\.facebook\.com\/v\d+\.0\/106\/messages$/u),
        token: 'Bearer token',
        body: {
          ...{ messaging_product: 'whatsapp', to: '14155550100', type: 'text', text: { body: 'Hi' } },
          biz_opaque_callback_data: 'hello.cause',
        },
      },
    ]);
  });

  it('sends an approved template with its parameters in order', async () => {
    let body: unknown;
    const { send } = open({
      async meta(request) {
        body = await request.json();
        return Response.json({ messages: [{ id: 'wamid.1' }] });
      },
    });
    const template = { name: 'cart', language: 'it', parameters: ['Ada', '60'] };
    await send('whatsapp-cloud', { ...to, template });
    expect(body).toMatchObject({
      type: 'template',
      template: {
        ...{ name: 'cart', language: { code: 'it' } },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ada' }, { text: '60' }] }],
      },
    });
  });

  it.each([
    [400, { error: { code: 131047 } }, 'never'],
    [400, { error: { code: 131026 } }, 'never'],
    [401, { error: { code: 190 } }, 'account'],
    [429, { error: { code: 130429, message: '(#130429) Rate limit hit' } }, 'rate'],
    [429, { error: { code: 80007 } }, 'rate'],
    [400, { error: { code: 131056 } }, 'message'],
    [400, { error: { code: 131048, message: '(#131048) Spam rate limit hit' } }, 'account'],
    [500, { error: { code: 131000 } }, 'down'],
    [503, { error: { code: 131016 } }, 'down'],
    [500, { error: { code: 999 } }, 'in doubt'],
  ])('%s %j: %s', async (status, body, retry) => {
    expect(await ending(open({ meta: answered(status, body) }).send('whatsapp-cloud', to))).toBe(retry);
  });

  it('reports an uncertain send where the answer is not of Meta', async () => {
    const page = () => new Response('<html>bad gateway</html>', { status: 502 });
    expect(await ending(open({ meta: page }).send('whatsapp-cloud', to))).toBe('in doubt');
    expect(await ending(open().send('whatsapp-cloud', to))).toBe('in doubt');
  });
});

describe.each([
  ['ses', {}],
  ['aws-sms', { channel: 'sms', to: '+14155550100' }],
  ['sns-push', { channel: 'push', to: 'shop:arn:aws:sns:eu-south-1:123456789012:endpoint/GCM/shop/1' }],
] as const)('%s', (id, message) => {
  const answer = (status: number, type: string): AwsResponse => ({
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-errortype': type },
    body:
      id === 'aws-sms'
        ? JSON.stringify({ __type: type, Message: 'no' })
        : `<ErrorResponse><Error><Type>Sender</Type><Code>${type}</Code><Message>no</Message></Error></ErrorResponse>`,
  });
  const throttled = { ses: 'Throttling', 'aws-sms': 'ThrottlingException', 'sns-push': 'Throttled' }[id];

  it('takes nothing at the rate of a throttle', async () => {
    expect(await ending(open({ aws: async () => answer(400, throttled) }).send(id, message))).toBe('rate');
  });

  it('is uncertain when AWS failed or did not answer', async () => {
    const failed = open({ aws: async () => answer(500, 'InternalFailure') });
    expect(await ending(failed.send(id, message))).toBe('in doubt');
    const lost = open({ aws: () => Promise.reject(new Error('socket hang up')) });
    expect(await ending(lost.send(id, message))).toBe('in doubt');
  });
});
