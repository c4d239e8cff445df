import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { refusal } from '../../../core/triggers/sending/sender.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import {
  messenger,
  NOW,
  openTestHub,
  type TestHub,
  type TestHubOptions,
} from '../../support/open-test-hub.ts';

let hub: TestHub;
const open = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await openTestHub(options);
};
afterEach(() => hub.stop());

const HOUR = 3_600_000;
const interaction = (id: string, at = NOW) => ({
  type: 'interaction',
  receivedAt: new Date(at).toISOString(),
  interaction: {
    ...{ key: id, provider: 'test', kind: 'message', channel: 'sms', direction: 'inbound' },
    ...{ occurredAt: new Date(at).toISOString(), identifiers: ['phone:+14155550100'], text: 'Hi' },
  },
});

describe('an unreadable message', () => {
  it.each([
    ['record', /^DeliveriesQueue/, 'type'],
    ['decide', /^DecisionsQueue/, 'trigger'],
    ['notify', /^NotificationsQueue/, 'trigger'],
    ['sync-salesforce', /^SalesforceQueue/, 'profileId'],
    ['sync-hubspot', /^HubspotQueue/, 'profileId'],
    ['projections', /^ProjectionsQueue/, 'event'],
    ['jobs', /^JobsQueue/, 'job'],
  ])('in the queue of %s becomes one row with the reason', async (stage, queue, key) => {
    await open();
    hub.send(queue, { poison: true });
    await hub.giveUp();
    const found = await hub.failures();
    expect(found).toMatchObject([
      { stage, origin: 'dead-letter', code: 'unreadable-message', status: 'open', count: 1, tries: 5 },
    ]);
    expect(found[0].reason).toContain(key);
    expect(found[0].advice).toMatch(/replay/);
    expect(found[0].docs).toBe('docs/errors.md#unreadable-message');
    expect((await hub.api('GET', `/failures/${found[0].id}`)).body.payload).toEqual({ poison: true });
  });

  it('does not affect the rest of its batch', async () => {
    await open();
    hub.send(/^SalesforceQueue/, 'no JSON');
    hub.send(/^SalesforceQueue/, { profileId: 'nobody' });
    await hub.giveUp();
    expect(await hub.failures()).toHaveLength(1);
  });

  it('is processed once when it is edited and replayed, also after a double click', async () => {
    await open();
    hub.send(/^DeliveriesQueue/, { ...interaction('one'), receivedAt: 'yesterday' });
    await hub.giveUp();
    const [{ id }] = await hub.failures();
    const refused = await hub.api('PUT', `/failures/${id}/payload`, { ...interaction('one'), receivedAt: 1 });
    expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining('receivedAt')]);
    expect((await hub.api('PUT', `/failures/${id}/payload?by=ada`, interaction('one'))).status).toBe(200);
    const answers = await Promise.all(
      ['ada', 'bob'].map((by) => hub.api('POST', `/failures/${id}/replay?by=${by}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    await hub.settle();
    expect((await hub.api('POST', `/failures/${id}/replay`)).body).toMatchObject({ status: 'replayed' });
    await hub.settle();
    expect(await hub.timeline()).toHaveLength(1);
    expect(await hub.failures()).toEqual([]);
    expect(await hub.failures('?status=replayed')).toMatchObject([{ id, edited: { by: 'ada' } }]);
  });

  it('reopens the same row when its replay fails, also an edited one', async () => {
    await open({
      around: async (invoke, target, event) => {
        if (/Decide/.test(target.name)) throw new Error('out of memory');
        return invoke(target, event);
      },
    });
    hub.send(/^DecisionsQueue/, { poison: 1 });
    await hub.giveUp();
    const [{ id }] = await hub.failures();
    await hub.api('PUT', `/failures/${id}/payload`, {
      ...{ trigger: 'welcome', version: 1, profileId: 'h', interaction: 'i' },
      ...{ occurredAt: '2026-03-02T09:00:00Z', arrivedAt: '2026-03-02T09:00:00Z' },
    });
    await hub.api('POST', `/failures/${id}/replay`);
    expect(await hub.failures()).toEqual([]);
    await hub.giveUp();
    expect(await hub.failures('?status=all')).toMatchObject([{ id, count: 2, status: 'open' }]);
  });
});

describe('why', () => {
  it('is recorded when the function never answered', async () => {
    await open({
      around: async (invoke, target, event) => {
        if (/Decide/.test(target.name)) throw new Error('Task timed out after 30 seconds');
        return invoke(target, event);
      },
    });
    hub.send(/^DecisionsQueue/, { trigger: 't' });
    await hub.giveUp();
    expect(await hub.failures()).toMatchObject([{ code: 'function-crash', tries: 5 }]);
  });

  it('contains no text of a customer', async () => {
    await open({
      before(service, operation, caller) {
        if (service === 'dynamodb' && operation === 'TransactWriteItems' && /Record/.test(caller))
          throw new Error('Hi');
      },
    });
    hub.send(/^DeliveriesQueue/, interaction('one'));
    await hub.giveUp();
    const [failure] = await hub.failures();
    expect(failure).toMatchObject({ code: 'unexpected-error', about: { provider: 'test' } });
    expect(failure.reason).not.toContain('Hi');
  });
});

describe('draining', () => {
  it('leaves a dead letter in its queue until its row can be written', async () => {
    let broken = true;
    await open({
      before(_, operation, caller) {
        if (broken && operation === 'TransactWriteItems' && /Failures/.test(caller))
          throw new Error('connection lost');
      },
    });
    hub.send(/^NotificationsDead/, { profileId: 'h', trigger: 't', interaction: 'i' });
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    expect(await hub.failures()).toEqual([]);
    broken = false;
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    expect(await hub.failures()).toMatchObject([{ stage: 'notify', about: { trigger: 't' } }]);
    const { visible, hidden } = hub.cloud.queue(hub.queueArn(/^NotificationsDead/));
    expect(visible + hidden).toBe(0);
  });
});

describe('an event that EventBridge could not deliver', () => {
  /** The queue is gone for longer than EventBridge tries, then it is there again. */
  const without = async (queues: readonly RegExp[], act: () => Promise<unknown>): Promise<void> => {
    const sqs = new SQSClient({ ...clientConfig(hub.runtime), useQueueUrlAsEndpoint: false });
    const names = queues.map((queue) => hub.queueArn(queue).split(':').at(-1) ?? '');
    for (const name of names)
      await sqs.send(new DeleteQueueCommand({ QueueUrl: `http://127.0.0.1/123456789012/${name}` }));
    await act();
    await hub.clock.runUntil(hub.clock.now() + 26 * HOUR);
    for (const QueueName of names)
      await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '180' } }));
  };

  it('of a rule: the row has the payload of the rule, and its replay delivers it', async () => {
    await open();
    await without([/^SalesforceQueue/, /^HubspotQueue/], () => hub.post(messenger('Hello')));
    const found = await hub.failures('?stage=sync-salesforce');
    expect(found).toMatchObject([{ origin: 'rule', code: 'rule-delivery-failure', status: 'open' }]);
    const { payload } = (await hub.api('GET', `/failures/${found[0].id}`)).body;
    expect(Object.keys(payload).sort()).toEqual(['interaction', 'occurredAt', 'profileId']);
    const answer = await hub.api('POST', `/failures/${found[0].id}/replay`);
    expect(answer.body).toMatchObject({ status: 'replayed' });
  });

  it('of the rules of the projections: each row has the payload of its own rule', async () => {
    await open();
    await without([/^ProjectionsQueue/], () => hub.post(messenger('Hello')));
    const found = await hub.failures('?stage=projections');
    const payloads = await Promise.all(
      found.map(async ({ id }: { id: string }) => (await hub.api('GET', `/failures/${id}`)).body.payload),
    );
    const byEvent = new Map(payloads.map((one) => [one.event, Object.keys(one).sort().join()]));
    expect(byEvent.get('interaction.recorded')).toBe('event,interaction,occurredAt,profileId');
    expect(byEvent.get('customer.created')).toBe('event,profileId');
    for (const { id } of found) await hub.api('POST', `/failures/${id}/replay`);
    await hub.giveUp();
    expect(await hub.failures('?stage=projections')).toEqual([]);
  });

  it('of a schedule: the row has the end of the wait', async () => {
    await open();
    const message = {
      ...{ trigger: 'cart-left', version: 1, profileId: 'h', interaction: 'i', timer: 1 },
      ...{ occurredAt: '2026-03-02T09:00:00Z', arrivedAt: '2026-03-02T09:00:00Z' },
    };
    hub.send(/^DecisionsDead/, message);
    await hub.settle();
    const found = await hub.failures();
    expect(found).toMatchObject([{ origin: 'schedule', code: 'schedule-delivery-failure' }]);
    expect((await hub.api('GET', `/failures/${found[0].id}`)).body.payload).toEqual(message);
    expect((await hub.api('POST', `/failures/${found[0].id}/replay`)).body).toMatchObject({
      status: 'replayed',
    });
  });
});

describe('a message that a function refuses', () => {
  it('a delivery that its mapping cannot read is replayed after it is edited', async () => {
    await open();
    await hub.post('{"object":"page","entry":"none"}');
    const [{ id, code, about }] = await hub.failures();
    expect([code, about]).toEqual(['unreadable-delivery', { provider: 'meta' }]);
    const { payload } = (await hub.api('GET', `/failures/${id}`)).body;
    const mended = {
      ...payload,
      request: { ...payload.request, body: Buffer.from(messenger('Hello')).toString('base64') },
    };
    expect((await hub.api('PUT', `/failures/${id}/payload`, mended)).status).toBe(200);
    await hub.api('POST', `/failures/${id}/replay`);
    await hub.settle();
    expect(await hub.timeline()).toHaveLength(1);
    expect(await hub.failures()).toEqual([]);
  });

  it('a refused command is listed, and dismissed by a person', async () => {
    await open();
    hub.send(/^DeliveriesQueue/, interaction('one'));
    await hub.settle();
    // As it is executed where things have changed since it was given.
    const at = new Date(hub.clock.now()).toISOString();
    const unmerge = { command: 'unmerge', customer: 'phone:+14155550100', id: 'u1' };
    hub.send(/^DeliveriesQueue/, { ...unmerge, type: 'command', by: 'ada', at });
    await hub.settle();
    const [{ id, stage }] = await hub.failures();
    expect(stage).toBe('record');
    await hub.api('DELETE', `/failures/${id}?by=ada`);
    expect(await hub.failures()).toEqual([]);
    expect(await hub.failures('?status=dismissed')).toMatchObject([{ id, dismissed: { by: 'ada' } }]);
    expect((await hub.api('POST', `/failures/${id}/replay`)).status).toBe(400);
  });

  it('an expired payload is reported as expired', async () => {
    await open();
    hub.send(/^NotificationsDead/, { profileId: 'h', trigger: 't', interaction: 'i' });
    await hub.settle();
    const [{ id }] = await hub.failures();
    const Bucket = [...hub.cloud.created.values()].find(({ attributes }) =>
      attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
    )?.ref;
    await new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true }).send(
      new DeleteObjectCommand({ Bucket, Key: `failures/notify/${id}` }),
    );
    expect((await hub.api('GET', `/failures/${id}`)).body).toMatchObject({ id, payload: null });
    expect((await hub.api('POST', `/failures/${id}/replay`)).body).toMatchObject({ code: 'missing-payload' });
  });

  it('a refused notification is sent once when it is replayed', async () => {
    let down = true;
    const sent: string[] = [];
    const sender = (id: string) => ({
      ...{ id, provider: 'test-sender' },
      async send({ to }: { readonly to: string }) {
        if (down) throw refusal('The account is in its sandbox.');
        sent.push(to);
        return `x${sent.length}`;
      },
    });
    await open({ senders: Object.fromEntries(['ses', 'aws-sms', 'sns-push'].map((id) => [id, sender(id)])) });
    hub.send(/^DeliveriesQueue/, interaction('one'));
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    const [failure] = await hub.failures('?stage=notify');
    expect(failure).toMatchObject({ code: 'sender-refusal' });
    expect(Object.keys(failure.about).sort()).toEqual(['interaction', 'profileId', 'trigger']);
    down = false;
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.api('POST', `/failures/${failure.id}/replay`);
    await hub.clock.runUntil(hub.clock.now() + HOUR);
    expect(sent).toEqual(['+14155550100']);
    expect(await hub.failures('?stage=notify')).toEqual([]);
  });
});

it('lists the newest first, page by page, and by stage and code', async () => {
  await open();
  for (let number = 0; number < 7; number++) {
    hub.send(/^NotificationsDead/, { profileId: `h${number}`, trigger: 't', interaction: 'i' });
    hub.send(/^DecisionsDead/, `poison ${number}`);
    await hub.clock.runUntil(hub.clock.now() + 1000);
  }
  const times: string[] = [];
  let query = '?limit=4';
  for (;;) {
    const { items, next } = (await hub.api('GET', `/failures${query}`)).body;
    times.push(...items.map(({ failedAt }: { failedAt: string }) => failedAt));
    if (next === undefined) break;
    query = `?limit=4&cursor=${next}`;
  }
  expect(times).toHaveLength(14);
  expect(times).toEqual(times.toSorted().reverse());
  expect(await hub.failures('?stage=notify')).toHaveLength(7);
  expect(await hub.failures('?code=nothing')).toEqual([]);
  expect((await hub.api('GET', '/failures?limit=x')).status).toBe(400);
  expect((await hub.api('GET', '/failures/nothing')).status).toBe(404);
});
