import { beforeEach, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import type {
  DecisionMessage,
  Notification,
  NotificationMessage,
} from '../../../core/triggers/notification.ts';
import { places } from '../../../functions/aws/triggers/places.ts';
import { publish } from '../../../functions/aws/triggers/publish.ts';
import { decideMessage } from '../../../functions/decide/messages.ts';
import type { SeriesPorts } from '../../../functions/decide/series/ports.ts';
import { noPause } from '../../support/no-pause.ts';
import { HOUR, iso, NOON } from '../../support/triggers/situations.ts';
import {
  decisionAbout,
  openTriggerTable,
  type TriggerTable,
  templates,
} from '../../support/triggers/trigger-table.ts';

let hub: TriggerTable;
let timers: { readonly message: DecisionMessage; readonly at: number }[];
let queued: NotificationMessage[];
let suppressed: Notification[];

const send = { channels: ['email'], template: 'hello' };

beforeEach(async () => {
  hub = await openTriggerTable();
  [timers, queued, suppressed] = [[], [], []];
  await hub.putPerson();
  await publish(
    hub.publishing,
    {
      ...{ id: 'hello', category: 'service', on: { kind: ['message'] } },
      steps: [
        { id: 'one', send },
        { id: 'two', wait: '1h', send },
      ],
    },
    templates,
  );
});

const portsOf = (overrides: Partial<SeriesPorts> = {}): SeriesPorts => ({
  ...{ triggers: hub.triggers, notifications: hub.notifications, history: hub.history, hub: hub.hub },
  ...{ guests: hub.guests, addresses: hub.addresses },
  places: places(hub.rows, async () => HubConfig.parse({})),
  schedule: async (message, at) => void timers.push({ message, at }),
  enqueue: async (message) => void queued.push(message),
  publishSuppressed: async (notification) => void suppressed.push(notification),
  publishWaiting: async () => undefined,
  publishGoal: async () => undefined,
  now: hub.runtime.now,
  pausing: noPause,
  ...overrides,
});
const decide = (message: DecisionMessage, overrides: Partial<SeriesPorts> = {}): Promise<void> =>
  decideMessage(portsOf(overrides))(message);
const steps = (): (string | undefined)[] => queued.map(({ step }) => step);
const fire = async (): Promise<DecisionMessage> => {
  const next = timers.shift();
  if (next === undefined) throw new Error('no timer is set');
  await hub.clock.runUntil(next.at);
  return next.message;
};
/** Marks the message of a step as sent now. */
const sent = async (step: string): Promise<void> => {
  const row = await hub.notifications.get({ profileId: 'ada', trigger: 'hello', interaction: 'cause', step });
  if (row) await hub.notifications.save({ ...row, status: 'sent', at: iso(hub.clock.now()) });
};

it('is started once by an event that is delivered again, also after the series has ended', async () => {
  const event = decisionAbout(await hub.putInteraction('cause'));
  await decide(event);
  await decide(event);
  expect(timers.map(({ message }) => message)).toMatchObject([
    { step: 'two', timer: 1 },
    { step: 'two', timer: 1 },
  ]);
  timers.pop();
  await sent('one');
  const timer = await fire();
  await decide(timer);
  await sent('two');
  await decide(timer);
  await decide(event);
  expect(steps()).toEqual(['one', 'two']);
  // It arrived while the series ran, and is delivered only now.
  const meanwhile = await hub.putInteraction('meanwhile');
  await decide({ ...decisionAbout(meanwhile), arrivedAt: iso(NOON + 600_000) });
  expect(steps()).toEqual(['one', 'two']);
  await hub.clock.runUntil(NOON + 2 * HOUR);
  await decide(decisionAbout(await hub.putInteraction('later')));
  expect(steps()).toEqual(['one', 'two', 'one']);
});

it('goes on where a process has ended, whichever message comes next, and loses no message', async () => {
  const event = decisionAbout(await hub.putInteraction('cause'));
  const lost = new Error('The process ended.');
  const end = async (): Promise<never> => Promise.reject(lost);
  await expect(decide(event, { enqueue: end })).rejects.toBe(lost);
  expect(steps()).toEqual([]);
  await expect(decide(decisionAbout(await hub.putInteraction('other')), { schedule: end })).rejects.toBe(
    lost,
  );
  expect(steps()).toEqual(['one']);
  expect(timers).toEqual([]);
  await decide({ ...decisionAbout(await hub.putInteraction('other')) });
  expect(timers).toMatchObject([
    { at: NOON + HOUR, message: { interaction: 'cause', step: 'two', timer: 1 } },
  ]);
});

it('waits from when the message before was sent, and looks again at one that is not sent yet', async () => {
  await decide(decisionAbout(await hub.putInteraction('cause')));
  await decide(await fire());
  expect(timers).toMatchObject([{ at: NOON + HOUR + 900_000, message: { timer: 2 } }]);
  await hub.clock.runUntil(NOON + HOUR + 600_000);
  await sent('one');
  await decide(await fire());
  expect(timers).toMatchObject([{ at: NOON + 2 * HOUR + 600_000, message: { timer: 3 } }]);
  expect(steps()).toEqual(['one']);
  await decide(await fire());
  expect(steps()).toEqual(['one', 'two']);
});

it('has one place for a customer of whom forty events arrive at the same time', async () => {
  const causes = await Promise.all(Array.from({ length: 40 }, (_, at) => hub.putInteraction(`cause-${at}`)));
  await Promise.all(causes.map((cause) => decide(decisionAbout(cause))));
  // One notification, which several may have queued: its row lets one send it.
  expect(new Set(queued.map((message) => JSON.stringify(message))).size).toBe(1);
  expect(queued[0]).toMatchObject({ step: 'one' });
  expect(new Set(timers.map(({ message }) => message.interaction)).size).toBe(1);
});

it('has its goal with the first message, and checks it once', async () => {
  const goal = { on: { kind: ['order'] }, within: '2h' };
  const series = [
    { id: 'one', send },
    { id: 'two', send },
  ];
  await publish(
    hub.publishing,
    { id: 'hello', category: 'service', on: { kind: ['message'] }, goal, steps: series },
    templates,
  );
  await decide(decisionAbout(await hub.putInteraction('cause'), 'hello', 2));
  expect(steps()).toEqual(['one', 'two']);
  expect(timers).toMatchObject([
    { at: NOON + 2 * HOUR, message: { step: 'one', timer: 'goal', version: 2 } },
  ]);
  await hub.clock.runUntil(NOON + HOUR);
  await hub.putInteraction('order', { kind: 'order' });
  await decide(await fire());
  const address = { profileId: 'ada', trigger: 'hello', interaction: 'cause' };
  expect((await hub.notifications.get({ ...address, step: 'one' }))?.goal).toEqual({ interaction: 'order' });
  expect(await hub.notifications.get({ ...address, step: 'two' })).not.toHaveProperty('goalAt');
});

it('leaves a row about who was erased, which names nothing but ids', async () => {
  const event = decisionAbout(await hub.putInteraction('cause'));
  await decide(event);
  const { message } = timers[0] ?? {};
  if (message === undefined) throw new Error('no timer is set');
  const gone = { ...hub.history, customer: async () => undefined };
  await decide(message, { history: gone });
  await decide(message, { history: gone });
  expect(suppressed).toMatchObject([{ reason: 'erased' }, { reason: 'erased' }]);
  expect(
    await hub.notifications.get({ profileId: 'ada', trigger: 'hello', interaction: 'cause' }),
  ).toMatchObject({
    ...{ status: 'suppressed', reason: 'erased', steps: [] },
  });
});
