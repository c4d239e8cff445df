import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { HubConfig } from '../../core/config/hub-config.ts';
import type { SourceProfile } from '../../core/identity/customer.ts';
import { snapshot } from '../../core/identity/customer.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import type { DecisionMessage } from '../../core/triggers/notification.ts';
import { templateFaults } from '../../core/triggers/template.ts';
import { stubTemplate, type TemplateFiles } from '../../core/triggers/template-files.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { history } from '../../functions/aws/customers/history.ts';
import { notifications } from '../../functions/aws/operations/notifications.ts';
import type { PublishPorts } from '../../functions/aws/operations/publish.ts';
import { triggers } from '../../functions/aws/operations/triggers.ts';
import { activityKey, interactionKey, profileKey } from '../../functions/contracts/keys.ts';
import type { StoredInteraction } from '../../functions/contracts/ports/history.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { dynamodb } from '../../infra/local/dynamodb/index.ts';
import { events } from '../../infra/local/eventbridge/index.ts';
import type { AwsService } from '../../infra/local/protocol/service.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { serviceContext } from './service-context.ts';
import { iso, NOON, person } from './situations.ts';

/** The table and the bus alone, with the production adapters over them. */
export const openHub = async () => {
  const around = serviceContext();
  await around.clock.runUntil(NOON);
  const services: Readonly<Record<string, AwsService>> = {
    dynamodb: dynamodb(around),
    events: events(around),
  };
  const runtime: Runtime = {
    env: { AWS_REGION: 'eu-south-1', AWS_ACCESS_KEY_ID: 'TEST', AWS_SECRET_ACCESS_KEY: 'test', TABLE: 'hub' },
    now: () => around.clock.now(),
    newId: around.newId,
    random: around.random,
    aws: inProcess(async (request) => {
      const name = /\/(\w+)\/aws4_request/u.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
      const service = services[name];
      if (service === undefined) throw new Error(`no service ${name}`);
      return service.handle(request, { accessKeyId: 'TEST', arn: 'arn:aws:iam::123456789012:role/test' });
    }),
  };
  const key = (AttributeName: string, KeyType: 'HASH' | 'RANGE') => ({ AttributeName, KeyType });
  await new DynamoDBClient(clientConfig(runtime)).send(
    new CreateTableCommand({
      TableName: 'hub',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
    }),
  );
  const bus = new EventBridgeClient(clientConfig(runtime));
  await bus.send(new CreateEventBusCommand({ Name: 'bus' }));
  const rows = table(runtime);
  const publishing: PublishPorts = {
    events: bus,
    table: rows,
    triggers: triggers(rows),
    bus: 'bus',
    decisionsQueue: 'arn:aws:sqs:eu-south-1:123456789012:decisions',
    deadQueue: 'arn:aws:sqs:eu-south-1:123456789012:dead',
    templateFaults,
    now: runtime.now,
  };
  return {
    ...{ clock: around.clock, runtime, rows, bus, publishing },
    triggers: triggers(rows),
    notifications: notifications(rows, async () => HubConfig.parse({})),
    history: history(rows),
    hub: async () => HubConfig.parse({}),
    async putPerson(told: Parameters<typeof person>[0] = {}): Promise<void> {
      for (const { profile, activity } of person(told).sourceProfiles)
        await putHalf(rows, { profile, activity });
    },
    /** Stores an interaction of Ada's, now. */
    async putInteraction(id: string, fields: Partial<Interaction> = {}): Promise<StoredInteraction> {
      const at = iso(around.clock.now());
      const stored: StoredInteraction = {
        ...{ id, kind: 'message', channel: 'email', provider: 'test', direction: 'inbound' },
        ...{ occurredAt: at, identifiers: ['email:ada@example.com'], ...fields },
        ...{ profileId: 'ada', receivedAt: at, customer: snapshot(person(), 'ada', false) },
      };
      await rows.put({ ...interactionKey(stored), ...stored });
      return stored;
    },
  };
};

const putHalf = async (
  rows: ReturnType<typeof table>,
  { profile, activity }: SourceProfile,
): Promise<void> => {
  await rows.put({ ...profileKey(profile.id), ...profile });
  await rows.put({ ...activityKey(profile.id), ...activity });
};

export const templates: Readonly<Record<string, TemplateFiles>> = {
  hello: stubTemplate('hello'),
  other: stubTemplate('other'),
};

/** What the rule hands over about an interaction that arrives as it occurs. */
export const decisionAbout = (cause: StoredInteraction, trigger = 'hello', version = 1): DecisionMessage => ({
  ...{ trigger, version, profileId: cause.profileId, interaction: cause.id },
  ...{ occurredAt: cause.occurredAt, arrivedAt: cause.receivedAt },
});
