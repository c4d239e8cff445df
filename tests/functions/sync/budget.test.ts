import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  initialRateLimit,
  pausedFor,
  type RateLimit,
  recordAnswer,
  recordNoAnswer,
  reserveCalls,
} from '../../../core/crm/rate-limit.ts';
import { HubError } from '../../../core/errors.ts';
import { lease } from '../../../functions/sync/lease.ts';
import { throttle } from '../../../functions/sync/throttle.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { openTestTable, type TestTable } from '../../support/open-test-table.ts';

let table: TestTable;
beforeEach(async () => {
  table = await openTestTable();
});

const crm = { id: 'acme-crm', title: 'Acme CRM', budget: { calls: 5, seconds: 10 } };
const down = (afterSeconds?: number): HubError =>
  new HubError('unavailable-crm', 'down', { retry: afterSeconds === undefined ? 'later' : { afterSeconds } });
const waits = { code: 'crm-pause' };

describe('the budget', () => {
  it('is never exceeded in a window, for any calls at any time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 4000 }))),
        (asked) => {
          let [allowance, now, first, spent] = [initialRateLimit, 1_000_000, 0, 0];
          for (const [calls, pause] of asked) {
            now += pause;
            const admission = reserveCalls(allowance, crm.budget, calls, now);
            if ('waitMs' in admission) {
              expect(admission.waitMs).toBeGreaterThan(0);
              continue;
            }
            ({ state: allowance } = admission);
            if (allowance.window !== first) [first, spent] = [allowance.window, 0];
            spent += calls;
            expect(spent).toBeLessThanOrEqual(crm.budget.calls);
            expect(now - first).toBeLessThan(crm.budget.seconds * 1000);
          }
        },
      ),
    );
  });

  it('is shared by all workers', async () => {
    const ways = Array.from({ length: 4 }, () => throttle(crm, table.rows, table.runtime));
    let calls = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => ways[at % 4]?.through(1, async () => calls++)),
    );
    expect(calls).toBe(5);
    for (const result of results.filter(({ status }) => status === 'rejected'))
      expect(result).toMatchObject({ reason: waits });
    await table.clock.runUntil(table.clock.now() + 10_000);
    await expect(ways[0]?.through(5, async () => 'again')).resolves.toBe('again');
  });
});

describe('the breaker', () => {
  it('opens after three failures, allows one probe, and closes when it is answered', async () => {
    const [one, other] = [throttle(crm, table.rows, table.runtime), throttle(crm, table.rows, table.runtime)];
    for (let failure = 0; failure < 3; failure++)
      await expect(one.through(1, () => Promise.reject(down()))).rejects.toThrow('down');
    await expect(other.expectOpen()).rejects.toMatchObject(waits);
    await expect(other.through(1, async () => 1)).rejects.toMatchObject(waits);
    await table.clock.runUntil(table.clock.now() + 30_000);
    await other.expectOpen();
    await one.through(1, async () => {
      await expect(other.through(1, async () => 1)).rejects.toMatchObject(waits);
    });
    await other.expectOpen();
    await expect(other.through(1, async () => 2)).resolves.toBe(2);
  });

  it('waits longer each time, up to the limit of a queue', () => {
    let allowance: RateLimit = initialRateLimit;
    const pauses: number[] = [];
    for (let failure = 0; failure < 12; failure++) {
      allowance = recordNoAnswer(allowance, undefined, 0);
      pauses.push(pausedFor(allowance, 0));
    }
    expect(pauses.slice(0, 6)).toEqual([0, 0, 30_000, 60_000, 120_000, 240_000]);
    expect(pauses.at(-1)).toBe(900_000);
    expect(pausedFor(recordAnswer(allowance), 0)).toBe(0);
    expect(pausedFor(recordNoAnswer(initialRateLimit, 120, 0), 0)).toBe(120_000);
  });
});

describe('the token', () => {
  it('is renewed by one worker at a time, and shared', async () => {
    const now = (): number => table.clock.now();
    const [one, other] = [
      lease('acme-crm', { key: 'k' }, table.rows, now),
      lease('acme-crm', { key: 'k' }, table.rows, now),
    ];
    let renewals = 0;
    const renew = async (): Promise<string> => {
      await expect(other.get(undefined, async () => `token ${++renewals}`)).rejects.toMatchObject(waits);
      return `token ${++renewals}`;
    };
    expect(await one.get(undefined, renew)).toBe('token 1');
    expect(await other.get(undefined, renew)).toBe('token 1');
    expect(await other.get('token 1', async () => `token ${++renewals}`)).toBe('token 2');
    expect(await one.get('token 1', renew)).toBe('token 2');
    expect(renewals).toBe(2);
  });

  it('is released by a worker that ends, or whose login fails', async () => {
    const token = lease('acme-crm', {}, table.rows, () => table.clock.now());
    await expect(token.get(undefined, () => Promise.reject(down()))).rejects.toThrow('down');
    void token.get(undefined, () => new Promise(() => {}));
    await table.clock.runUntil(table.clock.now() + 1000);
    await new Promise((resolve) => setImmediate(resolve));
    await table.clock.runUntil(table.clock.now() + 30_000);
    expect(await token.get(undefined, async () => 'mine')).toBe('mine');
  });

  it('is stored encrypted, and is not used with other credentials', async () => {
    const now = (): number => table.clock.now();
    await lease('acme-crm', { key: 'k' }, table.rows, now).get(undefined, async () => 'very secret');
    const rows = await scanTable(table.runtime);
    expect(JSON.stringify(rows)).not.toContain('very secret');
    const other = lease('acme-crm', { key: 'changed' }, table.rows, now);
    expect(await other.get(undefined, async () => 'new')).toBe('new');
  });
});
