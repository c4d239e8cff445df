import { EventBridgeClient, PutPartnerEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { HubConfig, hubConfigFor } from '../../../core/config/hub-config.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { synthesiseHub } from '../../support/synthesise-hub.ts';

const eventBus = 'aws.partner/salesforce.com/00D7F00000107XsUAI/0YL000000000001';
const switched = { twilio: {}, sendgrid: {}, meta: {} };

let built: ReturnType<typeof synthesiseHub>;
let hub: TestHub;
beforeAll(() => {
  built = synthesiseHub({ channels: { ...switched, salesforce: { eventBus } }, crms: {} });
});
afterAll(() => built.remove());
beforeEach(async () => {
  hub = await openTestHub({ assembly: built });
});
afterEach(() => hub.stop());

/** As the event relay puts it: the case of the documented header, on this bus. */
const relay = (more: object = {}, Source = eventBus) => {
  const header = {
    ...{ entityName: 'Contact', recordIds: ['0037F000003pmdXQAQ'], changeType: 'UPDATE', sequenceNumber: 1 },
    ...{ transactionKey: '000046c7', commitTimestamp: Date.parse('2026-03-02T08:59:00Z') },
  };
  const payload = { ChangeEventHeader: header, Email: 'ada@example.com', Odd__c: '<"quoted"> ü', ...more };
  return new EventBridgeClient(clientConfig(hub.runtime)).send(
    new PutPartnerEventsCommand({
      Entries: [
        {
          ...{ Source, DetailType: 'ContactChangeEvent' },
          Detail: JSON.stringify({ payload, schemaId: '5GFyk3hxvj', id: 'e1' }),
        },
      ],
    }),
  );
};

describe('a change event of Salesforce', () => {
  it('is recorded once, with the customer of the changed record', async () => {
    await relay();
    await relay();
    await hub.settle();
    const { body: ada } = await hub.api('GET', '/customers?identifier=email:ada@example.com');
    const { items } = (await hub.api('GET', `/customers/${ada.id}/timeline`)).body;
    expect(items).toMatchObject([
      {
        ...{ kind: 'contact-update', channel: 'crm', provider: 'salesforce', direction: 'system' },
        identifiers: ['salesforce:0037F000003pmdXQAQ', 'email:ada@example.com'],
        occurredAt: '2026-03-02T08:59:00.000Z',
        properties: { act: 'update', set: { Odd__c: '<"quoted"> ü' } },
      },
    ]);
    expect(await hub.failures()).toEqual([]);
  });

  it('of AppFlow, which does not wrap the fields, is recorded alike', async () => {
    const ChangeEventHeader = {
      ...{
        entityName: 'Lead',
        recordIds: ['00Q1'],
        changeType: 'CREATE',
        sequenceNumber: 1,
        transactionKey: 't',
      },
    };
    const event = {
      ...{ id: 'e2', time: '2026-03-02T08:59:00Z', 'detail-type': 'LeadChangeEvent' },
      ...{
        source: 'aws.partner/appflow/salesforce.com/1',
        detail: { ChangeEventHeader, Email: 'bob@example.com' },
      },
    };
    hub.send(/^DeliveriesQueue/, { type: 'event', provider: 'salesforce', event });
    await hub.settle();
    expect(await hub.timeline()).toMatchObject([
      { identifiers: { L: [{ S: 'salesforce:00Q1' }, { S: 'email:bob@example.com' }] } },
    ]);
  });

  it('that did not reach the queue becomes a failure, and its replay records it', async () => {
    const sqs = new SQSClient({ ...clientConfig(hub.runtime), useQueueUrlAsEndpoint: false });
    const name =
      hub
        .queueArn(/^DeliveriesQueue/)
        .split(':')
        .at(-1) ?? '';
    await sqs.send(new DeleteQueueCommand({ QueueUrl: `http://127.0.0.1/123456789012/${name}` }));
    await relay();
    await hub.clock.runUntil(hub.clock.now() + 26 * 3_600_000);
    const [failure] = await hub.failures();
    expect(failure).toMatchObject({
      stage: 'record',
      code: 'rule-delivery-failure',
      about: { provider: 'salesforce' },
    });
    await sqs.send(new CreateQueueCommand({ QueueName: name }));
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.settle();
    expect(await hub.timeline()).toMatchObject([{ kind: { S: 'contact-update' } }]);
  });
});

describe('hub.yaml', () => {
  const known = {
    ...{ channels: ['salesforce', 'twilio'], crms: ['hubspot'], senders: ['ses'] },
    senderChannels: { ses: ['email'] },
  } as const;
  const read = (text: string) => parseConfigFile('mappings/hub.yaml', text, hubConfigFor(known));

  it.each([
    [
      'channels: { twillio: {} }',
      'mappings/hub.yaml:1: channels.twillio: unknown "twillio"; did you mean twilio?',
    ],
    ['crms: { hupspot: {} }', 'did you mean hubspot?'],
    ['senders: { email: sendgird }', 'unknown "sendgird"; expected one of ses'],
    ['senders: { sms: ses }', 'senders.sms: ses sends email, and no sms'],
    ['channels: { twilio: { acounts: [till] } }', 'channels.twilio.acounts: unknown key'],
    [
      'channels: { twilio: { eventBus: aws.partner/salesforce.com/00D/0YL } }',
      'is a setting of salesforce alone',
    ],
  ])('%s is refused with a suggestion', (text, expected) => {
    expect(() => read(`${text}\n`)).toThrow(expected);
  });

  it.each([
    ['eventbus: aws.partner/x', 'channels.salesforce'],
    ['eventBus: default', "expected the name of a partner's event bus"],
  ])('with salesforce: { %s } is refused with the reason', (setting, expected) => {
    expect(() => read(`channels:\n  salesforce:\n    ${setting}\n`)).toThrow(expected);
  });

  it('creates a rule only where a bus is named', () => {
    const rules = ({ template }: { template: { Resources: object } }): number =>
      JSON.stringify(template.Resources).split('aws.partner/').length - 1;
    const plain = synthesiseHub({ channels: { salesforce: {} } });
    expect([rules(built) > 0, rules(plain)]).toEqual([true, 0]);
    plain.remove();
    expect(HubConfig.parse({ channels: { salesforce: {}, twilio: {} } }).channels).toEqual({
      ...{ salesforce: {}, twilio: {} },
    });
  });
});
