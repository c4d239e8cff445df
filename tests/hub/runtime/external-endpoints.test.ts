import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { dynamodb } from '../../../infra/local/dynamodb/index.ts';
import { type Listener, listen } from '../../../infra/local/protocol/http.ts';
import type { AwsService } from '../../../infra/local/protocol/service.ts';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import { externalEndpointsOf } from '../../../infra/local/runtime/external-endpoints.ts';
import { s3 } from '../../../infra/local/s3/index.ts';
import { secretsManager } from '../../../infra/local/secrets-manager/index.ts';
import { deployTemplate } from '../../support/deploy-template.ts';
import { serviceContext } from '../../support/service-context.ts';

/** A part served alone, in the role of the real endpoint; who signed is noted. */
const serve = async (service: AwsService, signers: Set<string>): Promise<Listener> =>
  listen(({ target, ...request }) => {
    const [path = '/', query = ''] = target.split('?');
    const [, accessKeyId = '-'] = /Credential=([^/]+)/u.exec(request.headers['authorization'] ?? '') ?? [];
    signers.add(accessKeyId);
    const caller = { accessKeyId, arn: 'arn:aws:iam::123456789012:root' };
    return service.handle({ ...request, path, query }, caller);
  });

describe('an external endpoint', () => {
  it('gets the resources of the template and all data, signed with the credentials of the developer', async () => {
    const far = serviceContext();
    const signers = new Set<string>();
    const servers = {
      AWS_ENDPOINT_URL_DYNAMODB: await serve(dynamodb(far), signers),
      AWS_ENDPOINT_URL_S3: await serve(s3(far), signers),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: await serve(secretsManager(far), signers),
    };
    const addresses = Object.entries(servers).map(([name, { port }]) => [name, `http://127.0.0.1:${port}/`]);
    const env: Record<string, string> = { ...Object.fromEntries(addresses), AWS_REGION: 'eu-west-1' };
    const externalEndpoints = {
      ...externalEndpointsOf(env, 'eu-south-1'),
      credentials: async () => ({ accessKeyId: 'DEVELOPER', secretAccessKey: 'secret' }),
    };
    const { cloud } = await deployTemplate({ externalEndpoints });
    const config = {
      region: 'eu-south-1',
      credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
      requestHandler: inProcess((request) => cloud.aws(request)).requestHandler,
    };
    try {
      const table = [...cloud.functions.values()].find(({ environment }) => environment['TABLE']);
      const TableName = table?.environment['TABLE'];
      const [pk, sk] = [{ S: 'customer#1' }, { S: 'profile' }];
      const dynamo = new DynamoDBClient(config);
      await dynamo.send(new PutItemCommand({ TableName, Item: { pk, sk, name: { S: 'Ada' } } }));
      const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key: { pk, sk } }));
      expect(Item?.['name']).toEqual({ S: 'Ada' });

      const bucket = [...cloud.created.values()].find(({ attributes }) =>
        attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
      );
      const files = new S3Client({ ...config, forcePathStyle: true });
      const file = { Bucket: bucket?.ref, Key: 'deliveries/a b+c.json' };
      await files.send(new PutObjectCommand({ ...file, Body: 'text', ContentType: 'application/json' }));
      const read = await files.send(new GetObjectCommand(file));
      expect([await read.Body?.transformToString(), read.ContentType]).toEqual(['text', 'application/json']);

      const secrets = new SecretsManagerClient(config);
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'acme/api' }));
      expect(SecretString).toMatch(/keys/u);

      const rows = (db: typeof far.db, name: string) =>
        Number(db.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.['n']);
      for (const name of ['dynamodb_items', 's3_objects', 'secrets'])
        expect([name, rows(far.db, name) > 0, rows(cloud.db, name)]).toEqual([name, true, 0]);
      expect([...signers]).toEqual(['DEVELOPER']);
    } finally {
      await cloud.stop();
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    }
  });

  it('is configured by the variables of the SDK, only for replaceable services', () => {
    const { endpoints, region } = externalEndpointsOf(
      { AWS_ENDPOINT_URL_DYNAMODB: 'http://localhost:8000', AWS_ENDPOINT_URL_S3: '', HOME: '/' },
      'eu-south-1',
    );
    expect([endpoints, region]).toEqual([{ dynamodb: 'http://localhost:8000' }, 'eu-south-1']);
    expect(() => externalEndpointsOf({ AWS_ENDPOINT_URL_SQS: 'http://localhost:1' }, 'x')).toThrow(
      /must run itself/u,
    );
    expect(() => externalEndpointsOf({ AWS_ENDPOINT_URL_S3: 'localhost' }, 'x')).toThrow(/is not a URL/u);
  });
});
