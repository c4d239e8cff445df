import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interaction } from '../../core/interaction/interaction.ts';
import {
  type Amounts,
  addAmounts,
  type Countable,
  countable,
  figuresView,
} from '../../core/timeline/figures.ts';
import { figures } from '../../functions/aws/customers/figures.ts';
import { noPause } from '../support/no-pause.ts';
import { openTestTable } from '../support/open-test-table.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
const runtime = { ...noPause, now: () => START };
const ROME = 'Europe/Rome';

const act = (serial: number, seconds = serial * 20): Countable => ({
  ...{ id: `act${serial}`, receivedAt: at(seconds), occurredAt: at(seconds) },
  channel: serial % 3 === 0 ? 'sms' : 'email',
  amounts:
    serial % 2 === 0 ? { inbound: 1 } : { outbound: 1, replies: 1, replySeconds: serial, replyBelow60: 1 },
});

const counted = (found: Awaited<ReturnType<ReturnType<typeof figures>['between']>>): Amounts =>
  found.reduce((sum, { amounts }) => addAmounts(sum, amounts), {});
const sumOf = (acts: readonly Countable[]): Amounts =>
  acts.reduce((sum, { amounts }) => addAmounts(sum, amounts), {});

describe('figures', () => {
  it('are the sum of the interactions with redeliveries, in any batches, by two workers at once, and when a process ends', async () => {
    const Delivery = fc.record({
      acts: fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 8 }),
      end: fc.option(
        fc.record({
          request: fc.integer({ min: 1, max: 4 }),
          when: fc.constantFrom('before' as const, 'after' as const),
        }),
        { nil: undefined },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(Delivery, Delivery), { maxLength: 6 }), async (rounds) => {
        const table = await openTestTable();
        const told = new Set<number>();
        const deliver = async ({ acts, end }: (typeof rounds)[number][number]) => {
          for (const serial of acts) told.add(serial);
          try {
            await figures(table.openProcess(end), runtime).count(
              acts.map((serial) => act(serial)),
              ROME,
            );
          } catch {
            // The queue tells it again.
            await figures(table.rows, runtime).count(
              acts.map((serial) => act(serial)),
              ROME,
            );
          }
        };
        for (const pair of rounds) await Promise.all(pair.map(deliver));
        const found = await figures(table.rows, runtime).between('2026-03-01', '2026-03-31');
        expect(counted(found)).toEqual(sumOf([...told].map((serial) => act(serial))));
      }),
      { numRuns: 150 },
    );
  });

  it('count a hundred interactions of one minute in three requests, and a redelivery in one', async () => {
    const table = await openTestTable();
    const acts = Array.from({ length: 100 }, (_, serial) => act(serial, serial / 10));
    await figures(table.rows, runtime).count(acts, ROME);
    expect(table.takeSpent().requests).toBeLessThanOrEqual(3);
    await figures(table.rows, runtime).count(acts, ROME);
    expect(table.takeSpent().requests).toBe(1);
  });

  it('count thousands of interactions of one minute, page by page', async () => {
    const table = await openTestTable();
    const acts = Array.from({ length: 2300 }, (_, serial) => act(serial, (serial % 600) / 10));
    for (let start = 0; start < acts.length; start += 230)
      await figures(table.rows, runtime).count(acts.slice(start, start + 230), ROME);
    await figures(table.rows, runtime).count(acts, ROME);
    const found = await figures(table.rows, runtime).between('2026-03-02', '2026-03-02');
    expect(counted(found)).toEqual(sumOf(acts));
    const pages: number[] = [];
    for await (const { hashes } of table.rows.query('counted#2026-03-02T09:00'))
      pages.push(String(hashes).length / 11);
    expect(pages).toHaveLength(4);
    expect(pages.reduce((sum, count) => sum + count)).toBe(2300);
  });

  it('count the interactions of a whole year at once', async () => {
    const table = await openTestTable();
    const acts = Array.from({ length: 300 }, (_, serial) => ({
      ...act(serial, 0),
      occurredAt: new Date(START - serial * 86_400_000).toISOString(),
    }));
    await figures(table.rows, runtime).count(acts, ROME);
    const found = await figures(table.rows, runtime).between('2025-01-01', '2026-12-31');
    expect(counted(found)).toEqual(sumOf(acts));
    expect(found).toHaveLength(300);
    expect(found.map(({ day }) => day)).toEqual(found.map(({ day }) => day).sort());
  });

  it('belong to the day of the zone, also where clocks change', async () => {
    const table = await openTestTable();
    const late = (occurredAt: string, serial: number) => ({ ...act(serial, 0), occurredAt });
    await figures(table.rows, runtime).count(
      [
        late('2026-03-28T22:59:59.000Z', 1),
        late('2026-03-28T23:00:00.000Z', 2),
        late('2026-03-29T21:59:59.000Z', 4),
        late('2026-03-29T22:00:00.000Z', 5),
      ],
      ROME,
    );
    const found = await figures(table.rows, runtime).between('2026-03-01', '2026-03-31');
    expect(found.map(({ day, amounts }) => [day, (amounts.inbound ?? 0) + (amounts.outbound ?? 0)])).toEqual([
      ['2026-03-28', 1],
      ['2026-03-29', 2],
      ['2026-03-30', 1],
    ]);
  });

  it('skip interactions that were received before the retention of counted ids', async () => {
    const table = await openTestTable();
    await figures(table.rows, { ...noPause, now: () => START + 200 * 86_400_000 }).count([act(1)], ROME);
    expect(await figures(table.rows, runtime).between('2026-03-01', '2026-03-31')).toEqual([]);
  });
});

const interaction = (told: Partial<Interaction>): Interaction & { receivedAt: string } => ({
  ...{ id: 'i', kind: 'message', channel: 'sms', provider: 'test', direction: 'inbound' },
  ...{ occurredAt: at(0), receivedAt: at(0), identifiers: [] },
  ...told,
});

it.each([
  [{ kind: 'message' }, { inbound: 1 }],
  [{ kind: 'echo', direction: 'outbound' }, { outbound: 1 }],
  [{ kind: 'order' }, { events: 1 }],
  [{ kind: 'notification', direction: 'outbound' }, { sent: 1 }],
  [{ kind: 'bounce', direction: 'outbound' }, { bounced: 1 }],
  [{ kind: 'complaint' }, { complained: 1 }],
  [
    { kind: 'delivery-status', direction: 'outbound', properties: { status: 'undelivered' } },
    { undelivered: 1 },
  ],
  [{ kind: 'delivery-status', direction: 'outbound', properties: { status: 'delivered' } }, undefined],
  [{ kind: 'call', properties: { status: 'ringing' } }, undefined],
  [{ kind: 'call', properties: { status: 'completed' } }, { inbound: 1 }],
  [{ kind: 'open' }, undefined],
  [{ kind: 'contact-update' }, undefined],
] as const)('%j adds %j', (told, amounts) => {
  expect(countable(interaction(told), undefined)?.amounts).toEqual(amounts);
});

describe('the figures that the API returns', () => {
  const replies = (seconds: readonly number[]): Amounts =>
    seconds.reduce<Amounts>(
      (sum, one) =>
        addAmounts(sum, countable(interaction({}), { seconds: one, first: one > 100 })?.amounts ?? {}),
      {},
    );

  it('have an exact mean, and a median within its bucket', () => {
    const { response, firstResponse } = figuresView(replies([10, 70, 400, 100_000]));
    expect(response).toMatchObject({ count: 4, averageSeconds: 25_120 });
    expect(response.medianSeconds).toBeGreaterThanOrEqual(60);
    expect(response.medianSeconds).toBeLessThanOrEqual(120);
    expect(firstResponse.count).toBe(2);
    expect(figuresView(replies([10_000_000, 10_000_000])).response.medianSeconds).toBeGreaterThanOrEqual(
      604_800,
    );
  });

  it('have the share of failed notifications', () => {
    expect(figuresView({ sent: 6, failed: 2, outbound: 2, bounced: 1, undelivered: 1 }).failureShare).toBe(
      0.4,
    );
    expect(figuresView({}).failureShare).toBe(0);
  });
});
