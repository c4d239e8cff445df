import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../core/triggers/condition.ts';
import { historyFacts, type PastInteraction } from '../../../core/triggers/history-facts.ts';
import {
  DAY,
  decidedInSteps,
  HOUR,
  NOON,
  outcome,
  past,
  trigger,
} from '../../support/triggers/situations.ts';

const order = { kind: 'order' as const, channel: 'web' as const };
const orders = (count: number): PastInteraction[] =>
  Array.from({ length: count }, (_, hours) => past(NOON - hours * HOUR, order));
const counting = (fields: object): object => ({ count: { kind: ['order'] }, within: '30d', ...fields });
const read = (fields: Record<string, unknown>, history: readonly PastInteraction[]) => {
  const { decision, read } = decidedInSteps(fields, { history });
  return [decision.decision === 'suppress' ? decision.reason : decision.decision, read];
};

describe('the history is read no further than', () => {
  it('nothing, where no condition counts or an earlier one fails', () => {
    expect(read({}, orders(100))).toEqual(['send', 0]);
    const vip = { customer: { tags: ['vip'] } };
    expect(read({ where: [vip, counting({ exactly: 0 })] }, orders(100))).toEqual(['condition', 0]);
    expect(read({ unless: { kind: ['order'] } }, orders(100))).toEqual(['send', 0]);
  });

  it('enough, one too many, or the first that differs', () => {
    expect(read({ where: [counting({ atLeast: 2 })] }, orders(100))).toEqual(['send', 2]);
    expect(read({ where: [counting({ atMost: 2 })] }, orders(100))).toEqual(['condition', 3]);
    expect(read({ where: [counting({ exactly: 0 })] }, orders(100))).toEqual(['condition', 1]);
    expect(read({ where: [counting({ atLeast: 0 })] }, orders(100))).toEqual(['send', 0]);
    const any = { any: [counting({ atLeast: 3 }), counting({ atLeast: 90 })] };
    expect(read({ where: [any] }, orders(100))).toEqual(['send', 3]);
  });

  it('the end of its window', () => {
    expect(read({ where: [counting({ within: '5h', atLeast: 9 })] }, orders(100))).toEqual(['condition', 6]);
    const both = [counting({ within: '5h', atMost: 9 }), counting({ within: '7h', atMost: 9 })];
    expect(read({ where: both }, orders(100))).toEqual(['send', 8]);
  });
});

it('asks for the longest of its windows, nested ones too, and from the cause on for `unless`', () => {
  const start = (fields: Record<string, unknown>, now = NOON): number | undefined =>
    historyFacts(trigger(fields), past(NOON), now).start;
  const windows = ['1d', '3d', '2d'].map((within) => counting({ within, atLeast: 1 }));
  expect(start({ where: windows })).toBe(NOON - 3 * DAY);
  expect(start({ where: [{ not: { any: [{ all: windows }] } }] })).toBe(NOON - 3 * DAY);
  expect(start({ where: [{ customer: { tags: ['vip'] } }] })).toBeUndefined();
  expect(start({ unless: { kind: ['order'] } }, NOON + 9 * DAY)).toBe(NOON - 1);
});

it('says that a count was not finished', () => {
  const { decision } = decidedInSteps({ where: [counting({ atLeast: 2 })] }, { history: orders(9) });
  expect(decision.steps[0]).toMatchObject({
    ...{ step: 'count {"kind":["order"]}', result: '2 or more' },
    values: { count: 2, isAll: false, atLeast: 2 },
  });
});

/** Conditions on orders and messages whose counts are limited in any way. */
const conditions = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({
      count: fc.constantFrom({ kind: ['order'] }, { kind: ['message'] }),
      within: fc.constantFrom('3h', '10h', '30d'),
      ...{
        atLeast: fc.option(fc.nat(4), { nil: undefined }),
        atMost: fc.option(fc.nat(4), { nil: undefined }),
      },
      exactly: fc.nat(4),
    }),
    fc.record({
      count: fc.constantFrom({ kind: ['order'] }, { kind: ['message'] }),
      within: fc.constantFrom('3h', '10h', '30d'),
      atLeast: fc.nat(4),
    }),
    fc.record({ not: tie('condition') }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
  ),
})).condition;

/** What FORMATS says of a condition, over the whole history. */
const holds = (condition: Condition, history: readonly PastInteraction[]): boolean => {
  if ('not' in condition) return !holds(condition.not, history);
  if ('any' in condition) return condition.any.some((one) => holds(one, history));
  if ('all' in condition) return condition.all.every((one) => holds(one, history));
  if ('customer' in condition || 'conversation' in condition)
    throw new Error('no condition on the customer is generated');
  const { count, within, atLeast = 0, atMost = Number.POSITIVE_INFINITY, exactly } = condition;
  const kinds = Object.values(count).flat();
  const found = history.filter(
    ({ kind, occurredAt }) =>
      kinds.includes(kind) && Date.parse(occurredAt) > NOON - within && Date.parse(occurredAt) <= NOON,
  ).length;
  return found >= atLeast && found <= atMost && found === (exactly ?? found);
};

it('decides as over the whole history, whatever it has read of it', () => {
  const history = fc.array(
    fc.record({
      hours: fc.integer({ min: -2, max: 20 }),
      kind: fc.constantFrom('order' as const, 'message' as const),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(fc.array(conditions, { maxLength: 3 }), history, (where, given) => {
      const all = given.map(({ hours, kind }) => past(NOON - hours * HOUR, { kind }));
      const expected = trigger({ where }).where.every((one) => holds(one, all)) ? 'send' : 'suppress';
      expect(decidedInSteps({ where }, { history: all }).decision.decision).toBe(expected);
      expect(outcome({ where }, { history: all })).toBe(expected === 'send' ? 'send email' : 'condition');
    }),
    { numRuns: 500 },
  );
});
