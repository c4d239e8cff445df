import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialRateLimit, observeQuota, type Priority, reserveCall } from '../../../core/crm/rate-limit.ts';
import { HubError } from '../../../core/errors.ts';
import { crmBudget } from '../../../functions/sync/connection/budget.ts';
import { lease } from '../../../functions/sync/connection/lease.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';
import { openTestTable, type TestTable } from '../../support/open-test-table.ts';

let table: TestTable;
beforeEach(async () => {
  table = await openTestTable();
});

const crm = { id: 'acme-crm', title: 'Acme CRM', budget: { calls: 6, seconds: 10 } };
const down = (): HubError => new HubError('unavailable-crm', 'down', { retry: 'later' });
const waits = { code: 'crm-pause' };
const DAY_SECONDS = 86_400;

describe('the budget', () => {
  const callsOf = (priority: Priority) =>
    crmBudget(crm, table.rows, table.runtime).callWith(new AbortController().signal, priority);

  it('is never exceeded in a window, for any calls at any time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4000 })), (pauses) => {
        let [rateLimit, now, first, spent] = [initialRateLimit, 1_000_000, 0, 0];
        for (const pause of pauses) {
          now += pause;
          const admission = reserveCall(rateLimit, crm.budget, 'live', now);
          if ('waitMs' in admission) {
            expect(admission.waitMs).toBeGreaterThan(0);
            continue;
          }
          ({ state: rateLimit } = admission);
          if (rateLimit.window !== first) [first, spent] = [rateLimit.window, 0];
          spent++;
          expect(spent).toBeLessThanOrEqual(crm.budget.calls);
          expect(now - first).toBeLessThan(crm.budget.seconds * 1000);
        }
      }),
    );
  });

  it('is shared by all workers, until the window ends', async () => {
    const workers = Array.from({ length: 4 }, () => callsOf('live'));
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => workers[at % 4]?.spend()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    for (const result of results.filter(({ status }) => status === 'rejected'))
      expect(result).toMatchObject({ reason: waits });
    await table.clock.runUntil(table.clock.now() + 10_000);
    await workers[0]?.spend();
  });

  it('leaves half of it to live traffic', async () => {
    const [live, backfill] = [callsOf('live'), callsOf('backfill')];
    for (let call = 0; call < 3; call++) await backfill.spend();
    await expect(backfill.spend()).rejects.toMatchObject(waits);
    for (let call = 0; call < 3; call++) await live.spend();
    await expect(live.spend()).rejects.toMatchObject(waits);
  });
});

describe('the quota of the CRM', () => {
  it.each([
    [69, true, true],
    [70, true, false],
    [95, false, false],
  ])('at %s of a hundred calls is left to live traffic: %s, to a backfill: %s', (used, live, backfill) => {
    const observed = observeQuota(initialRateLimit, { used, limit: 100, perSeconds: DAY_SECONDS }, 0);
    const admits = (priority: Priority, now: number): boolean =>
      'state' in reserveCall(observed, crm.budget, priority, now);
    expect([admits('live', 1), admits('backfill', 1), admits('probe', 1)]).toEqual([live, backfill, true]);
    // An old figure is not believed for ever: the next call brings a new one.
    expect(admits('backfill', 900_000)).toBe(true);
  });

  it('of a day pauses the connection once it is used up, except for what is left to others', async () => {
    const budget = crmBudget(crm, table.rows, table.runtime);
    const call = budget.callWith(new AbortController().signal, 'live');
    await call.spend();
    call.observe?.({ used: 96, limit: 100, perSeconds: DAY_SECONDS });
    await expect(call.spend()).rejects.toMatchObject({
      ...{ code: 'spent-quota', scope: 'connection', why: 'throttled' },
    });
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
