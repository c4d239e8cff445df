import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IdentityConfig } from '../../core/identity.ts';
import { type Interaction, interactionId } from '../../core/interaction.ts';
import { peopleStore } from '../../functions/aws/people-store.ts';
import { table } from '../../functions/aws/table.ts';
import { tombstonesUnder } from '../../functions/aws/tombstones.ts';
import { record, type Work } from '../../functions/record/record.ts';
import type { Runtime } from '../../functions/runtime.ts';
import { inProcess } from '../../infra/local/client.ts';
import { dynamodb } from '../../infra/local/dynamodb/index.ts';
import { surroundings } from '../local/surroundings.ts';
import type { Measured } from './measured.ts';

interface Spent {
  readonly requests: number;
  readonly writeUnits: number;
}

/** Requests and write units of `record` by situation, counted by the local DynamoDB. */
export const benchRecord = async (): Promise<Measured[]> => {
  const around = surroundings();
  const service = dynamodb(around);
  const spent = { requests: 0, writeUnits: 0 };
  const bound = inProcess(async (request) => {
    const input: unknown = JSON.parse(Buffer.from(request.body).toString());
    const counted = {
      ...request,
      body: Buffer.from(JSON.stringify({ ...(input as object), ReturnConsumedCapacity: 'TOTAL' })),
    };
    const response = await service.handle(
      request.headers['x-amz-target']?.includes('CreateTable') ? request : counted,
      { accessKeyId: 'BENCH', arn: 'bench' },
    );
    spent.requests++;
    for (const [, units] of String(response.body).matchAll(/"WriteCapacityUnits":(\d+(?:\.\d+)?)/gu))
      spent.writeUnits += Number(units);
    return response;
  });
  const env = {
    AWS_REGION: 'eu-south-1',
    AWS_ACCESS_KEY_ID: 'BENCH',
    AWS_SECRET_ACCESS_KEY: 'bench',
    TABLE: 'bench',
  };
  const runtime: Runtime = {
    env,
    now: () => around.clock.now(),
    newId: around.newId,
    random: around.random,
    aws: bound,
  };
  const keys = ['pk', 'sk'] as const;
  await new DynamoDBClient({
    region: 'eu-south-1',
    credentials: { accessKeyId: 'BENCH', secretAccessKey: 'bench' },
    requestHandler: bound.requestHandler,
  }).send(
    new CreateTableCommand({
      TableName: 'bench',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  const identity = IdentityConfig.parse({});
  const store = peopleStore(table(runtime), async () => tombstonesUnder('a key of the bench'));
  const use = record({
    identity: async () => identity,
    silence: async () => 72 * 3_600_000,
    load: (works) => store.load(works, identity),
    commit: (changes) => store.commit(changes, identity, 1000),
    erase: async () => [],
    forget: async () => {},
    publish: async (events) => events.map(() => true),
    refuse: async () => {},
    newId: around.newId,
  });
  let serial = 0;
  const act = (phone: string, key = `SM${serial++}`): Work => {
    const interaction: Interaction = {
      id: interactionId('twilio', undefined, key),
      kind: 'message',
      channel: 'sms',
      provider: 'twilio',
      direction: 'inbound',
      occurredAt: '2026-03-01T09:00:00.000Z',
      identifiers: [`phone:${phone}`],
      externalId: key,
      text: 'Hello',
    };
    return { type: 'interaction', interaction, receivedAt: interaction.occurredAt, message: key };
  };
  const measure = async (works: readonly Work[]): Promise<Spent> => {
    Object.assign(spent, { requests: 0, writeUnits: 0 });
    const failed = await use(works);
    if (failed.size > 0) throw new Error(`${failed.size} interactions could not be recorded.`);
    return { requests: spent.requests / works.length, writeUnits: spent.writeUnits / works.length };
  };
  const ten = Array.from({ length: 10 }, (_, at) => `+141555501${String(at).padStart(2, '0')}`);
  const first = await measure([act('+14155550100', 'first')]);
  const known = await measure([act('+14155550100')]);
  const duplicate = await measure([act('+14155550100', 'first')]);
  const firstTen = await measure(ten.slice(1).map((phone) => act(phone)));
  const knownTen = await measure(ten.map((phone) => act(phone)));
  const requests = (name: string, { requests: measured }: Spent, atMost?: number): Measured => ({
    name: `DynamoDB requests per interaction, ${name}`,
    measured,
    unit: '',
    ...(atMost !== undefined && { goal: { atMost } }),
  });
  const units = (name: string, { writeUnits: measured }: Spent, atMost?: number): Measured => ({
    name: `DynamoDB write units per interaction, ${name}`,
    measured,
    unit: '',
    ...(atMost !== undefined && { goal: { atMost } }),
  });
  return [
    requests('known customer', known, 3),
    requests('first contact', first, 4),
    requests('duplicate', duplicate, 3),
    requests('known customers, ten at once', knownTen, 2),
    requests('first contacts, nine at once', firstTen),
    units('known customer', known, 6),
    units('known customers, ten at once', knownTen, 6),
    units('first contact', first),
    units('duplicate', duplicate),
  ];
};
