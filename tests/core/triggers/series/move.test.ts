import { describe, expect, it } from 'vitest';
import { HubConfig } from '../../../../core/config/hub-config.ts';
import type { PastInteraction } from '../../../../core/triggers/history-facts.ts';
import {
  arrivalsFor,
  type Due,
  dueOf,
  factsFor,
  type Move,
  moveOf,
  type SeriesSituation,
} from '../../../../core/triggers/series/move.ts';
import type { Place } from '../../../../core/triggers/series/place.ts';
import { stubTemplate, templateChannels } from '../../../../core/triggers/template-files.ts';
import { Trigger } from '../../../../core/triggers/trigger.ts';
import { DAY, HOUR, iso, NOON, past, person } from '../../../support/triggers/situations.ts';

const send = { channels: ['email'], template: 'hello' };
const click = { kind: ['click'] };
const cause = past(NOON, { id: 'cause', kind: 'form' });

const situationOf = (
  steps: readonly object[],
  place: Partial<Place> = {},
  given: Partial<SeriesSituation> = {},
): SeriesSituation => ({
  trigger: Trigger.parse({
    id: 'series',
    category: 'service',
    on: { kind: ['form'] },
    exit: { kind: ['order'] },
    steps,
  }),
  place: {
    ...{ trigger: 'series', triggerVersion: 1, category: 'service', profileId: 'ada', interaction: 'cause' },
    ...{ occurredAt: iso(NOON), arrivedAt: iso(NOON), version: 1, timers: 0, step: 'one', since: iso(NOON) },
    ...place,
  },
  ...{ hub: HubConfig.parse({}), cause, customer: person(), now: NOON, hasFired: false },
  ...{ carried: [], addresses: new Map(), hubReservations: [], reservations: [] },
  templates: { hello: templateChannels(stubTemplate('hello')) },
  ...given,
});

const due = (situation: SeriesSituation, history: readonly PastInteraction[] = []): Due | undefined => {
  const arrivals = arrivalsFor(situation);
  for (const one of history) arrivals.add(one);
  arrivals.end();
  return dueOf(situation, arrivals);
};
const move = (situation: SeriesSituation, history: readonly PastInteraction[] = []): Move | undefined => {
  const facts = factsFor(situation);
  for (const one of history) facts.add(one);
  facts.end();
  return moveOf(situation, situation.now, facts);
};

describe('a wait', () => {
  const waiting = [{ id: 'one', wait: '1h', send }];

  it('runs from when the step before was passed, and is over at its end or when its timer has fired', () => {
    expect(due(situationOf(waiting))).toEqual({ due: 'wait', until: NOON + HOUR });
    const set = { until: iso(NOON + HOUR) };
    expect(due(situationOf(waiting, set, { now: NOON + 1 }))).toEqual({ due: 'later' });
    expect(due(situationOf(waiting, set, { now: NOON + HOUR }))).toEqual({ due: 'now', since: NOON + HOUR });
    // By the clock of the function, the timer has fired a moment early.
    expect(due(situationOf(waiting, set, { now: NOON + HOUR - 5, hasFired: true }))).toEqual({
      ...{ due: 'now', since: NOON + HOUR },
    });
  });

  it('runs from when the message before was sent, where that was later, and waits for one that is not sent yet', () => {
    const place = { until: iso(NOON + HOUR), sinceMessage: true, last: 'zero' } as const;
    const now = NOON + HOUR;
    const behind = (before: SeriesSituation['before']): Due | undefined =>
      due(situationOf(waiting, place, { now, before, hasFired: true }));
    expect(behind({ status: 'sent', at: iso(NOON) })).toEqual({ due: 'now', since: now });
    expect(behind({ status: 'sent', at: iso(NOON + 600_000) })).toEqual({
      due: 'wait',
      until: now + 600_000,
    });
    expect(behind({ status: 'failed', at: iso(NOON + 600_000) })).toEqual({
      due: 'wait',
      until: now + 600_000,
    });
    expect(behind({ status: 'reserved', at: iso(NOON) })).toEqual({ due: 'wait', until: now + 900_000 });
    expect(behind({ status: 'sending', at: iso(NOON) })).toEqual({ due: 'wait', until: now + 900_000 });
  });

  it('until a time that is past or missing is never due', () => {
    const until = [{ id: 'one', until: { property: 'startsAt' }, send }];
    expect(due(situationOf(until))).toEqual({ due: 'never' });
    const starts = past(NOON, { properties: { startsAt: iso(NOON + HOUR) } });
    expect(due(situationOf(until, {}, { cause: starts }))).toEqual({ due: 'wait', until: NOON + HOUR });
  });
});

describe('an await', () => {
  const awaiting = [{ id: 'one', await: click, within: '1d', send }];
  const since = NOON + 700;
  const place = { since: iso(since) };
  const clicked = (at: number, id = 'click'): PastInteraction => past(at, { id, kind: 'click' });

  it('is over at a match that occurred since it began, whether that was quicker or slower than the step', () => {
    expect(due(situationOf(awaiting, place, { now: since }))).toEqual({ due: 'wait', until: since + DAY });
    const match = { due: 'now', since, matched: 'click' };
    expect(due(situationOf(awaiting, place, { now: since }), [clicked(since)])).toEqual(match);
    const set = { ...place, until: iso(since + DAY) };
    const at = since + HOUR;
    const arrives = (event: PastInteraction): Due | undefined =>
      due(situationOf(awaiting, set, { now: at, event }));
    expect(arrives(clicked(at))).toEqual({ ...match, since: at });
    expect(arrives(clicked(since + 5))).toEqual({ ...match, since: at });
    expect(arrives(past(at))).toEqual({ due: 'later' });
    expect(arrives(clicked(NOON - 1))).toEqual({ due: 'later' });
    // Providers give whole seconds.
    expect(arrives(clicked(NOON))).toEqual({ ...match, since: at });
  });

  it('is not over at what started the series or ended the await before', () => {
    const set = { ...place, until: iso(since + DAY), matched: 'click' };
    const arrives = (id: string): Due | undefined =>
      due(situationOf(awaiting, set, { now: since + 1, event: clicked(since, id) }));
    expect(arrives('click')).toEqual({ due: 'later' });
    expect(arrives('cause')).toEqual({ due: 'later' });
    expect(arrives('other')).toMatchObject({ due: 'now' });
    expect(
      due(situationOf(awaiting, { ...place, matched: 'click' }, { now: since }), [clicked(since)]),
    ).toEqual({
      ...{ due: 'wait', until: since + DAY },
    });
  });

  it('is over once: its message is not decided earlier because of another match', () => {
    const deferred = { ...place, dueAt: iso(since + 1), until: iso(since + HOUR), matched: 'click' };
    const event = clicked(since + 2, 'other');
    expect(due(situationOf(awaiting, deferred, { now: since + 2, event }))).toEqual({ due: 'later' });
  });

  it('is over after its time, and awaits no notification that it does not name', () => {
    const set = { ...place, until: iso(since + DAY) };
    expect(due(situationOf(awaiting, set, { now: since + DAY }))).toEqual({ due: 'now', since: since + DAY });
    const any = [{ id: 'one', await: { channel: ['email'] }, within: '1d' }];
    const event = past(since, { kind: 'notification' });
    expect(due(situationOf(any, set, { now: since, event }))).toEqual({ due: 'later' });
  });
});

describe('a due step', () => {
  const two = [
    { id: 'one', send },
    { id: 'two', wait: '1h' },
  ];

  it('sends, or is passed, and the series goes on; it ends where it must', () => {
    expect(move(situationOf(two))).toMatchObject({
      ...{ move: 'message', decision: { decision: 'send', template: 'hello' }, to: 'two', ends: false },
    });
    const nobody = person({ identifiers: ['phone:+14155550100'] });
    expect(move(situationOf(two, {}, { customer: nobody }))).toMatchObject({
      ...{ decision: { decision: 'suppress', reason: 'no-address' }, to: 'two', ends: false },
    });
    const order = past(NOON, { kind: 'order' });
    const cancelled = { decision: { decision: 'suppress', reason: 'cancelled' }, ends: true };
    expect(move(situationOf(two), [order])).toMatchObject(cancelled);
    expect(move(situationOf(two, { step: 'two' }), [order])).toMatchObject(cancelled);
    expect(move(situationOf(two, { step: 'two' }))).toEqual({ move: 'on', to: undefined, since: NOON });
  });

  it('is decided by when it fell due, not by when the series began', () => {
    const night = Date.parse('2026-03-02T22:00:00Z');
    expect(move(situationOf(two, {}, { now: night }))).toMatchObject({ move: 'wait' });
    const { trigger } = situationOf(two);
    const hurried = { ...trigger, limits: { ...trigger.limits, expires: HOUR } };
    expect(move({ ...situationOf(two, {}, { now: night }), trigger: hurried })).toMatchObject({
      decision: { reason: 'expired' },
      ends: false,
    });
  });

  it('takes the first way whose condition holds, or none', () => {
    const often = (atLeast: number) => ({
      where: [{ count: click, within: '1d', atLeast }],
      steps: [{ id: `${atLeast}`, wait: '1h' }],
    });
    const branch = [
      { id: 'one', branch: [often(2), often(1)] },
      { id: 'end', send },
    ];
    const clicks = [past(NOON, { kind: 'click' }), past(NOON, { kind: 'click' })];
    expect(move(situationOf(branch), clicks)).toMatchObject({ to: '2' });
    expect(move(situationOf(branch), clicks.slice(1))).toMatchObject({ to: '1' });
    expect(move(situationOf(branch))).toMatchObject({ to: 'end' });
  });

  it('parts customers by the shares of a split, always the same way', () => {
    const split = [
      {
        id: 'one',
        split: [
          { share: '30%', steps: [{ id: 'few', send }] },
          { share: '50%', steps: [{ id: 'many', send }] },
        ],
      },
    ];
    const ways = Array.from({ length: 500 }, (_, at) => {
      const situation = situationOf(split, {}, { customer: person({ id: `customer-${at}` }) });
      const found = move(situation);
      expect(move(situation)).toEqual(found);
      return found?.move === 'on' ? (found.to ?? 'none') : 'nowhere';
    });
    const count = (way: string): number => ways.filter((one) => one === way).length / ways.length;
    expect(count('few')).toBeCloseTo(0.3, 1);
    expect(count('many')).toBeCloseTo(0.5, 1);
    expect(count('none')).toBeCloseTo(0.2, 1);
  });
});
