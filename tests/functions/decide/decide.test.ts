import { beforeEach, describe, expect, it } from 'vitest';
import type {
  DecisionMessage,
  Notification,
  NotificationMessage,
} from '../../../core/triggers/notification.ts';
import { pause, publish } from '../../../functions/aws/triggers/publish.ts';
import { interactionKey } from '../../../functions/contracts/keys.ts';
import { type DecidePorts, decide } from '../../../functions/decide/decide.ts';
import { noPause } from '../../support/no-pause.ts';
import { DAY, HOUR, iso, NOON, person } from '../../support/triggers/situations.ts';
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
let waiting: Notification[];
let goals: Notification[];

beforeEach(async () => {
  hub = await openTriggerTable();
  [timers, queued, suppressed, waiting, goals] = [[], [], [], [], []];
  await hub.putPerson();
});

const address = { profileId: 'ada', trigger: 'hello', interaction: 'cause' };
const row = async (): Promise<Notification | undefined> => hub.notifications.get(address);
const publishHello = async (fields: Record<string, unknown> = {}): Promise<number> =>
  publish(
    hub.publishing,
    {
      ...{ id: 'hello', category: 'service', on: { kind: ['message'] } },
      ...{ send: { channels: ['email'], template: 'hello' }, ...fields },
    },
    templates,
  );
const portsOf = (overrides: Partial<DecidePorts> = {}): DecidePorts => ({
  ...{ triggers: hub.triggers, notifications: hub.notifications, history: hub.history, hub: hub.hub },
  ...{ guests: hub.guests, addresses: hub.addresses },
  schedule: async (message, at) => void timers.push({ message, at }),
  enqueue: async (message) => void queued.push(message),
  publishSuppressed: async (notification) => void suppressed.push(notification),
  publishWaiting: async (notification) => void waiting.push(notification),
  publishGoal: async (notification) => void goals.push(notification),
  now: hub.runtime.now,
  pausing: noPause,
  ...overrides,
});
const nextTimer = async (): Promise<DecisionMessage> => {
  const next = timers.shift();
  if (next === undefined) throw new Error('no timer is set');
  await hub.clock.runUntil(next.at);
  return next.message;
};

describe('a trigger with once', () => {
  const order = (id: string, name?: string) =>
    hub.putInteraction(id, { kind: 'order', ...(name !== undefined && { properties: { order: name } }) });
  const decideOn = async (id: string, name?: string): Promise<void> =>
    decide(portsOf())(decisionAbout(await order(id, name)));
  const entries = (): string[] => queued.map(({ interaction }) => interaction);
  const fails = async (interaction: string, change: Partial<Notification>): Promise<void> => {
    const stored = await hub.notifications.get({ ...address, interaction });
    if (stored) await hub.notifications.save({ ...stored, ...change });
  };

  it('has one entry per value, whatever is delivered again', async () => {
    await publishHello({ on: { kind: ['order'] }, once: 'properties.order' });
    await decideOn('charge', 'pi_1');
    await decideOn('intent', 'pi_1');
    await decideOn('charge', 'pi_1');
    await decideOn('other', 'pi_2');
    expect(new Set(entries())).toEqual(new Set(['charge', 'other']));
    expect(await hub.notifications.get({ ...address, interaction: 'intent' })).toBeUndefined();
    expect(suppressed).toEqual([]);
  });

  it('has one for every event that does not have the value', async () => {
    await publishHello({ on: { kind: ['order'] }, once: 'properties.order' });
    await decideOn('first');
    await decideOn('second');
    expect(entries()).toEqual(['first', 'second']);
  });

  it('has another one after the first failed or was cancelled, but not after it was suppressed otherwise', async () => {
    await publishHello({ on: { kind: ['order'] }, once: 'properties.order' });
    for (const [at, change] of [
      { status: 'failed' as const },
      { status: 'suppressed' as const, reason: 'cancelled' },
      { status: 'suppressed' as const, reason: 'holdout' },
    ].entries()) {
      await decideOn(`first-${at}`, `pi_${at}`);
      await fails(`first-${at}`, change);
      await decideOn(`second-${at}`, `pi_${at}`);
    }
    expect(entries()).toEqual(['first-0', 'second-0', 'first-1', 'second-1', 'first-2']);
  });

  it('has one when two events are decided at the same time', async () => {
    await publishHello({ on: { kind: ['order'] }, once: 'properties.order' });
    const causes = await Promise.all([order('charge', 'pi_1'), order('intent', 'pi_1')]);
    await Promise.all(causes.map((cause) => decide(portsOf())(decisionAbout(cause))));
    expect(entries()).toHaveLength(1);
  });
});

describe('a decision stores', () => {
  it('a reservation with the version, the channel and all checks', async () => {
    await publishHello({ limits: { perCustomer: '1 per 7d' } });
    const cause = await hub.putInteraction('cause');
    await decide(portsOf())(decisionAbout(cause));
    expect(queued).toEqual([address]);
    expect(await row()).toMatchObject({
      ...{ status: 'reserved', triggerVersion: 1, channel: 'email', addresses: ['email:ada@example.com'] },
      steps: [
        { step: 'channel email', result: 'chosen' },
        { step: 'perCustomer', result: '0 of 1 in the window' },
      ],
    });
  });

  it('a wait, rounded up to the second that Scheduler can count', async () => {
    await hub.clock.runUntil(NOON + 1);
    await publishHello({ wait: '2h' });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    expect(timers).toMatchObject([
      { at: NOON + 2 * HOUR + 1000, message: { timer: 1, arrivedAt: iso(NOON + 1) } },
    ]);
    expect(await row()).toMatchObject({ status: 'waiting', timers: 1 });
    await decide(portsOf())(await nextTimer());
    expect(await row()).toMatchObject({ status: 'reserved' });
  });

  it('nothing at all for what does not concern the trigger', async () => {
    await publishHello({ on: { kind: ['order'] } });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    expect(await row()).toBeUndefined();
  });
});

describe('a redelivered message', () => {
  it('changes nothing; what may not have followed follows again', async () => {
    await publishHello();
    const message = decisionAbout(await hub.putInteraction('cause'));
    const broken = portsOf({ enqueue: () => Promise.reject(new Error('the queue is away')) });
    await expect(decide(broken)(message)).rejects.toThrow('the queue is away');
    await decide(portsOf())(message);
    expect(queued).toEqual([address]);
    expect(await row()).toMatchObject({ status: 'reserved', version: 1 });
  });

  it('sets the timer again where the first try stopped before it', async () => {
    await publishHello({ wait: '2h' });
    const message = decisionAbout(await hub.putInteraction('cause'));
    const broken = portsOf({ schedule: () => Promise.reject(new Error('Scheduler is away')) });
    await expect(decide(broken)(message)).rejects.toThrow('Scheduler is away');
    await decide(portsOf())(message);
    expect(timers).toMatchObject([{ at: NOON + 2 * HOUR, message: { timer: 1 } }]);
  });

  it('publishes a suppression again, with the same id and without a second row', async () => {
    await publishHello({ where: [{ customer: { tags: ['vip'] } }] });
    const message = decisionAbout(await hub.putInteraction('cause'));
    await decide(portsOf())(message);
    await decide(portsOf())(message);
    expect(suppressed[1]).toMatchObject({ reason: 'condition', at: iso(NOON) });
    expect(await row()).toMatchObject({ version: 1 });
  });

  it('a timer that fires twice decides once', async () => {
    await publishHello({ wait: '2h' });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    const timer = await nextTimer();
    await decide(portsOf())(timer);
    await decide(portsOf())(timer);
    expect(await row()).toMatchObject({ status: 'reserved', version: 2 });
  });
});

describe('versions', () => {
  it('a wait that has started stays on its version', async () => {
    await publishHello({ wait: '2h' });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    await publishHello({ wait: '4h', send: { channels: ['email'], template: 'other' } });
    await decide(portsOf())(await nextTimer());
    expect(await row()).toMatchObject({ status: 'reserved', triggerVersion: 1, template: 'hello' });
  });

  it('an event that both rules of a change have matched is one notification', async () => {
    await publishHello();
    await publishHello({ send: { channels: ['email'], template: 'other' } });
    const cause = await hub.putInteraction('cause');
    await decide(portsOf())(decisionAbout(cause, 'hello', 2));
    await decide(portsOf())(decisionAbout(cause, 'hello', 1));
    expect(await row()).toMatchObject({ triggerVersion: 2, template: 'other', version: 1 });
  });

  it('a version that is not stored leaves the message in the queue', async () => {
    const message = decisionAbout(await hub.putInteraction('cause'));
    await expect(decide(portsOf())(message)).rejects.toMatchObject({
      code: 'unknown-trigger',
      retry: 'later',
    });
  });

  it('a pause suppresses what waits', async () => {
    await publishHello({ wait: '2h' });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    await pause(hub.publishing, 'hello');
    await publishHello({ wait: '2h' });
    await decide(portsOf())(await nextTimer());
    expect(suppressed).toMatchObject([{ reason: 'paused' }]);
  });
});

describe('concurrent reservations', () => {
  it('ten events at once and a limit of three: three', async () => {
    await publishHello({ limits: { perCustomer: '3 per 7d' } });
    const causes = await Promise.all(
      Array.from({ length: 10 }, (_, position) => hub.putInteraction(`cause-${position}`)),
    );
    await Promise.all(causes.map((cause) => decide(portsOf())(decisionAbout(cause))));
    expect(queued).toHaveLength(3);
    expect(suppressed.map(({ reason }) => reason)).toEqual(Array.from({ length: 7 }, () => 'frequency-cap'));
  });

  it('gives up after a while and leaves the message to the queue', async () => {
    await publishHello();
    const contended = { ...hub.notifications, reserve: async () => false };
    const message = decisionAbout(await hub.putInteraction('cause'));
    await expect(decide(portsOf({ notifications: contended }))(message)).rejects.toMatchObject({
      code: 'write-conflict',
    });
  });
});

describe('a reservation counts', () => {
  it('once for the customer, for any source profile', async () => {
    const ada = person({ id: 'ada' });
    const [root] = ada.sourceProfiles;
    if (root === undefined) throw new Error('nobody');
    const other = { profile: { ...root.profile, id: 'other' }, activity: { ...root.activity, id: 'other' } };
    const whole = { ...ada, sourceProfiles: [root, other] };
    const draft = (interaction: string): Notification => ({
      ...{ ...address, interaction, triggerVersion: 1, category: 'service', version: 0, status: 'reserved' },
      ...{ occurredAt: iso(NOON), arrivedAt: iso(NOON), at: iso(NOON), timers: 0, steps: [] },
    });
    const reserved = { trigger: 'hello', category: 'service' as const, at: NOON };
    const { notifications } = hub;
    expect(
      await notifications.reserve(draft('a'), ada, await notifications.reservations(ada, []), reserved),
    ).toBe(true);
    const unmerged = await notifications.reservations(ada, []);
    expect(
      await notifications.reserve(draft('b'), whole, await notifications.reservations(whole, []), reserved),
    ).toBe(true);
    expect((await notifications.reservations(whole, [])).all).toHaveLength(2);
    // One who still took the halves for two people must look again.
    expect(await notifications.reserve(draft('c'), ada, unmerged, reserved)).toBe(false);
    const loser = { ...whole, id: 'other', sourceProfiles: [other] };
    const before = await notifications.reservations(loser, []);
    expect(
      await notifications.reserve(draft('d'), whole, await notifications.reservations(whole, []), reserved),
    ).toBe(true);
    expect(await notifications.reserve(draft('e'), loser, before, reserved)).toBe(false);
  });

  it('for no cap where the message goes to colleagues', async () => {
    await publishHello({ send: { to: { team: 'sales' }, template: 'hello' } });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    const customer = await hub.history.customer('ada');
    if (customer === undefined) throw new Error('nobody');
    expect((await hub.notifications.reservations(customer, [])).all).toEqual([
      { trigger: 'hello', at: NOON },
    ]);
  });
});

describe('a person who was erased', () => {
  const erase = async (): Promise<void> => {
    for await (const { pk, sk } of hub.rows.query('customer#ada'))
      await hub.rows.transact([{ delete: { pk, sk } }]);
  };

  it('gets no waiting notification, and one suppression is published', async () => {
    await publishHello({ wait: '2h' });
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    await erase();
    const timer = await nextTimer();
    await decide(portsOf())(timer);
    expect(suppressed).toMatchObject([{ reason: 'erased', at: iso(NOON + 2 * HOUR) }]);
    expect(queued).toEqual([]);
    await decide(portsOf())(timer);
    expect(await row()).toMatchObject({ status: 'suppressed', version: 1 });
  });

  it('has no row for an event that was still queued', async () => {
    await publishHello();
    const message = decisionAbout(await hub.putInteraction('cause'));
    await erase();
    await decide(portsOf())(message);
    expect(await row()).toBeUndefined();
  });
});

describe('a customer with a long history', () => {
  const LENGTH = 3000;
  const fill = async (): Promise<void> => {
    const message = await hub.putInteraction('old');
    const rows = Array.from({ length: LENGTH }, (_, position) => {
      const one = { ...message, id: `old-${position}`, occurredAt: iso(NOON - (position + 1) * 60_000) };
      return { ...interactionKey(one), ...one, text: 'x'.repeat(500) };
    });
    for (let at = 0; at < LENGTH; at += 100)
      await hub.rows.transact(rows.slice(at, at + 100).map((put) => ({ put })));
  };
  const count = { kind: ['message'] };
  /** What a decision read beyond the same one without a look at the history. */
  const spentOn = async (where: readonly object[]): Promise<{ requests: number; readUnits: number }> => {
    const spent = async (conditions: readonly object[], version: number) => {
      await publishHello({ where: conditions });
      const cause = await hub.putInteraction(`cause-${version}`);
      hub.takeSpent();
      await decide(portsOf())(decisionAbout(cause, 'hello', version));
      return hub.takeSpent();
    };
    await fill();
    const [without, present] = [await spent([], 1), await spent(where, 2)];
    return {
      requests: present.requests - without.requests,
      readUnits: present.readUnits - without.readUnits,
    };
  };

  it('costs one page of it, as soon as the newest interactions decide', async () => {
    const { requests, readUnits } = await spentOn([{ count, within: '30d', atLeast: 2 }]);
    expect(requests).toBe(1);
    expect(readUnits).toBeLessThan(20);
  });

  it('is read once, in few requests, where a count needs all of it', async () => {
    const { requests, readUnits } = await spentOn([
      { count, within: '30d', atLeast: LENGTH },
      { count: { kind: ['order'] }, within: '30d', exactly: 0 },
    ]);
    expect(readUnits).toBeGreaterThan(300);
    expect(readUnits).toBeLessThan(900);
    expect(requests).toBeLessThanOrEqual(9);
    expect(queued).toHaveLength(2);
  });

  it('costs nothing where a condition on the customer decides', async () => {
    const vip = { customer: { tags: ['vip'] } };
    expect(await spentOn([vip, { count, within: '30d', exactly: 0 }])).toMatchObject({ readUnits: 0 });
  });
});

describe('the goal', () => {
  const goal = { goal: { on: { kind: ['order'] }, within: '7d' } };
  const decideAndWait = async (): Promise<DecisionMessage> => {
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    return nextTimer();
  };

  it('does not hold the message back where its timer is refused', async () => {
    await publishHello(goal);
    const schedule = () => Promise.reject(new Error('no timer'));
    const deciding = decide(portsOf({ schedule }))(decisionAbout(await hub.putInteraction('cause')));
    await expect(deciding).rejects.toThrow('no timer');
    expect(queued).toHaveLength(1);
  });

  it('is checked when its window ends, and stores the interaction that reached it', async () => {
    await publishHello(goal);
    await decide(portsOf())(decisionAbout(await hub.putInteraction('cause')));
    expect(timers).toMatchObject([{ at: NOON + 7 * DAY, message: { timer: 'goal' } }]);
    await hub.clock.runUntil(NOON + DAY);
    await hub.putInteraction('bought', { kind: 'order' });
    await decide(portsOf())(await nextTimer());
    expect(await row()).toMatchObject({ goal: { interaction: 'bought' } });
  });

  it('is counted for those held out too, and is missed by what comes later', async () => {
    await publishHello({ ...goal, send: { channels: ['email'], template: 'hello', holdout: '100%' } });
    const timer = await decideAndWait();
    await hub.clock.runUntil(NOON + 7 * DAY + 1);
    await hub.putInteraction('late', { kind: 'order' });
    await decide(portsOf())(timer);
    expect(await row()).toMatchObject({
      status: 'suppressed',
      reason: 'holdout',
      goal: { interaction: null },
    });
  });

  it('is not checked twice', async () => {
    await publishHello(goal);
    const timer = await decideAndWait();
    await decide(portsOf())(timer);
    const once = await row();
    await decide(portsOf())(timer);
    expect(await row()).toEqual(once);
  });
});
