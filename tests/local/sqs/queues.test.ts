import { DatabaseSync } from 'node:sqlite';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type SqsOptions, sqs } from '../../../infra/local/sqs/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const QueueUrl = 'https://sqs.eu-south-1.amazonaws.com/123456789012/inbound';
const arn = (name: string): string => `arn:aws:sqs:eu-south-1:123456789012:${name}`;

const open = async (attributes: Record<string, string> = {}, options: SqsOptions = {}) => {
  const around = serviceContext();
  const service = sqs(around, options);
  const client = new SQSClient(clientOf(service));
  await client.send(new CreateQueueCommand({ QueueName: 'inbound', Attributes: attributes }));
  const receive = async (asked: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> =>
    (await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...asked })))
      .Messages ?? [];
  const send = (MessageBody: string, more = {}) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
  const attributesOf = async (url = QueueUrl) =>
    (await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] })))
      .Attributes ?? {};
  return { ...around, service, client, receive, send, attributesOf };
};

describe('queues', () => {
  it('are made once, found, listed by page and removed', async () => {
    const { client } = await open();
    const made = await client.send(new CreateQueueCommand({ QueueName: 'other' }));
    const again = await client.send(new CreateQueueCommand({ QueueName: 'other' }));
    const found = await client.send(new GetQueueUrlCommand({ QueueName: 'other' }));
    expect([again.QueueUrl, found.QueueUrl]).toEqual([made.QueueUrl, made.QueueUrl]);
    const first = await client.send(new ListQueuesCommand({ MaxResults: 1 }));
    const second = await client.send(
      new ListQueuesCommand({ MaxResults: 1, ...(first.NextToken && { NextToken: first.NextToken }) }),
    );
    expect([first.QueueUrls, second.QueueUrls, second.NextToken]).toEqual([
      [QueueUrl],
      [made.QueueUrl],
      undefined,
    ]);
    await client.send(new DeleteQueueCommand({ QueueUrl: made.QueueUrl }));
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'other' }))).rejects.toThrow(
      QueueDoesNotExist,
    );
  });

  it('refuse what the service refuses', async () => {
    const { client } = await open();
    const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
      client.send(new CreateQueueCommand({ QueueName, Attributes }));
    await expect(create('inbound', { DelaySeconds: '5' })).rejects.toMatchObject({
      name: 'QueueNameExists',
    });
    await expect(create('a', { DelaySeconds: '901' })).rejects.toMatchObject({
      name: 'InvalidAttributeValue',
    });
    await expect(create('a', { Colour: 'red' })).rejects.toMatchObject({ name: 'InvalidAttributeName' });
    await expect(create('a.fifo', { FifoQueue: 'true' })).rejects.toThrow(/standard queues only/u);
    await expect(create('a b')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('nowhere'), maxReceiveCount: 1 });
    await expect(create('a', { RedrivePolicy })).rejects.toThrow(/target does not exist/u);
    expect((await client.send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
  });

  it('tell their attributes and counts', async () => {
    const { client, clock, send, receive, attributesOf } = await open({ VisibilityTimeout: '60' });
    await send('one');
    await send('two');
    await send('later', { DelaySeconds: 90 });
    expect(await receive({ MaxNumberOfMessages: 1 })).toHaveLength(1);
    await clock.runUntil(clock.now() + 1000);
    await client.send(
      new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: '120' } }),
    );
    expect(await attributesOf()).toMatchObject({
      QueueArn: arn('inbound'),
      VisibilityTimeout: '60',
      DelaySeconds: '0',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '120',
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
      CreatedTimestamp: String(clock.now() / 1000 - 1),
      LastModifiedTimestamp: String(clock.now() / 1000),
    });
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await attributesOf()).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });
});

describe('messages', () => {
  it('come back as they were sent, digests checked by the client', async () => {
    const { send, receive, clock } = await open();
    const sentAt = clock.now();
    await send('Grüße 🎈\n', {
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'sms' },
        'count.of': { DataType: 'Number.int', StringValue: '12' },
        raw: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255, 7]) },
      },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5e' } },
    });
    await clock.runUntil(sentAt + 250);
    const [message] = await receive({
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    expect(message).toMatchObject({
      Body: 'Grüße 🎈\n',
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'sms' },
        'count.of': { DataType: 'Number.int', StringValue: '12' },
        raw: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 7]) },
      },
      Attributes: {
        SenderId: 'AKIATEST',
        SentTimestamp: String(sentAt),
        ApproximateReceiveCount: '1',
        ApproximateFirstReceiveTimestamp: String(sentAt + 250),
        AWSTraceHeader: 'Root=1-5e',
      },
    });
  });

  it('show only the attributes that were asked for', async () => {
    const { send, receive } = await open();
    const MessageAttributes = {
      'a.one': { DataType: 'String', StringValue: '1' },
      two: { DataType: 'String', StringValue: '2' },
    };
    await send('x', { MessageAttributes });
    const [bare] = await receive({ VisibilityTimeout: 0 });
    expect([bare?.Attributes, bare?.MessageAttributes]).toEqual([undefined, undefined]);
    const [some] = await receive({
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['a.*'],
    });
    expect(Object.keys(some?.Attributes ?? {})).toEqual(['SentTimestamp']);
    expect(Object.keys(some?.MessageAttributes ?? {})).toEqual(['a.one']);
  });

  it('hide when received, and come again when nobody removes them in time', async () => {
    const { client, clock, send, receive } = await open({ VisibilityTimeout: '30' });
    await send('x');
    const [first] = await receive();
    expect(await receive()).toEqual([]);
    await clock.runUntil(clock.now() + 29_999);
    expect(await receive()).toEqual([]);
    await clock.runUntil(clock.now() + 1);
    const [second] = await receive({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect([second?.MessageId, second?.Attributes]).toEqual([
      first?.MessageId,
      { ApproximateReceiveCount: '2' },
    ]);
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }));
    await clock.runUntil(clock.now() + 30_000);
    const [third] = await receive();
    expect(third?.MessageId, 'an old receipt removes nothing').toBe(first?.MessageId);
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: third?.ReceiptHandle }));
    await clock.runUntil(clock.now() + 60_000);
    expect(await receive()).toEqual([]);
  });

  it('can be hidden for longer, or given back', async () => {
    const { client, clock, send, receive } = await open({ VisibilityTimeout: '30' });
    await send('x');
    const [message] = await receive();
    const hide = (VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout,
        }),
      );
    await hide(120);
    await clock.runUntil(clock.now() + 100_000);
    expect(await receive()).toEqual([]);
    await hide(0);
    await expect(hide(10)).rejects.toMatchObject({ name: 'MessageNotInflight' });
    expect(await receive()).toHaveLength(1);
    await expect(
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: 'nonsense', VisibilityTimeout: 1 }),
      ),
    ).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  it('wait for their delay, the message’s own before the queue’s', async () => {
    const { clock, send, receive } = await open({ DelaySeconds: '10' });
    await send('queue');
    await send('own', { DelaySeconds: 20 });
    await send('now', { DelaySeconds: 0 });
    const bodies = async () => (await receive()).map(({ Body }) => Body);
    expect(await bodies()).toEqual(['now']);
    await clock.runUntil(clock.now() + 10_000);
    expect(await bodies()).toEqual(['queue']);
    await clock.runUntil(clock.now() + 10_000);
    expect(await bodies()).toEqual(['own']);
  });

  it('are dropped when they are too old', async () => {
    const { clock, send, receive } = await open({ MessageRetentionPeriod: '60' });
    await send('x');
    await clock.runUntil(clock.now() + 60_000);
    expect(await receive()).toEqual([]);
  });

  it('are refused when too long, empty or holding characters that XML has not', async () => {
    const { client, send, attributesOf } = await open();
    await expect(send('x'.repeat(1024 * 1024 + 1))).rejects.toThrow(/shorter than 1048576 bytes/u);
    await expect(send('')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(send(undefined as unknown as string)).rejects.toMatchObject({ name: 'MissingParameter' });
    await expect(send('\u0000')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
    await expect(send('\uffff')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
    await expect(send('x', { DelaySeconds: 901 })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    for (const wrong of [
      { 'AWS.x': { DataType: 'String', StringValue: 'x' } },
      { x: { DataType: 'Text', StringValue: 'x' } },
      { x: { DataType: 'Number', StringValue: 'x' } },
      { x: { DataType: 'String', StringValue: '' } },
    ])
      await expect(send('x', { MessageAttributes: wrong })).rejects.toMatchObject({
        name: 'InvalidParameterValue',
      });
    await send('x'.repeat(1024 * 1024));
    expect(await attributesOf()).toMatchObject({ ApproximateNumberOfMessages: '1' });
    const profileId = 'x'.repeat(600_000);
    const Entries = [
      { Id: 'a', MessageBody: profileId },
      { Id: 'b', MessageBody: profileId },
    ];
    await expect(client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({
      name: 'BatchRequestTooLong',
    });
  });

  it('travel in batches whose entries stand for themselves', async () => {
    const { client, receive } = await open();
    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'bad', MessageBody: '\u0001' },
        ],
      }),
    );
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(sent.Failed).toMatchObject([{ Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true }]);
    const [message] = await receive();
    const removed = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'a', ReceiptHandle: message?.ReceiptHandle },
          { Id: 'b', ReceiptHandle: '?' },
        ],
      }),
    );
    expect([removed.Successful?.length, removed.Failed?.[0]?.Code]).toEqual([1, 'ReceiptHandleIsInvalid']);
    const batch = (ids: string[]) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: ids.map((Id) => ({ Id, MessageBody: 'x' })),
        }),
      );
    await expect(batch([])).rejects.toMatchObject({ name: 'EmptyBatchRequest' });
    await expect(batch(['a', 'a'])).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinct' });
    await expect(batch(['a b'])).rejects.toMatchObject({ name: 'InvalidBatchEntryId' });
    await expect(batch([...'abcdefghijk'])).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' });
  });

  it('end a long poll as they arrive, as a delay ends, or not at all', async () => {
    const { clock, send, receive } = await open();
    const start = clock.now();
    const waiting = receive({ WaitTimeSeconds: 20 }).then((messages) => [messages.length, clock.now()]);
    clock.at(start + 5000, async () => {
      await send('x');
    });
    await clock.runUntil(start + 5000);
    expect(await waiting).toEqual([1, start + 5000]);
    await send('later', { DelaySeconds: 7 });
    const delayed = receive({ WaitTimeSeconds: 20 }).then((messages) => [messages.length, clock.now()]);
    await new Promise(setImmediate);
    await clock.runUntil(start + 12_000);
    expect(await delayed).toEqual([1, start + 12_000]);
    const empty = receive({ WaitTimeSeconds: 3 });
    await new Promise(setImmediate);
    await clock.runUntil(start + 15_000);
    expect(await empty).toEqual([]);
  });
});

describe('dead letters', () => {
  const openWithDead = async () => {
    const opened = await open({ VisibilityTimeout: '10' });
    const dead = await opened.client.send(new CreateQueueCommand({ QueueName: 'dead' }));
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 });
    await opened.client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
    return { ...opened, deadUrl: dead.QueueUrl ?? '' };
  };

  it('are what was received too often, with their id, age and source', async () => {
    const { client, clock, send, receive, deadUrl } = await openWithDead();
    const sentAt = clock.now();
    const { MessageId } = await send('x');
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await receive()).toHaveLength(1);
      await clock.runUntil(clock.now() + 10_000);
    }
    expect(await receive()).toEqual([]);
    const [message] = await receive({ QueueUrl: deadUrl, MessageSystemAttributeNames: ['All'] });
    expect(message).toMatchObject({
      MessageId,
      Attributes: {
        SentTimestamp: String(sentAt),
        ApproximateReceiveCount: '3',
        DeadLetterQueueSourceArn: arn('inbound'),
      },
    });
    const sources = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: deadUrl }));
    expect(sources.queueUrls).toEqual([QueueUrl]);
  });

  it('are counted anew where they are, when that queue has dead letters of its own', async () => {
    const { client, clock, send, receive, deadUrl } = await openWithDead();
    await client.send(new CreateQueueCommand({ QueueName: 'deader' }));
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('deader'), maxReceiveCount: 2 });
    await client.send(new SetQueueAttributesCommand({ QueueUrl: deadUrl, Attributes: { RedrivePolicy } }));
    await send('x');
    for (let attempt = 1; attempt <= 3; attempt++) {
      await receive();
      await clock.runUntil(clock.now() + 10_000);
    }
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await receive({ QueueUrl: deadUrl, VisibilityTimeout: 10 })).toHaveLength(1);
      await clock.runUntil(clock.now() + 10_000);
    }
    expect(await receive({ QueueUrl: deadUrl })).toEqual([]);
  });
});

it('keeps queues and messages over a restart, those in flight hidden', async () => {
  const db = new DatabaseSync(':memory:');
  const around = serviceContext({ db });
  const before = new SQSClient(clientOf(sqs(around)));
  await before.send(new CreateQueueCommand({ QueueName: 'inbound', Attributes: { VisibilityTimeout: '5' } }));
  for (const MessageBody of ['one', 'two'])
    await before.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const { Messages = [] } = await before.send(new ReceiveMessageCommand({ QueueUrl }));
  const after = new SQSClient(clientOf(sqs(around)));
  const bodies = async () => {
    const answer = await after.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    return answer.Messages?.map(({ Body }) => Body) ?? [];
  };
  expect([Messages.map(({ Body }) => Body), await bodies()]).toEqual([['one'], ['two']]);
  await around.clock.runUntil(around.clock.now() + 5000);
  expect((await bodies()).toSorted()).toEqual(['one', 'two']);
});

describe('a dead-letter queue', () => {
  it('takes the letters of those alone whom its policy allows', async () => {
    const client = new SQSClient(clientOf(sqs(serviceContext())));
    const arn = (name: string) => `arn:aws:sqs:eu-south-1:123456789012:${name}`;
    const create = (QueueName: string, Attributes: Record<string, string>) =>
      client.send(new CreateQueueCommand({ QueueName, Attributes }));
    const allow = (policy: object) => ({ RedriveAllowPolicy: JSON.stringify(policy) });
    const redrive = (to: string) => ({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(to), maxReceiveCount: 3 }),
    });
    await create('closed', allow({ redrivePermission: 'denyAll' }));
    await create('some', allow({ redrivePermission: 'byQueue', sourceQueueArns: [arn('friend')] }));
    await expect(create('work', redrive('closed'))).rejects.toThrow(/does not allow work/u);
    await expect(create('stranger', redrive('some'))).rejects.toThrow(/does not allow stranger/u);
    await create('friend', redrive('some'));
    await expect(create('odd', allow({ redrivePermission: 'byQueue' }))).rejects.toThrow(
      /RedriveAllowPolicy/u,
    );
  });

  it('is emptied once in a minute', async () => {
    const around = serviceContext();
    const client = new SQSClient(clientOf(sqs(around)));
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'work' }));
    const purge = () => client.send(new PurgeQueueCommand({ QueueUrl }));
    await purge();
    await expect(purge()).rejects.toThrow(/every 60 seconds/u);
    await around.clock.runUntil(around.clock.now() + 60_000);
    await purge();
  });
});
