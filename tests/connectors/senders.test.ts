import { PinpointSMSVoiceV2Client, PutOptedOutNumberCommand } from '@aws-sdk/client-pinpoint-sms-voice-v2';
import {
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  SetEndpointAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { senders } from '../../connectors/senders/index.ts';
import { isRefusal, type OutgoingMessage } from '../../core/triggers/sender.ts';
import { signedCalls } from '../../functions/aws/clients/signed.ts';
import { sentMessages } from '../../infra/local/inbox/sent-messages.ts';
import type { AwsResponse, AwsService } from '../../infra/local/protocol/service.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { ses } from '../../infra/local/ses/index.ts';
import { smsVoice } from '../../infra/local/sms/index.ts';
import { sns } from '../../infra/local/sns/index.ts';
import { serviceContext } from '../support/service-context.ts';

interface World {
  /** Answers instead of the AWS services. */
  readonly aws?: () => Promise<AwsResponse>;
  readonly meta?: (request: Request) => Response | Promise<Response>;
  readonly sandbox?: boolean;
}

const open = ({ aws, meta, sandbox = false }: World = {}) => {
  const around = serviceContext();
  const sent = sentMessages(around.db);
  const services: Record<string, AwsService> = {
    ses: ses(around, sent, { sandbox, verified: ['acme.example'] }),
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
  const all = senders({
    aws: config,
    call: signedCalls(
      {
        env: { AWS_REGION: around.region, AWS_ACCESS_KEY_ID: 'TEST', AWS_SECRET_ACCESS_KEY: 'test' },
        aws: bound,
        random: () => 0,
      },
      { attempts: 1 },
    ),
    fetch: async (input, init) => {
      if (meta === undefined) throw new TypeError('fetch failed');
      return meta(new Request(input, init));
    },
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
  return { sent, send, config, push };
};

/** How a send ended: an id, a refusal with its retry, or doubt. */
const ending = async (sending: Promise<string>): Promise<unknown> =>
  sending.then(
    () => 'sent',
    (error: unknown) => (isRefusal(error) ? error.retry : 'in doubt'),
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
    expect(await ending(send('sns-push', { channel: 'push', to: `shop:${EndpointArn}` }))).toBe('never');
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
    [401, { error: { code: 190 } }, 'never'],
    [429, { error: { code: 130429 } }, 'later'],
    [400, { error: { code: 131056 } }, 'later'],
    [500, { error: { code: 131000 } }, 'later'],
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

  it('is retried after throttling', async () => {
    expect(await ending(open({ aws: async () => answer(400, throttled) }).send(id, message))).toBe('later');
  });

  it('is uncertain when AWS failed or did not answer', async () => {
    const failed = open({ aws: async () => answer(500, 'InternalFailure') });
    expect(await ending(failed.send(id, message))).toBe('in doubt');
    const lost = open({ aws: () => Promise.reject(new Error('socket hang up')) });
    expect(await ending(lost.send(id, message))).toBe('in doubt');
  });
});
