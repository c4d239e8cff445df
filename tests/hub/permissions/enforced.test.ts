import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SESClient, SendEmailCommand } from '@aws-sdk/client-ses';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../../core/clock.ts';
import { accessKeyOf } from '../../../infra/local/iam/access-key.ts';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import type { Cloud } from '../../../infra/local/runtime/cloud.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { deployTemplate } from '../../support/deploy-template.ts';

let synthesised: Assembly;
let clock: VirtualClock;
beforeAll(async () => {
  synthesised = await assembly();
});

const open = async (change?: (template: Assembly['template']) => void): Promise<Cloud> => {
  const hub = await deployTemplate({ ...(change && { change }) });
  clock = hub.clock;
  return hub.cloud;
};
const named = (cloud: Cloud, id: RegExp): string =>
  [...cloud.functions.keys()].find((name) => id.test(name)) ?? '';
const as = (cloud: Cloud, accessKeyId: string) => ({
  region: 'eu-south-1',
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'local' },
  requestHandler: inProcess((request) => cloud.aws(request)).requestHandler,
});
const refOf = (cloud: Cloud, type: string, id = /./u): string =>
  cloud.created.get(
    Object.entries(synthesised.template.Resources).find(
      ([name, { Type }]) => Type === type && id.test(name),
    )?.[0] ?? '',
  )?.ref ?? '';

describe('a call that a role does not allow', () => {
  it('is refused by each service with its own error', async () => {
    const cloud = await open();
    const config = as(cloud, accessKeyOf(named(cloud, /Receive/u)));
    const refused = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => new Error('It was allowed.'),
        (caught: unknown) => caught,
      );
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      return { name, message, status: $metadata?.httpStatusCode };
    };
    const table = refOf(cloud, 'AWS::DynamoDB::Table');
    expect(
      await refused(
        new DynamoDBClient(config).send(
          new GetItemCommand({ TableName: table, Key: { pk: { S: 'a' }, sk: { S: 'b' } } }),
        ),
      ),
    ).toEqual({
      name: 'AccessDeniedException',
      status: 400,
      message: expect.stringMatching(
        /^User: arn:aws:sts::123456789012:assumed-role\/\S+\/\S+ is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:eu-south-1:123456789012:table\/\S+ because no identity-based policy allows the dynamodb:GetItem action$/u,
      ),
    });
    const sqs = new SQSClient({ ...config, useQueueUrlAsEndpoint: false });
    const QueueUrl = refOf(cloud, 'AWS::SQS::Queue', /^Notifications(?!Dead)/u);
    expect(await refused(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })))).toMatchObject({
      message: expect.stringContaining('sqs:SendMessage'),
    });
    const Bucket = refOf(cloud, 'AWS::S3::Bucket');
    expect(
      await refused(
        new S3Client({ ...config, forcePathStyle: true }).send(
          new GetObjectCommand({ Bucket, Key: 'texts/1' }),
        ),
      ),
    ).toMatchObject({ name: 'AccessDenied', status: 403, message: expect.stringContaining('s3:GetObject') });
    expect(
      await refused(
        new SecretsManagerClient(config).send(new GetSecretValueCommand({ SecretId: 'acme/api' })),
      ),
    ).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(/secret:acme\/api-\w{6} /u),
    });
    expect(
      await refused(
        new SESClient(config).send(
          new SendEmailCommand({
            Source: 'a@acme.example',
            Destination: { ToAddresses: ['b@example.com'] },
            Message: { Subject: { Data: 's' }, Body: { Text: { Data: 't' } } },
          }),
        ),
      ),
    ).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: expect.stringContaining('identity/acme.example'),
    });
    expect(
      await refused(
        new SNSClient(config).send(
          new PublishCommand({
            TargetArn: 'arn:aws:sns:eu-south-1:123456789012:endpoint/GCM/a/b',
            Message: 'x',
          }),
        ),
      ),
    ).toMatchObject({ status: 403, message: expect.stringContaining('sns:Publish') });
    expect(
      await refused(
        new SchedulerClient(config).send(
          new CreateScheduleCommand({
            Name: 'n',
            ScheduleExpression: 'at(2026-03-03T00:00:00)',
            FlexibleTimeWindow: { Mode: 'OFF' },
            Target: {
              Arn: 'arn:aws:sqs:eu-south-1:123456789012:q',
              RoleArn: 'arn:aws:iam::123456789012:role/r',
            },
          }),
        ),
      ),
    ).toMatchObject({ name: 'AccessDeniedException', status: 403 });
    await cloud.stop();
  });

  it('is refused where its key is not among those of the role', async () => {
    const cloud = await open();
    const client = new DynamoDBClient(as(cloud, accessKeyOf(named(cloud, /Receive/u))));
    const TableName = refOf(cloud, 'AWS::DynamoDB::Table');
    const update = (pk: string) =>
      client.send(
        new UpdateItemCommand({
          ...{ TableName, Key: { pk: { S: pk }, sk: { S: 'deliveries' } } },
          ...{ UpdateExpression: 'SET lastAt = :at', ExpressionAttributeValues: { ':at': { S: 'now' } } },
        }),
      );
    for (const pk of ['channel#twilio', 'channel#unknown']) await expect(update(pk)).resolves.toBeDefined();
    for (const pk of ['channel#nobody', 'channel#twilio/shop', 'nonce#twilio#1', 'customer#1', 'config#hub'])
      await expect(update(pk)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await cloud.stop();
  });

  it("is attributed by its access key: a function's key to the function, any other to the administrator", async () => {
    const cloud = await open();
    const ask = (key: string) =>
      new SecretsManagerClient(as(cloud, key)).send(new GetSecretValueCommand({ SecretId: 'acme/api' }));
    await expect(ask(accessKeyOf('nobody'))).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(ask('test')).resolves.toMatchObject({ Name: 'acme/api' });
    await cloud.stop();
  });
});

describe('what a resource does not allow', () => {
  const drop = (type: string, id: RegExp) => (template: Assembly['template']) => {
    for (const [name, { Type }] of Object.entries(template.Resources))
      if (Type === type && id.test(name)) delete template.Resources[name];
  };

  it('is refused without TLS, also for the administrator', async () => {
    const cloud = await open();
    const path = `/${refOf(cloud, 'AWS::S3::Bucket')}/texts/1`;
    const authorization = 'AWS4-HMAC-SHA256 Credential=ADMIN/20260302/eu-south-1/s3/aws4_request';
    const get = (secure: boolean) =>
      cloud.aws({
        method: 'GET',
        path,
        query: '',
        headers: { authorization },
        body: new Uint8Array(),
        secure,
      });
    expect([(await get(true)).status, (await get(false)).status]).toEqual([404, 403]);
    await cloud.stop();
  });

  it('refuses an event source whose function may not read its queue, and names the missing action', async () => {
    await expect(
      open((template) => {
        template.Resources = JSON.parse(
          JSON.stringify(template.Resources).replaceAll('"sqs:DeleteMessage",', ''),
        );
      }),
    ).rejects.toThrow(/does not have permissions to call DeleteMessage/);
  });

  it('reports an event of a rule that neither the queue nor its dead-letter queue accepts', async () => {
    const cloud = await open(drop('AWS::SQS::QueuePolicy', /^(?:Sync|Salesforce|Hubspot)/u));
    const bus = refOf(cloud, 'AWS::Events::EventBus');
    await cloud.aws({
      method: 'POST',
      path: '/',
      query: '',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=ADMIN/20260302/eu-south-1/events/aws4_request',
        'x-amz-target': 'AWSEvents.PutEvents',
      },
      body: Buffer.from(
        JSON.stringify({
          Entries: [
            {
              EventBusName: bus,
              Source: 'tributary',
              DetailType: 'customer.merged',
              Detail: '{"customer":{"profileId":"h"}}',
            },
          ],
        }),
      ),
    });
    await expect(clock.runUntil(clock.now())).rejects.toThrow(/several jobs failed/u);
    await cloud.stop();
  });

  it('warns about a function that is not allowed to write its log', async () => {
    const { cloud, errors } = await deployTemplate({
      change(template) {
        template.Resources = JSON.parse(
          JSON.stringify(template.Resources).replace('"logs:PutLogEvents"', '"logs:Put"'),
        );
      },
    });
    expect(errors.map(String)).toEqual([
      expect.stringMatching(/not allowed to write its log.*logs:PutLogEvents/u),
    ]);
    await cloud.stop();
  });
});
