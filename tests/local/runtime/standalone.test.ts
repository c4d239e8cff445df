import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { hasBoto3 } from '../boto3.ts';

const command = new URL('../../../cli/local/local.ts', import.meta.url).pathname;
const open = new Set<ChildProcess>();

/** Starts the command and waits for the address that it prints. */
const start = async (...args: string[]): Promise<{ url: string; end(): Promise<number | null> }> => {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  open.add(child);
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: unknown): void => {
      said += String(chunk);
      const found = /http:\/\/127\.0\.0\.1:\d+/u.exec(said)?.[0];
      if (found !== undefined && said.includes('Ctrl-C')) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(said)));
  });
  return {
    url,
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await ended;
      open.delete(child);
      return code as number | null;
    },
  };
};

const run = (...args: string[]): Promise<{ code: unknown; said: string }> =>
  promisify(execFile)(process.execPath, [command, ...args]).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: unknown; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  );

afterEach(() => {
  for (const child of open) child.kill('SIGKILL');
  open.clear();
});

const config = (endpoint: string) => ({
  endpoint,
  region: 'eu-south-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
const table = new CreateTableCommand({
  TableName: 'things',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
});

describe('npm run local', () => {
  it('keeps a table on a file, and ends when it is told to', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'local-')), 'state.sqlite');
    const first = await start('dynamodb', '--file', file);
    const client = new DynamoDBClient(config(first.url));
    await client.send(table);
    await waitUntilTableExists({ client, maxWaitTime: 25 }, { TableName: 'things' });
    expect(await first.end()).toBe(0);
    const second = await start('dynamodb', '--file', file);
    const { TableNames } = await new DynamoDBClient(config(second.url)).send(new ListTablesCommand({}));
    expect(TableNames).toEqual(['things']);
    expect(await second.end()).toBe(0);
  });

  it('serves several parts at one address, which deliver to each other', async () => {
    const { url, end } = await start('eventbridge', 'sqs');
    const [bus, queues] = [new EventBridgeClient(config(url)), new SQSClient(config(url))];
    const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'orders' }));
    expect(QueueUrl).toContain(url);
    await bus.send(new CreateEventBusCommand({ Name: 'shop' }));
    await bus.send(
      new PutRuleCommand({ Name: 'all', EventBusName: 'shop', EventPattern: '{"source":["shop"]}' }),
    );
    await bus.send(
      new PutTargetsCommand({
        Rule: 'all',
        EventBusName: 'shop',
        Targets: [{ Id: 'queue', Arn: 'arn:aws:sqs:eu-south-1:123456789012:orders' }],
      }),
    );
    await bus.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: 'shop', Source: 'shop', DetailType: 'sold', Detail: '{"id":7}' }],
      }),
    );
    const { Messages } = await queues.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    expect(JSON.parse(Messages?.[0]?.Body ?? '{}')).toMatchObject({ detail: { id: 7 } });
    await expect(new DynamoDBClient({ ...config(url), maxAttempts: 1 }).send(table)).rejects.toThrow(
      /does not run here/,
    );
    expect(await end()).toBe(0);
  });

  it('says what it cannot do', async () => {
    expect(await run('dynamo')).toMatchObject({
      code: 2,
      said: expect.stringMatching(/Unknown service dynamo/),
    });
    expect(await run('sqs', '--port', 'x')).toMatchObject({ code: 2, said: expect.stringMatching(/--port/) });
    expect(await run()).toMatchObject({ code: 2 });
    expect(await run('--help')).toMatchObject({ code: 0, said: expect.stringMatching(/secretsmanager/) });
    expect(await run('sqs', '--file', '/nowhere/at/all')).toMatchObject({
      code: 2,
      said: expect.stringMatching(/cannot be opened/),
    });
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await run('sqs', '--port', String(port))).toMatchObject({
      code: 2,
      said: expect.stringMatching(/Another process listens on port/),
    });
    other.close();
  });

  it('compares its DynamoDB with another', async () => {
    const { url, end } = await start('dynamodb');
    expect(await run('dynamodb', '--compare', url, '--operations', '300', '--seed', '7')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^300 operations, 0 differ$/mu),
    });
    const other = createServer((_request, response) => response.end('{"Table":{"TableStatus":"ACTIVE"}}'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const differing = await run('dynamodb', '--compare', `http://127.0.0.1:${port}`, '--operations', '50');
    expect(differing).toMatchObject({
      code: 1,
      said: expect.stringMatching(/theirs .*\n\n[\s\S]*^50 operations, \d+ differ$/mu),
    });
    other.close();
    other.closeAllConnections();
    expect(await end()).toBe(0);
  });

  it.runIf(hasBoto3)('answers boto3 at the address that it prints', async () => {
    const { url, end } = await start('dynamodb', 'sqs');
    const script = `
import boto3, json
name = dict(endpoint_url='${url}', region_name='eu-south-1', aws_access_key_id='local', aws_secret_access_key='local')
table = boto3.resource('dynamodb', **name).create_table(TableName='things', BillingMode='PAY_PER_REQUEST',
    AttributeDefinitions=[dict(AttributeName='pk', AttributeType='S')], KeySchema=[dict(AttributeName='pk', KeyType='HASH')])
table.wait_until_exists()
table.put_item(Item=dict(pk='a', n=1))
sqs = boto3.client('sqs', **name)
address = sqs.create_queue(QueueName='q')['QueueUrl']
sqs.send_message(QueueUrl=address, MessageBody='hello')
print(json.dumps([int(table.get_item(Key=dict(pk='a'))['Item']['n']), sqs.receive_message(QueueUrl=address)['Messages'][0]['Body']]))
`;
    const { stdout } = await promisify(execFile)('python3', ['-c', script]);
    expect(JSON.parse(stdout)).toEqual([1, 'hello']);
    expect(await end()).toBe(0);
  });
});
