import { describe, expect, it } from 'vitest';
import { differenceInterval, shareInterval } from '../../../core/triggers/results/interval.ts';
import { triggerReport, waitingOf } from '../../../core/triggers/results/report.ts';

// Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
it.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('the interval of %i of %i is the published one', (count, total, low, high) => {
  const interval = shareInterval(count, total);
  expect(interval?.low).toBeCloseTo(low, 4);
  expect(interval?.high).toBeCloseTo(high, 4);
});

// Newcombe, Interval estimation for the difference between independent proportions, the same volume, 873-890, table II, method 10.
it.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [0, 10, 0, 10, -0.2775, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
  [10, 10, 0, 10, 0.6075, 1],
])('the interval of %i/%i - %i/%i is the published one', (a, m, b, n, low, high) => {
  const interval = differenceInterval({ count: a, total: m }, { count: b, total: n });
  expect(interval?.low).toBeCloseTo(low, 4);
  expect(interval?.high).toBeCloseTo(high, 4);
});

it('there is no interval of nothing', () => {
  expect(shareInterval(0, 0)).toBeUndefined();
  expect(differenceInterval({ count: 1, total: 2 }, { count: 0, total: 0 })).toBeUndefined();
});

describe('a report', () => {
  const figures = [
    {
      day: '2026-03-02',
      template: 'a',
      amounts: { sent: 3, delivered: 2, opened: 1, goalChecked: 2, goalReached: 1 },
    },
    { day: '2026-03-01', template: 'b', amounts: { sent: 1, goalChecked: 1 } },
    {
      day: '2026-03-01',
      template: '',
      amounts: { 'suppressed-no-consent': 2, 'suppressed-holdout': 1, waits: 5, waited: 3 },
    },
    { day: '2026-03-01', template: '', amounts: { failed: 1, holdoutChecked: 4, holdoutReached: 1 } },
  ];

  it('adds the figures up by day, by variant and in total', () => {
    const report = triggerReport(figures);
    expect(report).toMatchObject({
      ...{ matched: 8, sent: 4, failed: 1, delivered: 2, opened: 1, clicked: 0 },
      suppressed: { 'no-consent': 2, holdout: 1 },
      goal: { sent: { checked: 3, reached: 1 }, holdout: { checked: 4, reached: 1 } },
      days: [
        { day: '2026-03-01', matched: 5, sent: 1 },
        { day: '2026-03-02', matched: 3, sent: 3 },
      ],
      variants: [
        { template: 'a', sent: 3, goal: { checked: 2, reached: 1 } },
        { template: 'b', sent: 1, goal: { checked: 1, reached: 0 } },
      ],
    });
    expect(report.goal.difference?.estimate).toBeCloseTo(1 / 3 - 1 / 4, 10);
    expect(waitingOf(figures)).toBe(2);
  });
});
