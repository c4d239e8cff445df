import { beforeEach, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { NotNow } from '../../../core/triggers/sending/sender.ts';
import { paces } from '../../../functions/aws/triggers/paces.ts';
import { notifyAtPace, type QueuedNotification } from '../../../functions/notify/pacing/pacing.ts';
import { noPause } from '../../support/no-pause.ts';
import { queueRecord } from '../../support/queue-event.ts';
import { iso, NOON } from '../../support/triggers/situations.ts';
import { openTriggerTable, type TriggerTable } from '../../support/triggers/trigger-table.ts';

const MINUTE = 60_000;

let table: TriggerTable;
let answers: Record<string, () => void>;
let sent: { by: string; id: string }[];
let requeued: { readonly delaySeconds: number; readonly message: object }[];
let announced: string[];
let timers: number[];

beforeEach(async () => {
  table = await openTriggerTable();
  answers = {};
  [sent, requeued, announced, timers] = [[], [], [], []];
});

const queued = (id: string): QueuedNotification => {
  const message = { profileId: 'ada', trigger: 'hello', interaction: id };
  return { id, message, record: queueRecord(message, { id }) };
};

const reserve = async (id: string): Promise<void> => {
  const at = iso(NOON);
  const notification: Notification = {
    ...{ trigger: 'hello', triggerVersion: 1, category: 'service', profileId: 'ada', interaction: id },
    ...{ occurredAt: at, arrivedAt: at, version: 0, status: 'reserved', at, timers: 0, steps: [] },
    ...{ channel: 'email', addresses: ['email:ada@example.com'], template: 'hello' },
  };
  await table.notifications.save(notification);
};

/** Sends notifications as a batch would, with two senders for e-mail. */
const run = async (ids: readonly string[], senders: object = { use: ['ses', 'sendgrid'] }) =>
  notifyAtPace({
    notifications: table.notifications,
    paces: paces(noPause, table.rows),
    stops: {
      quota: async () => undefined,
      announce: async (sender) => void announced.push(sender),
      end: async (_, __, store) => void (await store()),
    },
    hub: async () => HubConfig.parse({ senders: { email: senders } }),
    sender: () => undefined,
    notify: async ({ message: { interaction } }, _, sender = '') => {
      try {
        answers[sender]?.();
      } catch (error) {
        if (error instanceof NotNow) return { sender, by: error };
        throw error;
      }
      sent.push({ by: sender, id: interaction });
      return undefined;
    },
    requeue: async (messages) => {
      requeued.push(...messages);
      return new Set();
    },
    schedule: async (_, at) => void timers.push(at),
    hasTime: () => true,
    now: table.runtime.now,
    sleep: async () => {},
  })(ids.map(queued));

const stop = (): never => {
  throw new NotNow('account', 'The account is paused.');
};

it('the first of the list sends as long as it takes messages', async () => {
  for (const id of ['a', 'b']) await reserve(id);
  await run(['a', 'b']);
  expect(sent).toEqual([
    { by: 'ses', id: 'a' },
    { by: 'ses', id: 'b' },
  ]);
});

it('the next one sends while the first takes nothing of the account, and the first again afterwards', async () => {
  for (const id of ['a', 'b', 'c', 'd']) await reserve(id);
  answers = { ses: stop };
  await run(['a', 'b']);
  expect(announced).toEqual(['ses']);
  expect(sent).toEqual([]);
  expect(requeued.map(({ delaySeconds }) => delaySeconds)).toEqual([1, 1]);
  await table.clock.runUntil(NOON + 1000);
  await run(['a', 'b', 'c']);
  expect(sent.map(({ by }) => by)).toEqual(['sendgrid', 'sendgrid', 'sendgrid']);
  await table.clock.runUntil(NOON + MINUTE);
  answers = {};
  await run(['d']);
  expect(sent.at(-1)).toEqual({ by: 'ses', id: 'd' });
});

it('what the daily limit of the first leaves over goes through the next one at once', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await reserve(id);
  await run(ids, { use: ['ses', 'sendgrid'], daily: 3 });
  expect(sent.map(({ by, id }) => `${by} ${id}`).sort()).toEqual([
    ...['sendgrid d', 'sendgrid e', 'ses a', 'ses b', 'ses c'],
  ]);
  expect(announced).toEqual(['ses']);
  expect(timers).toEqual([]);
  await reserve('f');
  await run(['f'], { use: ['ses', 'sendgrid'], daily: 3 });
  expect(sent.at(-1)).toEqual({ by: 'sendgrid', id: 'f' });
});

it('where none takes messages they wait for the first', async () => {
  for (const id of ['a', 'b']) await reserve(id);
  answers = { ses: stop, sendgrid: stop };
  await run(['a']);
  await table.clock.runUntil(NOON + 1000);
  await run(['a']);
  await table.clock.runUntil(NOON + 2000);
  await run(['b']);
  expect(sent).toEqual([]);
  expect(new Set(announced)).toEqual(new Set(['ses', 'sendgrid']));
  expect(requeued.at(-1)?.delaySeconds).toBe(28);
});
