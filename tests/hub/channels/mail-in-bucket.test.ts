import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateReceiptRuleCommand,
  CreateReceiptRuleSetCommand,
  SESClient,
  SetActiveReceiptRuleSetCommand,
} from '@aws-sdk/client-ses';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

let built: ReturnType<typeof synthesiseHub>;
let hub: TestHub;
let bucket: string;
let topic: string;

beforeAll(() => {
  built = synthesiseHub({ channels: { twilio: {}, sendgrid: {}, meta: {}, ses: {} } });
});
afterAll(() => built.remove());

/** A hub with SES switched on, as an admin sets it up; the topic's first message waits for its secret. */
beforeEach(async () => {
  hub = await openTestHub({
    assembly: built,
    async fetch(input) {
      const { pathname, search } = new URL(String(input));
      const request = {
        method: 'GET',
        path: pathname,
        query: search.slice(1),
        headers: {},
        body: new Uint8Array(),
      };
      const { status, body } = await hub.cloud.aws(request);
      return new Response(Buffer.from(body), { status });
    },
  });
  ({ Bucket: bucket = '', MailTopic: topic = '' } = hub.cloud.outputs);
  await new SecretsManagerClient(clientConfig(hub.runtime)).send(
    new PutSecretValueCommand({
      SecretId: 'acme/channels/ses',
      SecretString: JSON.stringify({ topicArns: topic }),
    }),
  );
  await hub.clock.runUntil(NOW + 3_600_000);
  const ses = new SESClient(clientConfig(hub.runtime));
  await ses.send(new CreateReceiptRuleSetCommand({ RuleSetName: 'inbound' }));
  await ses.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: 'inbound' }));
});
afterEach(() => hub.stop());

const rule = (prefix: string, to = bucket) =>
  new SESClient(clientConfig(hub.runtime)).send(
    new CreateReceiptRuleCommand({
      RuleSetName: 'inbound',
      Rule: {
        Name: 'hub',
        Enabled: true,
        Recipients: ['acme.example'],
        Actions: [{ S3Action: { BucketName: to, ObjectKeyPrefix: prefix, TopicArn: topic } }],
      },
    }),
  );
const s3 = () => new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true });

const file = Buffer.from(Array.from({ length: 3000 }, (_, at) => at % 256));
const mail = (lines: readonly string[], attachment = file) =>
  Buffer.from(
    [
      'From: Ada Lovelace <Ada@Example.com>',
      'To: help@acme.example',
      'Subject: The parcel',
      'Message-ID: <q1@mail.example.com>',
      ...lines,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'Where is it? Grüße',
      '--b',
      'Content-Type: image/png',
      'Content-Disposition: attachment; filename=slip.png',
      'Content-Transfer-Encoding: base64',
      '',
      attachment.toString('base64').replace(/.{76}/gu, '$&\r\n'),
      '--b--',
      '',
    ].join('\r\n'),
  );
const arrive = async (raw: Buffer): Promise<void> => {
  await hub.cloud.receiveMail({ from: 'bounces@mta.example.com', to: ['help@acme.example'], raw });
  await hub.settle();
};
const interaction = async () => {
  const { body: ada } = await hub.api('GET', '/customers?identifier=email:ada@example.com');
  const { items } = (await hub.api('GET', `/customers/${ada.id}/timeline`)).body;
  return items.find(({ kind }: { kind: string }) => kind === 'message');
};

describe('mail that SES puts into the bucket', () => {
  it('is recorded with text, subject, the message it replies to, and its files in the bucket', async () => {
    await rule('mail/');
    await arrive(mail(['In-Reply-To: <0102-sent@eu-south-1.amazonses.com>']));
    const found = await interaction();
    expect(found).toMatchObject({
      kind: 'message',
      channel: 'email',
      direction: 'inbound',
      identifiers: ['email:ada@example.com'],
      text: expect.stringContaining('Where is it? Grüße'),
      subject: 'The parcel',
      externalId: '<q1@mail.example.com>',
      refersTo: '0102-sent',
      attachments: [{ name: 'slip.png', contentType: 'image/png', size: 3000 }],
    });
    const kept = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: found.attachments[0].key }));
    expect(Buffer.from((await kept.Body?.transformToByteArray()) ?? [])).toEqual(file);
    expect(await hub.failures()).toEqual([]);
  });

  it('of many megabytes is recorded beside others that arrive at the same time', async () => {
    await rule('mail/');
    const large = mail([], Buffer.alloc(5_000_000, 'x'));
    await Promise.all(
      [large, mail([])].map((raw) =>
        hub.cloud.receiveMail({ from: 'a@b.example', to: ['help@acme.example'], raw }),
      ),
    );
    await hub.settle();
    expect(await hub.timeline()).toHaveLength(2);
    const sizes = (await hub.timeline()).map((row) => /"size":\{"N":"(\d+)"/u.exec(JSON.stringify(row))?.[1]);
    expect(sizes.sort()).toEqual(['3000', '5000000']);
  });

  it('is recorded from its envelope while the object is missing, and completed by a replay', async () => {
    await rule('mail/');
    const raw = mail([]);
    await hub.cloud.receiveMail({ from: 'bounces@mta.example.com', to: ['help@acme.example'], raw });
    const listed = await s3().send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'mail/' }));
    const key = listed.Contents?.map(({ Key }) => Key).find((one) => !one?.endsWith('NOTIFICATION'));
    await s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    await hub.clock.runUntil(hub.clock.now() + 300_000);
    expect(await interaction()).toMatchObject({ subject: 'The parcel', incomplete: true });
    const [failure] = await hub.failures();
    expect(failure).toMatchObject({
      code: 'unreachable-content',
      reason: expect.stringContaining('it is not in the bucket'),
    });
    await hub.cloud.deliver({
      ...{
        arn: `arn:aws:s3:::${bucket}/${key}`,
        payload: raw.toString('base64'),
        principal: 'ses.amazonaws.com',
      },
      source: 'arn:aws:ses:eu-south-1:123456789012:receipt-rule-set/inbound:receipt-rule/hub',
    });
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.settle();
    expect(await interaction()).toMatchObject({ text: expect.stringContaining('Where is it?') });
    expect(await interaction()).not.toHaveProperty('incomplete');
  });
});

describe('the bucket', () => {
  it('accepts only keys below mail/ from SES', async () => {
    await expect(rule('attachments/')).rejects.toThrow('Could not write to bucket');
    await expect(rule('mail/')).resolves.toBeDefined();
  });

  it('accepts nothing from receipt rules of other accounts', async () => {
    const from = (account: string) =>
      hub.cloud.deliver({
        ...{ arn: `arn:aws:s3:::${bucket}/mail/1`, payload: '', principal: 'ses.amazonaws.com' },
        source: `arn:aws:ses:eu-south-1:${account}:receipt-rule-set/x:receipt-rule/y`,
      });
    await expect(from('999999999999')).rejects.toThrow('not authorized');
    await expect(from('123456789012')).resolves.toBeUndefined();
  });
});

describe('a notification that names another object', () => {
  it.each([
    ['of the hub', () => `s3://${bucket}/deliveries/ses/1`],
    ['of another bucket', () => 's3://elsewhere/mail/1'],
    ['behind dots', () => `s3://${bucket}/mail/../deliveries/ses/1`],
  ])('%s is recorded from its envelope', async (_, url) => {
    const stored = { Bucket: bucket, Key: 'deliveries/ses/1', Body: mail([]) };
    await s3().send(new PutObjectCommand(stored));
    hub.send(/^DeliveriesQueue/, {
      type: 'content',
      receivedAt: new Date(NOW).toISOString(),
      interaction: {
        ...{ key: 'k', provider: 'ses', kind: 'message', channel: 'email', direction: 'inbound' },
        ...{ identifiers: ['email:ada@example.com'], fetch: { url: url() } },
      },
    });
    await hub.clock.runUntil(hub.clock.now() + 300_000);
    expect(await interaction()).toMatchObject({ incomplete: true });
    expect(await interaction()).not.toHaveProperty('text');
    expect(await hub.failures()).toMatchObject([{ code: 'refused-content' }]);
  });
});
