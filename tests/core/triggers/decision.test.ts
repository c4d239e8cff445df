import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { HISTORY } from '../../../core/interaction/interaction.ts';
import { isTriggeredBy, reachesGoal } from '../../../core/triggers/decision.ts';
import { stubTemplate, templateChannels } from '../../../core/triggers/template-files.ts';
import {
  DAY,
  decideAll,
  decided,
  HOUR,
  iso,
  NOON,
  outcome,
  past,
  person,
  trigger,
} from '../../support/triggers/situations.ts';

const order = { kind: 'order' as const, channel: 'web' as const };

describe('which events concern a trigger', () => {
  it('those whose stored interaction matches `on`, with the customer as recorded', () => {
    const event = past(NOON, { channel: 'whatsapp' });
    expect(isTriggeredBy(trigger({ on: { channel: ['whatsapp'] } }), event, NOON)).toBe(true);
    expect(isTriggeredBy(trigger({ on: { channel: ['sms'] } }), event, NOON)).toBe(false);
    expect(isTriggeredBy(trigger({ on: { customer: { isNew: [false] } } }), event, NOON)).toBe(true);
    expect(isTriggeredBy(trigger({ on: { customer: { isNew: [true] } } }), event, NOON)).toBe(false);
  });

  it('notifications only for a trigger that names the kind, and never its own', () => {
    const sent = past(NOON, { kind: 'notification', properties: { trigger: 'other' } });
    const own = past(NOON, { kind: 'notification', properties: { trigger: 'hello' } });
    expect(isTriggeredBy(trigger({ on: { channel: ['email'] } }), sent, NOON)).toBe(false);
    expect(isTriggeredBy(trigger({ on: { kind: [{ 'anything-but': ['order'] }] } }), sent, NOON)).toBe(false);
    const naming = trigger({ on: { kind: ['notification'] } });
    expect(isTriggeredBy(naming, sent, NOON)).toBe(true);
    expect(isTriggeredBy(naming, own, NOON)).toBe(false);
    const either = trigger({ on: { $or: [{ kind: ['notification'] }, { kind: ['order'] }] } });
    expect(isTriggeredBy(either, sent, NOON)).toBe(true);
  });

  it('none that was imported', () => {
    expect(isTriggeredBy(trigger(), past(NOON, { provider: HISTORY }), NOON)).toBe(false);
    expect(
      isTriggeredBy(trigger({ on: { kind: ['notification'] } }), past(NOON, { kind: 'notification' }), NOON),
    ).toBe(true);
  });

  it('none that is older than a day on arrival', () => {
    const one = trigger();
    expect(isTriggeredBy(one, past(NOON - DAY), NOON)).toBe(true);
    expect(isTriggeredBy(one, past(NOON - DAY - 1), NOON)).toBe(false);
  });
});

describe('where', () => {
  const counted = (count: Record<string, unknown>, history: readonly ReturnType<typeof past>[]): string =>
    outcome({ where: [{ count: { kind: ['order'] }, within: '1d', ...count }] }, { history });

  it('counts in (now - window, now]', () => {
    expect(counted({ atLeast: 1 }, [past(NOON, order)])).toBe('send email');
    expect(counted({ atLeast: 1 }, [past(NOON - DAY + 1, order)])).toBe('send email');
    expect(counted({ atLeast: 1 }, [past(NOON - DAY, order)])).toBe('condition');
    expect(counted({ atLeast: 1 }, [past(NOON + 1, order)])).toBe('condition');
  });

  it('takes atLeast, atMost and exactly', () => {
    const two = [past(NOON - HOUR, order), past(NOON - 2 * HOUR, order), past(NOON - HOUR)];
    expect(counted({ atLeast: 2 }, two)).toBe('send email');
    expect(counted({ atLeast: 3 }, two)).toBe('condition');
    expect(counted({ atMost: 2 }, two)).toBe('send email');
    expect(counted({ atMost: 1 }, two)).toBe('condition');
    expect(counted({ exactly: 2 }, two)).toBe('send email');
    expect(counted({ exactly: 0 }, two)).toBe('condition');
    expect(counted({ exactly: 0 }, [])).toBe('send email');
    expect(counted({ atLeast: 1, atMost: 1 }, two)).toBe('condition');
  });

  it('counts the triggering interaction when it lies inside', () => {
    const cause = past(NOON);
    const where = [{ count: { kind: ['message'] }, within: '1h', exactly: 1 }];
    expect(outcome({ where }, { cause, history: [cause] })).toBe('send email');
    expect(outcome({ where, wait: '1h' }, { cause, history: [cause], now: NOON + HOUR, waited: true })).toBe(
      'condition',
    );
  });

  it('matches the profile as it is now, and combines with not, any and all', () => {
    const vip = person({ tags: ['vip'], stage: 'active' });
    const isVip = { customer: { tags: ['vip'] } };
    const churned = { customer: { stage: ['churned'] } };
    const outcomeOf = (condition: unknown): string => outcome({ where: [condition] }, { customer: vip });
    expect(outcomeOf(isVip)).toBe('send email');
    expect(outcomeOf(churned)).toBe('condition');
    expect(outcomeOf({ not: churned })).toBe('send email');
    expect(outcomeOf({ any: [churned, isVip] })).toBe('send email');
    expect(outcomeOf({ all: [churned, isVip] })).toBe('condition');
    expect(outcome({ where: [isVip, churned] }, { customer: vip })).toBe('condition');
  });

  it('holds at the event and again when the wait ends', () => {
    const fields = { wait: '2h', where: [{ count: { kind: ['order'] }, within: '1d', exactly: 0 }] };
    expect(outcome(fields, { history: [past(NOON - HOUR, order)] })).toBe('condition');
    const later = { now: NOON + 2 * HOUR, waited: true };
    expect(outcome(fields, { ...later, history: [past(NOON + HOUR, order)] })).toBe('condition');
    expect(outcome(fields, later)).toBe('send email');
  });
});

describe('unless', () => {
  const fields = { unless: { kind: ['order'] }, wait: '2h' };
  const later = { now: NOON + 2 * HOUR, waited: true };

  it('cancels when the wait ends, for what arrived before and did not occur before the event', () => {
    const cancels = (occurred: number, received: number): string =>
      outcome(fields, { ...later, history: [past(occurred, order, received)] });
    expect(cancels(NOON + HOUR, NOON + HOUR)).toBe('cancelled');
    expect(cancels(NOON, NOON)).toBe('cancelled');
    expect(cancels(NOON + HOUR, NOON + 2 * HOUR)).toBe('cancelled');
    expect(cancels(NOON + HOUR, NOON + 2 * HOUR + 1)).toBe('send email');
    expect(cancels(NOON - 1, NOON + HOUR)).toBe('send email');
  });

  it('is not checked without a wait, and the event itself does not cancel', () => {
    const cause = past(NOON, order);
    expect(outcome({ unless: { kind: ['order'] } }, { cause, history: [cause, past(NOON, order)] })).toBe(
      'send email',
    );
    expect(outcome(fields, { ...later, cause, history: [cause] })).toBe('send email');
  });

  it('comes before the conditions', () => {
    const both = { ...fields, where: [{ count: { kind: ['order'] }, within: '1d', exactly: 0 }] };
    expect(outcome(both, { ...later, history: [past(NOON + HOUR, order)] })).toBe('cancelled');
  });

  it('ends immediately if the wait is over before the decision', () => {
    const history = [past(NOON + HOUR, order)];
    expect(outcome(fields, { now: NOON + 3 * HOUR, history })).toBe('cancelled');
    expect(outcome(fields, { now: NOON + 3 * HOUR })).toBe('send email');
  });
});

describe('the wait', () => {
  it('runs from the arrival of the event', () => {
    expect(outcome({ wait: '2h' })).toBe(`wait ${iso(NOON + 2 * HOUR)}`);
    expect(outcome({ wait: '2h' }, { now: NOON + HOUR })).toBe(`wait ${iso(NOON + 2 * HOUR)}`);
  });

  it('until a time of day is the customer’s, in the hub’s zone where theirs is unknown', () => {
    expect(outcome({ until: '09:00' })).toBe('wait 2026-03-03T08:00:00.000Z');
    const customer = person({ timeZone: 'America/New_York' });
    expect(outcome({ until: '09:00' }, { customer })).toBe('wait 2026-03-02T14:00:00.000Z');
    expect(outcome({ until: '09:00' }, { customer: person({ timeZone: 'nowhere' }) })).toBe(
      'wait 2026-03-03T08:00:00.000Z',
    );
  });

  it('until a time on the interaction may be shifted; what is past is expired', () => {
    const cause = (startsAt: unknown): { cause: ReturnType<typeof past> } => ({
      cause: past(NOON, { properties: { startsAt: startsAt as string } }),
    });
    const fields = { until: { property: 'startsAt', minus: '24h' } };
    expect(outcome(fields, cause('2026-03-05T18:00:00Z'))).toBe('wait 2026-03-04T18:00:00.000Z');
    expect(outcome(fields, cause('2026-03-05T18:00'))).toBe('wait 2026-03-04T17:00:00.000Z');
    expect(outcome(fields, cause(iso(NOON + DAY)))).toBe('send email');
    expect(outcome(fields, cause(iso(NOON + DAY - 1)))).toBe('expired');
    expect(outcome(fields, cause('soon'))).toBe('expired');
    for (const none of [5, null, ['2026-03-05T18:00:00Z']])
      expect(outcome(fields, cause(none))).toBe('expired');
    const after = { until: { property: 'startsAt', plus: '1h' } };
    expect(outcome(after, cause('2026-03-05T18:00:00Z'))).toBe('wait 2026-03-05T19:00:00.000Z');
    const flat = { until: { property: 'startsAt.day' } };
    for (const none of ['2026-03-05', null, ['x']]) expect(outcome(flat, cause(none))).toBe('expired');
    expect(outcome(fields, cause(undefined))).toBe('expired');
    const nested = past(NOON, { properties: { booking: { startsAt: '2026-03-05T18:00:00Z' } } });
    expect(outcome({ until: { property: 'booking.startsAt' } }, { cause: nested })).toBe(
      'wait 2026-03-05T18:00:00.000Z',
    );
  });

  it('begins only where the conditions hold', () => {
    const fields = { until: { property: 'gone' }, where: [{ customer: { tags: ['vip'] } }] };
    expect(outcome(fields)).toBe('condition');
  });
});

describe('expires', () => {
  it('runs from the arrival, deferrals and waits included', () => {
    const fields = { wait: '2h', limits: { expires: '3h' } };
    expect(outcome(fields, { now: NOON + 3 * HOUR, waited: true })).toBe('send email');
    expect(outcome(fields, { now: NOON + 3 * HOUR + 1, waited: true })).toBe('expired');
    expect(outcome({ wait: '4h', limits: { expires: '3h' } })).toBe('expired');
    expect(outcome({ wait: '3h', limits: { expires: '3h' } })).toBe(`wait ${iso(NOON + 3 * HOUR)}`);
    const night = NOON + 10 * HOUR;
    expect(outcome({ limits: { expires: '12h' } }, { now: night })).toBe('expired');
    expect(outcome({ limits: { expires: '1d' } }, { now: night })).toBe('wait 2026-03-03T07:00:00.000Z');
  });

  it('has no limit by default once it is decided', () => {
    expect(outcome({ wait: '52w' }, { now: NOON + 364 * DAY, waited: true })).toBe('send email');
  });
});

describe('limits and caps', () => {
  const reservation = (
    at: number,
    fields: object = {},
  ): { trigger: string; category: 'service'; at: number } => ({
    trigger: 'hello',
    category: 'service',
    at,
    ...fields,
  });

  it('perCustomer counts this trigger’s reservations in a sliding window, whatever the category', () => {
    for (const category of ['marketing', 'service', 'transactional']) {
      const fields = { category, limits: { perCustomer: '1 per 7d' } };
      const customer = person({ consent: { email: 'granted' } });
      const afterClaim = (at: number, reserved: object = {}): string =>
        outcome(fields, { customer, reservations: [reservation(at, reserved)] });
      expect(afterClaim(NOON - 7 * DAY + 1)).toBe('frequency-cap');
      expect(afterClaim(NOON - 7 * DAY)).toBe('send email');
      expect(afterClaim(NOON)).toBe('frequency-cap');
      expect(afterClaim(NOON - DAY, { trigger: 'other' })).toBe('send email');
    }
  });

  it('a cap counts and limits its own category, across triggers', () => {
    const customer = person({ consent: { email: 'granted' } });
    const reservations = (category: string) =>
      [1, 2, 3].map((day) => reservation(NOON - day * DAY, { trigger: 'x', category }));
    const send = (category: string, counted: string, hub: Record<string, unknown> = {}): string =>
      outcome({ category }, { customer, hub, reservations: reservations(counted) });
    expect(send('marketing', 'marketing')).toBe('frequency-cap');
    expect(send('marketing', 'service')).toBe('send email');
    expect(send('service', 'service')).toBe('send email');
    expect(send('service', 'service', { caps: { service: '3 per 7d' } })).toBe('frequency-cap');
    expect(send('marketing', 'marketing', { caps: { service: '3 per 7d' } })).toBe('send email');
    expect(send('transactional', 'transactional')).toBe('send email');
  });

  it('a reservation for colleagues counts for no cap of the customer', () => {
    const reservations = [1, 2, 3].map((day) => ({ trigger: 'x', at: NOON - day * DAY }));
    const customer = person({ consent: { email: 'granted' } });
    expect(outcome({ category: 'marketing' }, { customer, reservations: reservations })).toBe('send email');
  });
});

describe('quiet hours', () => {
  const night = { now: NOON + 10 * HOUR };

  it('defer marketing and service to the morning of the customer; transactional is exempt', () => {
    expect(outcome({}, night)).toBe('wait 2026-03-03T07:00:00.000Z');
    expect(outcome({ category: 'transactional' }, night)).toBe('send email');
    const customer = person({ timeZone: 'America/New_York' });
    expect(outcome({}, { ...night, customer })).toBe('send email');
  });

  it('of the trigger replace the hub’s', () => {
    expect(outcome({ limits: { quietHours: '12:00-13:00' } }, night)).toBe('send email');
    expect(outcome({ limits: { quietHours: '11:00-13:00' } })).toBe('wait 2026-03-02T12:00:00.000Z');
    expect(outcome({}, { hub: { quietHours: '12:00-12:30' } })).toBe('wait 2026-03-02T11:30:00.000Z');
  });

  it('come after limits and before the holdout', () => {
    const capped = { limits: { perCustomer: '1 per 7d' } };
    const reservations = [{ trigger: 'hello', category: 'service' as const, at: NOON }];
    expect(outcome(capped, { ...night, reservations: reservations })).toBe('frequency-cap');
    const held = { send: { channels: ['email'], template: 'hello', holdout: '100%' } };
    expect(outcome(held, night)).toBe('wait 2026-03-03T07:00:00.000Z');
    expect(outcome(held)).toBe('holdout');
  });
});

describe('variants and holdout', () => {
  const send = (fields: object) => ({ send: { channels: ['email'], template: 'hello', ...fields } });
  const templateOf = (fields: object, id: string): string | undefined => {
    const channels = templateChannels(stubTemplate('any'));
    const templates = { hello: channels, other: channels, third: channels };
    const decision = decided(send(fields), { customer: person({ id }), templates });
    return decision.decision === 'send' ? decision.template : undefined;
  };
  const people = Array.from({ length: 400 }, (_, position) => `person-${position}`);

  it('a variant is fixed for a customer and takes about its share', () => {
    const halfShare = { variants: [{ template: 'other', share: '50%' }] };
    const first = people.map((id) => templateOf(halfShare, id));
    expect(first).toEqual(people.map((id) => templateOf(halfShare, id)));
    expect(first.filter((template) => template === 'other').length).toBeGreaterThan(150);
    expect(first.filter((template) => template === 'hello').length).toBeGreaterThan(150);
    expect(templateOf({ variants: [{ template: 'other', share: '100%' }] }, 'ada')).toBe('other');
    expect(templateOf({ variants: [{ template: 'other', share: '0%' }] }, 'ada')).toBe('hello');
  });

  it('of three variants each takes its share', () => {
    const variants = [
      { template: 'other', share: '30%' },
      { template: 'third', share: '40%' },
    ];
    const chosen = Map.groupBy(people, (id) => templateOf({ variants }, id));
    const share = (template: string): number => (chosen.get(template)?.length ?? 0) / people.length;
    expect([share('other'), share('third'), share('hello')].map((one) => Math.round(one * 10))).toEqual([
      3, 4, 3,
    ]);
  });

  it('a holdout is independent of the variant', () => {
    const fields = { holdout: '10%', variants: [{ template: 'other', share: '50%' }] };
    const sent = people.flatMap((id) => templateOf(fields, id) ?? []);
    expect(people.length - sent.length).toBeGreaterThan(15);
    expect(people.length - sent.length).toBeLessThan(80);
    expect(sent.filter((template) => template === 'other').length / sent.length).toBeCloseTo(0.5, 0);
  });
});

describe('colleagues instead of the customer', () => {
  const toSales = { category: 'marketing', send: { template: 'hello', to: { team: 'sales' } } };

  it('consent, closed addresses and caps do not apply; limits do', () => {
    const customer = person({ consent: { email: 'denied' } });
    const reservations = [1, 2, 3].map((day) => ({
      trigger: 'x',
      category: 'marketing' as const,
      at: NOON - day * DAY,
    }));
    const decision = decided(toSales, { customer, reservations: reservations });
    expect(decision).toMatchObject({ channel: 'email', addresses: ['email:sales@acme.example'] });
    const limited = { ...toSales, limits: { perCustomer: '1 per 7d' } };
    expect(outcome(limited, { reservations: [{ trigger: 'hello', at: NOON - DAY }] })).toBe('frequency-cap');
  });

  it('a team without an address is no-address', () => {
    expect(outcome({ send: { template: 'hello', to: { team: 'nobody' } } })).toBe('no-address');
    const sms = { sales: { sms: ['+390612345'] } };
    expect(outcome(toSales, { hub: { teams: sms } })).toBe('send sms');
    expect(
      outcome({ ...toSales, send: { ...toSales.send, channels: ['email'] } }, { hub: { teams: sms } }),
    ).toBe('no-address');
  });
});

it('a goal is met in (reservation, reservation + window]', () => {
  const goal = { on: { kind: ['order'] }, within: HOUR };
  const met = (at: number): boolean => reachesGoal(goal, past(at, order), NOON, NOON + HOUR);
  expect([met(NOON), met(NOON + 1), met(NOON + HOUR), met(NOON + HOUR + 1)]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it('records a wait, what cancels it, a count, a cap and quiet hours', () => {
  const stepsOf = (...given: Parameters<typeof decided>) =>
    decided(...given).steps.map(({ step, result }) => ({ step, result }));
  const waits = { wait: '2h', unless: { kind: ['order'] } };
  const later = { now: NOON + 2 * HOUR, waited: true };
  expect(stepsOf(waits)).toEqual([{ step: 'wait', result: `until ${iso(NOON + 2 * HOUR)}` }]);
  expect(stepsOf({ until: { property: 'x' } })).toMatchObject([{ step: 'wait' }]);
  expect(stepsOf(waits, later)[0]).toEqual({ step: 'unless', result: 'nothing' });
  const bought = past(NOON + HOUR, order);
  expect(stepsOf(waits, { ...later, history: [bought] })).toEqual([
    { step: 'unless', result: `interaction ${bought.id}` },
  ]);
  const counts = { where: [{ count: { kind: ['order'] }, within: '1d', atLeast: 1 }] };
  expect(stepsOf(counts)).toEqual([{ step: 'count {"kind":["order"]}', result: '0' }]);
  expect(stepsOf({ where: [{ customer: { tags: ['vip'] } }] })).toEqual([
    { step: 'customer {"tags":["vip"]}', result: 'does not hold' },
  ]);
  const steps = stepsOf(
    { category: 'marketing' },
    { now: NOON + 10 * HOUR, customer: person({ consent: { email: 'granted' } }) },
  );
  expect(steps.slice(1)).toEqual([
    { step: 'cap', result: '0 of 3 in the window' },
    { step: 'quiet hours', result: 'until 2026-03-03T07:00:00.000Z' },
  ]);
});

it('records every check and its result', () => {
  const { steps } = decided({
    where: [{ customer: { tags: [{ exists: false }] } }],
    send: { channels: ['push', 'email'], template: 'hello' },
    limits: { perCustomer: '1 per 7d' },
  });
  expect(steps).toEqual([
    { step: 'customer {"tags":[{"exists":false}]}', result: 'holds', values: { found: { tags: [] } } },
    { step: 'channel push', result: 'no-address', values: { consent: 'unknown', reason: 'no-address' } },
    {
      ...{ step: 'channel email', result: 'chosen' },
      values: { consent: 'unknown', addresses: ['email:ada@example.com'] },
    },
    {
      ...{ step: 'perCustomer', result: '0 of 1 in the window' },
      values: { count: 0, most: 1, window: 7 * DAY },
    },
  ]);
});

it('followed from timer to timer, never sends in quiet hours or after it has expired, and comes to an end', () => {
  const zones = ['Europe/Rome', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
  fc.assert(
    fc.property(
      fc.integer({ min: NOON, max: NOON + 365 * DAY }),
      fc.constantFrom(...zones),
      fc.constantFrom('21:00-08:00', '09:00-17:30', '00:00-23:59'),
      fc.option(fc.constantFrom('1h', '10h', '3d')),
      fc.option(fc.constantFrom('1h', '12h', '1d')),
      (arrivedAt, timeZone, quietHours, wait, expires) => {
        const one = trigger({
          ...(wait !== null && { wait }),
          limits: { quietHours, ...(expires !== null && { expires }) },
        });
        let now = arrivedAt;
        for (let timers = 0; timers < 4; timers++) {
          const decision = decideAll({
            trigger: one,
            hub: HubConfig.parse({}),
            cause: past(arrivedAt),
            ...{ arrivedAt, now, history: [], reservations: [], waited: timers > 0 },
            ...{ carried: [], addresses: new Map(), hubReservations: [] },
            customer: person({ timeZone }),
            templates: { hello: templateChannels(stubTemplate('hello')) },
          });
          if (decision.decision === 'wait') {
            expect(decision.until).toBeGreaterThan(now);
            now = decision.until;
            continue;
          }
          if (expires !== null && decision.decision === 'send')
            expect(now - arrivedAt).toBeLessThanOrEqual(one.limits.expires ?? 0);
          if (decision.decision === 'suppress') expect(decision.reason).toBe('expired');
          return;
        }
        throw new Error('it waited four times');
      },
    ),
    { numRuns: 300 },
  );
});
