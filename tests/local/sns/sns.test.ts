import { X509Certificate } from 'node:crypto';
import { ClientRequest } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import {
  BatchEntryIdsNotDistinctException,
  ConfirmSubscriptionCommand,
  CreatePlatformApplicationCommand,
  CreatePlatformEndpointCommand,
  CreateTopicCommand,
  DeleteEndpointCommand,
  EmptyBatchRequestException,
  EndpointDisabledException,
  InvalidBatchEntryIdException,
  ListSubscriptionsByTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  type PublishCommandInput,
  SetEndpointAttributesCommand,
  SNSClient,
  SubscribeCommand,
  TooManyEntriesInBatchRequestException,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import Validator from 'sns-validator';
import { describe, expect, it, vi } from 'vitest';
import { sentMessages } from '../../../infra/local/inbox/sent-messages.ts';
import type { Deliver } from '../../../infra/local/protocol/service.ts';
import { sns } from '../../../infra/local/sns/index.ts';
import type { TopicOptions } from '../../../infra/local/sns/topics.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const TopicArn = 'arn:aws:sns:eu-south-1:123456789012:news';
const queue = 'arn:aws:sqs:eu-south-1:123456789012:inbound';
const run = 'arn:aws:lambda:eu-south-1:123456789012:function:run';

const open = (options: TopicOptions = {}, deliver: Deliver = async () => {}) => {
  const delivered: { arn: string; payload: string; source: string; principal: string }[] = [];
  const around = serviceContext({
    deliver: async (one) => {
      await deliver(one);
      delivered.push(one);
    },
  });
  const sent = sentMessages(around.db);
  const client = new SNSClient(clientOf(sns(around, sent, options)));
  return { ...around, sent, delivered, client };
};

describe('push', () => {
  const openWithEndpoint = async (Platform = 'GCM') => {
    const opened = open();
    const { client } = opened;
    const { PlatformApplicationArn } = await client.send(
      new CreatePlatformApplicationCommand({
        Name: 'shop',
        Platform,
        Attributes: { PlatformCredential: 'key' },
      }),
    );
    const register = async (Token = 'device-1', more = {}) =>
      (await client.send(new CreatePlatformEndpointCommand({ PlatformApplicationArn, Token, ...more })))
        .EndpointArn;
    const TargetArn = await register();
    const publish = (Message: string, more: Partial<PublishCommandInput> = {}) =>
      client.send(new PublishCommand({ TargetArn, Message, ...more }));
    return { ...opened, register, TargetArn, publish };
  };

  it('registers a device once', async () => {
    const { register, TargetArn } = await openWithEndpoint();
    expect(TargetArn).toMatch(/^arn:aws:sns:eu-south-1:123456789012:endpoint\/GCM\/shop\/[\da-f-]{36}$/u);
    expect(await register()).toBe(TargetArn);
    await expect(register('device-1', { CustomUserData: 'other' })).rejects.toThrow(
      `Endpoint ${TargetArn} already exists`,
    );
    expect(await register('device-2')).not.toBe(TargetArn);
  });

  it.each([
    ['GCM', 'GCM', { notification: { title: 'Hi', body: 'Ada' } }],
    ['GCM', 'GCM', { fcmV1Message: { message: { notification: { title: 'Hi', body: 'Ada' } } } }],
    ['APNS', 'APNS', { aps: { alert: { title: 'Hi', body: 'Ada' } } }],
  ])('shows what the device of %s would show', async (platform, key, payload) => {
    const { sent, publish } = await openWithEndpoint(platform);
    const { MessageId = '' } = await publish(
      JSON.stringify({ default: 'plain', [key]: JSON.stringify(payload) }),
      {
        MessageStructure: 'json',
        MessageAttributes: { notification: { DataType: 'String', StringValue: 'n-1' } },
      },
    );
    expect(sent.list()).toEqual([
      {
        id: MessageId,
        at: '2026-03-01T09:00:00.000Z',
        medium: 'push',
        to: ['device-1'],
        subject: 'Hi',
        text: 'Ada',
        tags: { notification: 'n-1' },
      },
    ]);
    expect(JSON.parse(Buffer.from(sent.raw(MessageId) ?? []).toString())).toEqual(payload);
  });

  it('takes the default where the platform has no text of its own', async () => {
    const { sent, publish } = await openWithEndpoint();
    await publish(JSON.stringify({ default: 'plain', APNS: '{}' }), { MessageStructure: 'json' });
    await publish('{"as": "it is"}');
    expect(sent.list().map(({ text }) => text)).toEqual(['plain', '{"as": "it is"}']);
    await expect(publish('{"GCM": "x"}', { MessageStructure: 'json' })).rejects.toThrow(/No default entry/u);
    await expect(publish('x'.repeat(256 * 1024 + 1))).rejects.toThrow(/too long/u);
  });

  it('sends nothing to a device that is disabled or gone', async () => {
    const { client, sent, publish, TargetArn } = await openWithEndpoint();
    const enable = (Enabled: string) =>
      client.send(
        new SetEndpointAttributesCommand({
          EndpointArn: TargetArn,
          Attributes: { Enabled, Token: 'device-9' },
        }),
      );
    await enable('false');
    await expect(publish('x')).rejects.toThrow(EndpointDisabledException);
    await enable('true');
    await publish('x');
    expect(sent.list().map(({ to }) => to)).toEqual([['device-9']]);
    await client.send(new DeleteEndpointCommand({ EndpointArn: TargetArn }));
    await expect(publish('x')).rejects.toThrow(/No endpoint found/u);
  });
});

describe('topics', () => {
  const openWithTopic = async (options: TopicOptions = {}, deliver?: Deliver) => {
    const opened = open(options, deliver);
    await opened.client.send(new CreateTopicCommand({ Name: 'news' }));
    const subscribe = async (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
      (await opened.client.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes })))
        .SubscriptionArn ?? '';
    const publish = (Message: string, more: Partial<PublishCommandInput> = {}) =>
      opened.client.send(new PublishCommand({ TopicArn, Message, ...more }));
    return { ...opened, subscribe, publish };
  };

  it('deliver to queues and functions, each in its form', async () => {
    const { clock, delivered, subscribe, publish } = await openWithTopic();
    await subscribe('sqs', queue);
    await subscribe('sqs', `${queue}-raw`, { RawMessageDelivery: 'true' });
    const EventSubscriptionArn = await subscribe('lambda', run);
    const { MessageId } = await publish('hello', {
      Subject: 'News',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } },
    });
    await clock.runUntil(clock.now());
    const Sns = {
      Type: 'Notification',
      MessageId,
      TopicArn,
      Subject: 'News',
      Message: 'hello',
      Timestamp: '2026-03-01T09:00:00.000Z',
      MessageAttributes: { kind: { Type: 'String', Value: 'x' } },
      Signature: expect.any(String),
      SignatureVersion: '1',
    };
    const [SigningCertURL, UnsubscribeURL] = [expect.any(String), expect.any(String)];
    const payloads = Object.fromEntries(delivered.map(({ arn, payload }) => [arn, payload]));
    expect(JSON.parse(payloads[queue] ?? '')).toEqual({ ...Sns, SigningCertURL, UnsubscribeURL });
    expect(payloads[`${queue}-raw`]).toBe('hello');
    expect(JSON.parse(payloads[run] ?? '')).toEqual({
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn,
          Sns: { ...Sns, SigningCertUrl: SigningCertURL, UnsubscribeUrl: UnsubscribeURL },
        },
      ],
    });
    expect(delivered[0]).toMatchObject({ source: TopicArn, principal: 'sns.amazonaws.com' });
  });

  it('try again until the subscriber takes it, also after a restart', async () => {
    let refusals = 3;
    const around = await openWithTopic({}, async () => {
      if (refusals-- > 0) throw new Error('busy');
    });
    const { clock, delivered, subscribe, publish } = around;
    await subscribe('sqs', queue);
    const start = clock.now();
    await publish('hello');
    await clock.runUntil(start + 6999);
    expect(delivered).toEqual([]);
    await clock.runUntil(start + 7000);
    expect(delivered).toHaveLength(1);
    await publish('again');
    const clockAfterRestart = serviceContext().clock;
    sns({ ...around, clock: clockAfterRestart }, around.sent);
    await clockAfterRestart.runUntil(clockAfterRestart.now());
    expect(delivered.slice(1).map(({ payload }) => JSON.parse(payload).Message)).toEqual(['again']);
  });

  it('ask an https subscriber for confirmation before anything else is sent', async () => {
    const posts: { url: string; type: string; body: Record<string, string> }[] = [];
    const { client, clock, publish, subscribe } = await openWithTopic({
      endpoint: 'http://127.0.0.1:4566',
      post: async (url, headers, body) => {
        posts.push({ url, type: headers['x-amz-sns-message-type'] ?? '', body: JSON.parse(body) });
      },
    });
    expect(await subscribe('https', 'https://acme.example/hook')).toBe('pending confirmation');
    await publish('too early');
    await clock.runUntil(clock.now());
    expect(posts.map(({ url, type }) => [url, type])).toEqual([
      ['https://acme.example/hook', 'SubscriptionConfirmation'],
    ]);
    const link = new URL(posts[0]?.body['SubscribeURL'] ?? '');
    expect([link.origin, link.searchParams.get('Action')]).toEqual([
      'http://127.0.0.1:4566',
      'ConfirmSubscription',
    ]);
    await expect(
      client.send(new ConfirmSubscriptionCommand({ TopicArn, Token: 'guess' })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await client.send(
      new ConfirmSubscriptionCommand({ TopicArn, Token: link.searchParams.get('Token') ?? '' }),
    );
    await publish('now');
    await clock.runUntil(clock.now());
    expect(posts[1]).toMatchObject({ type: 'Notification', body: { Message: 'now' } });
  });

  it('end a subscription, and refuse attributes and protocols that they do not implement', async () => {
    const { client, clock, delivered, subscribe, publish } = await openWithTopic();
    const arn = await subscribe('sqs', queue);
    expect(await subscribe('sqs', queue)).toBe(arn);
    await expect(subscribe('sqs', `${queue}2`, { DeliveryPolicy: '{}' })).rejects.toThrow(/DeliveryPolicy/u);
    await expect(subscribe('sqs', `${queue}2`, { FilterPolicy: '{"a":1}' })).rejects.toThrow(/FilterPolicy/u);
    await expect(subscribe('https', 'https://acme.example')).rejects.toThrow(/does not deliver by https/u);
    await expect(subscribe('email-json', 'a@acme.example')).rejects.toThrow(/does not deliver by email/u);
    const list = async () =>
      (await client.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions;
    expect(await list()).toMatchObject([{ SubscriptionArn: arn, Protocol: 'sqs', Endpoint: queue }]);
    await client.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
    await publish('x');
    await clock.runUntil(clock.now());
    expect([delivered, await list()]).toEqual([[], []]);
  });

  it('put e-mails into the inbox, with the subject of the publisher or that of AWS', async () => {
    const { clock, sent, subscribe, publish } = await openWithTopic();
    await subscribe('email', 'ops@acme.example');
    await publish('It is down.', { Subject: 'Salesforce stopped' });
    await publish('It is up.');
    await clock.runUntil(clock.now());
    expect(sent.list()).toMatchObject([
      { medium: 'email', to: ['ops@acme.example'], subject: 'Salesforce stopped', text: 'It is down.' },
      { subject: 'AWS Notification Message', text: 'It is up.' },
    ]);
  });

  it.each(['1', '2'])('sign what they send, and the validator of AWS agrees: version %s', async (version) => {
    const { clock, client, delivered, subscribe, publish, db, sent } = await openWithTopic();
    await client.send(new CreateTopicCommand({ Name: 'news', Attributes: { SignatureVersion: version } }));
    await subscribe('sqs', queue);
    await subscribe('lambda', run);
    await publish('hello', { Subject: 'News' });
    await clock.runUntil(clock.now());
    const [text, event] = delivered.map(({ payload }) => JSON.parse(payload));
    const server = sns({ ...serviceContext(), db }, sent);
    const { pathname } = new URL(text.SigningCertURL);
    const request = { method: 'GET', path: pathname, query: '', headers: {}, body: new Uint8Array() };
    const { body } = await server.handle(request, { accessKeyId: '-', arn: '-' });
    const certificate = new X509Certificate(Buffer.from(body));
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    // The validator fetches the certificate by https alone, so it is handed over in the place of the network.
    const get = vi.spyOn(https, 'get').mockImplementation((_: unknown, ...rest: unknown[]) => {
      const answer = Object.assign(Readable.from([Buffer.from(body)]), { statusCode: 200 });
      const then = rest.at(-1);
      if (typeof then === 'function') then(answer);
      return new ClientRequest('http://127.0.0.1:9').on('error', () => {});
    });
    const validated = (message: Record<string, unknown>) =>
      new Promise<unknown>((resolve, reject) =>
        new Validator().validate(message, (error, valid) => (error ? reject(error) : resolve(valid))),
      );
    try {
      expect(await validated(text)).toMatchObject({ Message: 'hello', SignatureVersion: version });
      expect(await validated(event.Records[0].Sns)).toMatchObject({ Subject: 'News' });
      await expect(validated({ ...text, Message: 'hellp' })).rejects.toThrow(/signature/iu);
    } finally {
      get.mockRestore();
    }
  });

  it('let through what a filter lets through, by attributes or by body', async () => {
    const { clock, delivered, subscribe, publish } = await openWithTopic();
    await subscribe('sqs', queue, {
      FilterPolicy: '{"kind":["a",{"prefix":"b"}],"n":[{"numeric":[">",5]}]}',
    });
    await subscribe('sqs', `${queue}-body`, {
      FilterPolicy: '{"order":{"total":[{"numeric":[">",5]}]}}',
      FilterPolicyScope: 'MessageBody',
      RawMessageDelivery: 'true',
    });
    const attributes = (kind: string, n: string) => ({
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: kind },
        n: { DataType: 'Number', StringValue: n },
      },
    });
    await publish('one', attributes('bc', '6'));
    await publish('two', attributes('a', '5'));
    await publish('{"order":{"total":7}}');
    await clock.runUntil(clock.now());
    expect(
      delivered.map(({ payload }) => (payload.includes('Type') ? JSON.parse(payload).Message : payload)),
    ).toEqual(['one', '{"order":{"total":7}}']);
  });

  it('take several messages at once, and leave a dead letter where nobody takes them', async () => {
    const { clock, client, delivered, subscribe } = await openWithTopic({}, async ({ arn }) => {
      if (arn === queue) throw new Error('busy');
    });
    await subscribe('sqs', queue, {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: `${queue}-dead` }),
    });
    const PublishBatchRequestEntries = [
      { Id: 'a', Message: 'one' },
      { Id: 'b', Message: 'two', Subject: 'line\nbreak' },
    ];
    const { Successful, Failed } = await client.send(
      new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }),
    );
    expect([Successful?.map(({ Id }) => Id), Failed?.map(({ Id, Code }) => [Id, Code])]).toEqual([
      ['a'],
      [['b', 'InvalidParameter']],
    ]);
    const entries = (...ids: string[]) =>
      client.send(
        new PublishBatchCommand({
          TopicArn,
          PublishBatchRequestEntries: ids.map((Id) => ({ Id, Message: 'x' })),
        }),
      );
    const eleven = Array.from({ length: 11 }, (_, at) => `m${at}`);
    await expect(entries(...eleven)).rejects.toThrow(TooManyEntriesInBatchRequestException);
    await expect(entries()).rejects.toThrow(EmptyBatchRequestException);
    await expect(entries('a', 'a')).rejects.toThrow(BatchEntryIdsNotDistinctException);
    await expect(entries('a b')).rejects.toThrow(InvalidBatchEntryIdException);
    await clock.runUntil(clock.now() + 86_400_000);
    expect(delivered.map(({ arn, payload }) => [arn, JSON.parse(payload).Message])).toEqual([
      [`${queue}-dead`, 'one'],
    ]);
  });
});
