import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sqs } from '../../../infra/local/sqs/index.ts';
import { serviceContext } from '../../support/service-context.ts';

const open = () => {
  const service = sqs(serviceContext());
  return async (Action: string, fields: Record<string, string> = {}, path = '/') => {
    const response = await service.handle(
      {
        method: 'POST',
        path,
        query: '',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: Buffer.from(new URLSearchParams({ Action, Version: '2012-11-05', ...fields }).toString()),
      },
      { accessKeyId: 'AKIATEST', arn: 'arn:aws:iam::123456789012:role/test' },
    );
    return { status: response.status, body: String(response.body) };
  };
};
const text = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'gu'))].map((match) => match[1] ?? '');
const md5 = (value: string): string => createHash('md5').update(value).digest('hex');

describe('the query protocol', () => {
  it('sends, receives and removes a message with its attributes', async () => {
    const ask = open();
    const made = await ask('CreateQueue', {
      QueueName: 'old',
      'Attribute.1.Name': 'VisibilityTimeout',
      'Attribute.1.Value': '45',
    });
    const [url = ''] = text(made.body, 'QueueUrl');
    const path = new URL(url).pathname;
    const sent = await ask(
      'SendMessage',
      {
        MessageBody: 'a <b> & c',
        DelaySeconds: '0',
        'MessageAttribute.1.Name': 'kind',
        'MessageAttribute.1.Value.DataType': 'String',
        'MessageAttribute.1.Value.StringValue': 'sms',
      },
      path,
    );
    expect(text(sent.body, 'MD5OfMessageBody')).toEqual([md5('a <b> & c')]);
    const received = await ask('ReceiveMessage', {
      QueueUrl: url,
      MaxNumberOfMessages: '10',
      'AttributeName.1': 'ApproximateReceiveCount',
      'MessageAttributeName.1': 'All',
    });
    expect(received.body).toMatch(
      /<ReceiveMessageResult><Message><MessageId>[^<]+<\/MessageId>.*<\/Message><\/ReceiveMessageResult>/u,
    );
    expect(received.body).toContain('<Body>a &#60;b&#62; &#38; c</Body>');
    expect(received.body).toContain(
      '<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>',
    );
    expect(received.body).toContain(
      '<MessageAttribute><Name>kind</Name><Value><DataType>String</DataType><StringValue>sms</StringValue></Value></MessageAttribute>',
    );
    const [ReceiptHandle = ''] = text(received.body, 'ReceiptHandle');
    const removed = await ask('DeleteMessageBatch', {
      QueueUrl: url,
      'DeleteMessageBatchRequestEntry.1.Id': 'a',
      'DeleteMessageBatchRequestEntry.1.ReceiptHandle': ReceiptHandle,
      'DeleteMessageBatchRequestEntry.2.Id': 'b',
      'DeleteMessageBatchRequestEntry.2.ReceiptHandle': 'x',
    });
    expect(removed.body).toContain(
      '<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>',
    );
    expect(removed.body).toMatch(/<BatchResultErrorEntry><Id>b<\/Id><Code>ReceiptHandleIsInvalid<\/Code>/u);
    const attributes = await ask('GetQueueAttributes', { QueueUrl: url, 'AttributeName.1': 'All' });
    expect(attributes.body).toContain(
      '<Attribute><Name>VisibilityTimeout</Name><Value>45</Value></Attribute>',
    );
    expect(attributes.body).toContain(
      '<Attribute><Name>ApproximateNumberOfMessagesNotVisible</Name><Value>0</Value></Attribute>',
    );
  });

  it('names errors as its clients know them', async () => {
    const ask = open();
    const missing = await ask('GetQueueUrl', { QueueName: 'nowhere' });
    expect([missing.status, text(missing.body, 'Code')]).toEqual([
      400,
      ['AWS.SimpleQueueService.NonExistentQueue'],
    ]);
    const wrong = await ask('ReceiveMessage', { QueueUrl: 'http://x/1/a', MaxNumberOfMessages: '11' });
    expect(text(wrong.body, 'Code')).toEqual(['AWS.SimpleQueueService.NonExistentQueue']);
    expect(text((await ask('Unknown')).body, 'Code')).toEqual(['InvalidAction']);
  });
});
