import {
  CreateReceiptRuleCommand,
  CreateReceiptRuleSetCommand,
  type ReceiptAction,
  SESClient,
  SetActiveReceiptRuleSetCommand,
} from '@aws-sdk/client-ses';
import { beforeEach, describe, expect, it } from 'vitest';
import { sentMessages } from '../../../infra/local/inbox/sent-messages.ts';
import { ServiceError } from '../../../infra/local/protocol/json.ts';
import { ses } from '../../../infra/local/ses/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const TopicArn = 'arn:aws:sns:eu-south-1:123456789012:mail';
const source = 'arn:aws:ses:eu-south-1:123456789012:receipt-rule-set/in:receipt-rule';

interface Told {
  readonly arn: string;
  readonly source: string;
  readonly payload: string;
}

let told: Told[];
let refuses: RegExp;
let service: ReturnType<typeof ses>;
let client: SESClient;

beforeEach(async () => {
  [told, refuses] = [[], /^$/u];
  const around = serviceContext({
    async deliver({ arn, payload, source }) {
      if (refuses.test(arn)) throw new ServiceError('AccessDenied', 'no', 403);
      told.push({ arn, source, payload });
    },
  });
  service = ses(around, sentMessages(around.db));
  client = new SESClient(clientOf(service));
  await client.send(new CreateReceiptRuleSetCommand({ RuleSetName: 'in' }));
  await client.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: 'in' }));
});

const rule = async (
  Name: string,
  Recipients: string[],
  Actions: ReceiptAction[],
  Enabled = true,
): Promise<void> => {
  await client.send(
    new CreateReceiptRuleCommand({ RuleSetName: 'in', Rule: { Name, Enabled, Recipients, Actions } }),
  );
  told.length = 0;
};
const toBucket: ReceiptAction = { S3Action: { BucketName: 'b', ObjectKeyPrefix: 'mail/', TopicArn } };
const toTopic: ReceiptAction = { SNSAction: { TopicArn, Encoding: 'Base64' } };
const raw = Buffer.from('From: Ada <ada@example.com>\r\nSubject: Grüße\r\n\r\nHello\r\n');
const arrive = (...to: string[]) => service.receiveMail({ from: 'bounce@example.com', to, raw });

describe('a receipt rule', () => {
  it('writes the mail as it came into the bucket, then tells the topic where', async () => {
    await rule('store', ['acme.example'], [toBucket]);
    await arrive('help@acme.example', 'other@else.example');
    const [object, notification] = told;
    expect(object?.arn).toMatch(/^arn:aws:s3:::b\/mail\/[\w-]+$/u);
    expect(Buffer.from(object?.payload ?? '', 'base64')).toEqual(raw);
    expect([object?.source, notification?.source, notification?.arn]).toEqual([
      `${source}/store`,
      `${source}/store`,
      TopicArn,
    ]);
    expect(JSON.parse(notification?.payload ?? '{}')).toMatchObject({
      notificationType: 'Received',
      mail: { source: 'bounce@example.com', commonHeaders: { from: ['Ada <ada@example.com>'] } },
      receipt: {
        recipients: ['help@acme.example'],
        action: { type: 'S3', bucketName: 'b', objectKey: object?.arn.slice('arn:aws:s3:::b/'.length) },
      },
    });
  });

  it('tells the topic the mail itself, which then has no place in a bucket', async () => {
    await rule('tell', [], [toTopic]);
    await arrive('anybody@acme.example');
    expect(told.map(({ arn }) => arn)).toEqual([TopicArn]);
    const { content, receipt } = JSON.parse(told[0]?.payload ?? '{}');
    expect(Buffer.from(content, 'base64')).toEqual(raw);
    expect(receipt.action).toEqual({ type: 'SNS', topicArn: TopicArn, encoding: 'BASE64' });
  });

  it.each([
    ['is for others', ['sales@acme.example', 'else.example'], true],
    ['is switched off', ['acme.example'], false],
  ])('takes no mail where it %s', async (_, recipients, enabled) => {
    await rule('other', recipients, [toBucket], enabled);
    await expect(arrive('help@acme.example')).rejects.toThrow('mailbox unavailable');
    expect(told).toEqual([]);
  });

  it('is refused where the bucket does not let SES write', async () => {
    refuses = /:s3:/u;
    await expect(rule('store', [], [toBucket])).rejects.toMatchObject({
      name: 'InvalidS3ConfigurationException',
    });
    refuses = /^$/u;
    await expect(arrive('help@acme.example')).rejects.toThrow('mailbox unavailable');
  });

  it('does not apply while its set is not active', async () => {
    await rule('store', [], [toBucket]);
    await client.send(new SetActiveReceiptRuleSetCommand({}));
    await expect(arrive('help@acme.example')).rejects.toThrow('mailbox unavailable');
    await client.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: 'in' }));
    await arrive('help@acme.example');
  });

  it('takes no mail above 40 MB', async () => {
    await rule('store', [], [toBucket]);
    const large = Buffer.alloc(40 * 1024 * 1024 + 1);
    await expect(
      service.receiveMail({ from: 'a@b.c', to: ['help@acme.example'], raw: large }),
    ).rejects.toThrow('too long');
  });
});
