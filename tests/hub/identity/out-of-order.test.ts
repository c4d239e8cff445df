import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const SECOND = 1000;
let hub: TestHub;
/** What `record` puts on queues. */
let queued: number;
let isQueueDown: boolean;

beforeEach(async () => {
  queued = 0;
  isQueueDown = false;
  hub = await openTestHub({
    before(_service, operation, caller) {
      if (operation !== 'SendMessage' || !/Record/.test(caller)) return;
      if (isQueueDown) throw new Error('connection lost');
      queued++;
    },
  });
});
afterEach(() => hub.stop());

const iso = (seconds: number): string => new Date(NOW + seconds * SECOND).toISOString();
const act = (key: string, more: object) => ({
  type: 'interaction',
  receivedAt: iso(0),
  interaction: {
    ...{ key, provider: 'twilio', kind: 'message', channel: 'sms', direction: 'outbound' },
    ...{ identifiers: [], ...more },
  },
});
const message = act('SM1', { identifiers: ['phone:+14155550100'] });
const delivered = act('s1', { kind: 'delivery-status', refersTo: 'SM1' });
const send = (body: object): void => hub.send(/^DeliveriesQueue/, body);
const until = (seconds: number) => hub.clock.runUntil(NOW + seconds * SECOND);
const reviews = async (): Promise<object[]> => (await hub.api('GET', '/reviews')).body.items;
const keys = async () => (await hub.timeline()).map((row) => Object(row['kind']).S);

describe('an anonymous event that arrives before the message it references', () => {
  it.each([4, 34, 154])(
    'is assigned to the customer of the message that arrives %d s later',
    async (seconds) => {
      send(delivered);
      await until(seconds);
      expect([await reviews(), await hub.timeline()]).toEqual([[], []]);
      send(message);
      await until(300);
      expect((await keys()).sort()).toEqual(['delivery-status', 'message']);
      expect((await hub.timeline()).map((row) => Object(row['occurredAt']).S)).toEqual([iso(0), iso(0)]);
      expect([await reviews(), await hub.failures()]).toEqual([[], []]);
    },
  );

  it('is not delayed where the message is in the same delivery', async () => {
    send(delivered);
    send(message);
    await until(1);
    expect((await keys()).sort()).toEqual(['delivery-status', 'message']);
    expect(queued).toBe(0);
  });

  it('opens a review where the message does not arrive within 155 seconds', async () => {
    send(delivered);
    await until(154);
    expect(await reviews()).toEqual([]);
    await until(155);
    expect(await reviews()).toMatchObject([{ reason: 'no-identifier' }]);
    expect(queued).toBe(3);
  });

  it('is one row after any number of redeliveries', async () => {
    send(delivered);
    await until(3);
    send(delivered);
    await until(6);
    send(message);
    await until(7);
    send(delivered);
    await until(300);
    expect((await keys()).sort()).toEqual(['delivery-status', 'message']);
    expect(await reviews()).toEqual([]);
  });

  it('is not lost where the queue refuses the delayed message', async () => {
    isQueueDown = true;
    send(delivered);
    await until(60);
    isQueueDown = false;
    send(message);
    await hub.giveUp();
    expect((await keys()).sort()).toEqual(['delivery-status', 'message']);
    expect(await hub.failures()).toEqual([]);
  });

  it('does not recreate a customer who is erased meanwhile', async () => {
    send(delivered);
    send(act('s2', { kind: 'read', refersTo: 'SM1' }));
    await until(1);
    send(message);
    await until(2);
    await hub.api('POST', '/erasures', { customer: 'phone:+14155550100', by: 'ada' });
    await hub.giveUp();
    expect([await hub.timeline(), await reviews()]).toEqual([[], []]);
  });
});

it('is not delayed where the message is stored, or where it names a customer or references nothing', async () => {
  send(message);
  await until(1);
  send(delivered);
  send(act('s2', { kind: 'read', refersTo: 'SM9', identifiers: ['phone:+14155550100'] }));
  send(act('s3', { kind: 'read' }));
  await until(2);
  expect((await keys()).sort()).toEqual(['delivery-status', 'message', 'read']);
  expect(await reviews()).toHaveLength(1);
  expect(queued).toBe(0);
});
