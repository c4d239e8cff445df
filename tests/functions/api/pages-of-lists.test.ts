import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../core/errors/failure.ts';
import { type FailurePorts, failureRoutes } from '../../../functions/api/routes/failures.ts';
import { figuresRoutes } from '../../../functions/api/routes/figures.ts';
import { failures } from '../../../functions/aws/operations/failures.ts';
import { configKey, failureKey, failureListKey } from '../../../functions/contracts/keys.ts';
import { openTestTable } from '../../support/open-test-table.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-03-02T09:00:00Z');
const iso = (time: number): string => new Date(time).toISOString();
const eventOf = (query: Record<string, string>) =>
  ({ queryStringParameters: query }) as unknown as APIGatewayProxyEventV2;

/** The nth failure; of later ones the earlier failed later. */
const failure = (n: number, more: Partial<Failure> = {}): Failure => ({
  ...{ id: `f${String(n).padStart(5, '0')}`, stage: 'record', origin: 'refused', code: 'invalid-json' },
  ...{ reason: 'It is not JSON.', about: {}, status: 'open', count: 1, tries: 1, version: 1 },
  ...{ occurrence: `m${n}`, payloadKey: `failures/record/${n}` },
  ...{ firstFailedAt: iso(START - n * 1000), failedAt: iso(START - n * 1000) },
  ...more,
});

describe('the page of failures', () => {
  /** The route over stored failures, newest first, handed out a hundred at a time. */
  const pages = (all: readonly Failure[]) => {
    const asked: unknown[] = [];
    const ports = {
      failures: {
        async *list({ before }: { before?: { failedAt: string; id: string } }) {
          asked.push(before);
          const left = all.filter(
            ({ failedAt, id }) =>
              before === undefined || `${failedAt}#${id}` < `${before.failedAt}#${before.id}`,
          );
          for (let at = 0; at < left.length; at += 100) yield left.slice(at, at + 100);
        },
      },
    } as unknown as FailurePorts;
    const page = async (query: Record<string, string> = {}) => {
      const { statusCode, body } = (await failureRoutes['GET /failures']?.(eventOf(query), ports)) ?? {};
      const { items = [], next } = JSON.parse(body ?? '{}') as { items?: { id: string }[]; next?: string };
      return { statusCode, ids: items.map(({ id }) => id), next };
    };
    /** Every page, from the first on. */
    const all_ = async (query: Record<string, string> = {}): Promise<string[][]> => {
      const found: string[][] = [];
      for (let cursor: string | undefined; ; ) {
        const { ids, next } = await page({ ...query, ...(cursor !== undefined && { cursor }) });
        found.push(ids);
        if (next === undefined) return found;
        cursor = next;
      }
    };
    return { page, all: all_, asked };
  };
  const many = (count: number, more: (n: number) => Partial<Failure> = () => ({})): Failure[] =>
    Array.from({ length: count }, (_, n) => failure(n, more(n)));

  it('has fifty entries, and the others follow in pages without a gap or a repetition', async () => {
    const found = await pages(many(120)).all();
    expect(found.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(found.flat()).toEqual(many(120).map(({ id }) => id));
  });

  it('is the last one where it holds the last entry', async () => {
    expect((await pages(many(50)).page()).next).toBeUndefined();
    expect((await pages(many(51)).page()).next).toBeDefined();
    expect(await pages([]).page()).toEqual({ statusCode: 200, ids: [], next: undefined });
  });

  it('has as many entries as are asked for, from one to two hundred', async () => {
    const { page } = pages(many(201));
    expect((await page({ limit: '200' })).ids).toHaveLength(200);
    expect((await page({ limit: '1' })).ids).toHaveLength(1);
    for (const limit of ['0', '201', '1.5', 'all']) expect((await page({ limit })).statusCode).toBe(400);
    expect((await page({ cursor: 'nonsense' })).statusCode).toBe(400);
  });

  it('ends after a thousand that do not match, even empty, and what follows is still found', async () => {
    const rare = many(2500, (n) => ({ status: n === 2400 ? 'open' : 'dismissed' }));
    const found = await pages(rare).all();
    expect(found.map(({ length }) => length)).toEqual([0, 0, 1]);
    expect(found.flat()).toEqual(['f02400']);
  });

  it('has the open ones, those of another status, of a code, or all', async () => {
    const { all } = pages([
      failure(1),
      failure(2, { status: 'dismissed' }),
      failure(3, { code: 'busy-table' }),
    ]);
    expect(await all()).toEqual([['f00001', 'f00003']]);
    expect(await all({ status: 'dismissed' })).toEqual([['f00002']]);
    expect(await all({ code: 'busy-table' })).toEqual([['f00003']]);
    expect(await all({ status: 'all' })).toEqual([['f00001', 'f00002', 'f00003']]);
  });
});

describe('the stored list of failures', () => {
  const stored = async (all: readonly Failure[]) => {
    const { rows, runtime } = await openTestTable();
    await rows.put({ ...configKey('hub'), body: {} });
    for (let at = 0; at < all.length; at += 40)
      await rows.transact(
        all
          .slice(at, at + 40)
          .flatMap((one) => [
            { put: { ...failureKey(one.id), ...one, expiresAt: 1 } },
            { put: { ...failureListKey(one), id: one.id } },
          ]),
      );
    const files = failures({ ...runtime, env: { ...runtime.env, BUCKET: 'hub' } }, rows);
    return { rows, list: files.list };
  };
  const read = async (pages: AsyncGenerator<readonly Failure[]>): Promise<string[][]> => {
    const found: string[][] = [];
    for await (const page of pages) found.push(page.map(({ id }) => id));
    return found;
  };
  const staged = (count: number): Failure[] =>
    Array.from({ length: count }, (_, n) => failure(n, { stage: n % 3 === 0 ? 'notify' : 'record' }));

  it('is that of all stages, newest first, a hundred a page', async () => {
    const all = staged(250);
    const { list } = await stored(all);
    const found = await read(list({}));
    expect(found.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(found.flat()).toEqual(all.map(({ id }) => id));
  });

  it('is that of one stage, and continues behind an entry', async () => {
    const all = staged(30);
    const { list } = await stored(all);
    const ids = (stage?: string) =>
      all.filter((one) => stage === undefined || one.stage === stage).map(({ id }) => id);
    expect((await read(list({ stage: 'notify' }))).flat()).toEqual(ids('notify'));
    const [, , , , fifth] = all;
    expect((await read(list({ before: fifth }))).flat()).toEqual(ids().slice(5));
    expect((await read(list({ before: { failedAt: iso(0), id: '' } }))).flat()).toEqual([]);
  });

  it('skips an entry whose failure failed again since, or is gone', async () => {
    const { rows, list } = await stored(staged(3));
    const again = failure(1, { failedAt: iso(START + 1000) });
    await rows.transact([
      { put: { ...failureKey(again.id), ...again } },
      { put: { ...failureListKey(again), id: again.id } },
      { delete: failureKey('f00002') },
    ]);
    expect((await read(list({}))).flat()).toEqual(['f00001', 'f00000']);
  });

  it('goes on behind a page of which nothing is left', async () => {
    const all = staged(101);
    const { rows, list } = await stored(all);
    for (const { id } of all.slice(0, 100)) await rows.transact([{ delete: failureKey(id) }]);
    expect(await read(list({}))).toEqual([[], ['f00100']]);
  });
});

describe('the page of figures', () => {
  const figures = async (query: Record<string, string>, now = START) => {
    const asked: string[][] = [];
    const answer = await figuresRoutes['GET /figures']?.(eventOf(query), {
      figures: {
        async between(from, to) {
          asked.push([from, to]);
          return [
            { day: from, channel: 'sms', amounts: { inbound: 2 } },
            { day: to, channel: 'email', amounts: { inbound: 1, outbound: 4 } },
            { day: to, channel: 'sms', amounts: { inbound: 3 } },
          ];
        },
      },
      timeZone: async () => 'Europe/Rome',
      now: () => now,
    });
    return { status: answer?.statusCode, asked, body: JSON.parse(String(answer?.body)) };
  };

  it('is of the last seven days of the hub’s zone, this one included', async () => {
    expect((await figures({})).asked).toEqual([['2026-02-24', '2026-03-02']]);
    expect((await figures({}, Date.parse('2026-03-02T23:30:00Z'))).asked).toEqual([
      ['2026-02-25', '2026-03-03'],
    ]);
    expect((await figures({ days: '1', to: '2026-01-01' })).asked).toEqual([['2026-01-01', '2026-01-01']]);
    expect((await figures({ from: '2026-02-28', days: '1' })).asked).toEqual([['2026-02-28', '2026-03-02']]);
  });

  it('is of at most 366 days, and of at least one', async () => {
    const to = '2026-03-02';
    const daysBefore = (days: number): string => iso(Date.parse(to) - days * DAY).slice(0, 10);
    expect((await figures({ days: '366' })).asked).toEqual([[daysBefore(365), to]]);
    expect((await figures({ from: daysBefore(365), to })).status).toBe(200);
    for (const query of [
      { days: '367' },
      { days: '0' },
      { days: '1.5' },
      { from: daysBefore(366), to },
      { from: '2026-03-03', to },
      { from: 'yesterday' },
      { to: '2026-02-30' },
    ])
      expect(await figures(query)).toMatchObject({
        status: 400,
        asked: [],
        body: { code: 'invalid-query' },
      });
  });

  it('adds up by channel and in all', async () => {
    const { body } = await figures({});
    expect(body).toMatchObject({
      ...{ from: '2026-02-24', to: '2026-03-02', timeZone: 'Europe/Rome' },
      items: [{ channel: 'sms' }, { channel: 'email' }, { channel: 'sms' }],
      channels: { email: { inbound: 1, outbound: 4 }, sms: { inbound: 5 } },
      total: { inbound: 6, outbound: 4 },
    });
    expect(Object.keys(body.channels)).toEqual(['email', 'sms']);
  });
});
