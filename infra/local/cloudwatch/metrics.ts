import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { answerJson, jsonOperation } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';

/** A metric with at most one dimension. */
interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimension?: { readonly name: string; readonly value: string };
}

const keyOf = ({ namespace, name, dimension }: Metric): string =>
  `${namespace} ${name} ${dimension?.value ?? ''}`;

export interface Metrics {
  /** Adds a value to a metric at the current time. */
  add(metric: Metric, value: number): void;
  /** Writes the values in memory into the state. */
  flush(): void;
  /** CloudWatch's API: `GetMetricData`, sums only. */
  readonly service: AwsService;
}

const MINUTE_MS = 60_000;
/** A killed process loses the values of at most this time. */
const FLUSH_MS = 1000;

const Query = z.looseObject({
  Id: z.string(),
  MetricStat: z.looseObject({
    Metric: z.looseObject({
      Namespace: z.string(),
      MetricName: z.string(),
      Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
    }),
    Period: z.int().positive(),
    Stat: z.literal('Sum'),
  }),
});
const Input = z.looseObject({
  StartTime: z.number(),
  EndTime: z.number(),
  MetricDataQueries: z.array(Query).max(500),
});

/** The metrics of a deployed template, by minute. */
export const metrics = ({ db, clock }: Pick<ServiceContext, 'db' | 'clock'>): Metrics => {
  const pending = new Map<string, { readonly minute: number; readonly key: string; sum: number }>();
  const statements = prepare(db);
  let flushedAt = clock.now();
  const flush = (): void => {
    for (const { key, minute, sum } of pending.values()) statements.add.run(key, minute, sum);
    pending.clear();
    flushedAt = clock.now();
  };
  return {
    add(metric, value) {
      const key = keyOf(metric);
      const minute = Math.floor(clock.now() / MINUTE_MS);
      const one = pending.get(`${minute} ${key}`) ?? { key, minute, sum: 0 };
      one.sum += value;
      pending.set(`${minute} ${key}`, one);
      if (clock.now() - flushedAt >= FLUSH_MS) flush();
    },
    flush,
    service: {
      signingName: 'monitoring',
      operation: jsonOperation,
      handle: (request) =>
        answerJson(request, '1.0', {
          GetMetricData(raw) {
            flush();
            const { StartTime, EndTime, MetricDataQueries } = Input.parse(raw);
            return {
              MetricDataResults: MetricDataQueries.map(({ Id, MetricStat: { Metric: asked, Period } }) => {
                const [dimension] = asked.Dimensions;
                const key = keyOf({
                  namespace: asked.Namespace,
                  name: asked.MetricName,
                  ...(dimension && { dimension: { name: dimension.Name, value: dimension.Value } }),
                });
                const rows = statements.read.all(Period, Period, key, StartTime / 60, EndTime / 60);
                return {
                  ...{ Id, Label: asked.MetricName, StatusCode: 'Complete' },
                  Timestamps: rows.map((row) => Number(row['start'])),
                  Values: rows.map((row) => Number(row['sum'])),
                };
              }),
            };
          },
        }),
    },
  };
};

const prepare = (db: DatabaseSync) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS metrics (metric TEXT NOT NULL, minute INTEGER NOT NULL, sum REAL NOT NULL, PRIMARY KEY (metric, minute)) STRICT, WITHOUT ROWID',
  );
  return {
    add: db.prepare(
      'INSERT INTO metrics VALUES (?, ?, ?) ON CONFLICT (metric, minute) DO UPDATE SET sum = sum + excluded.sum',
    ),
    /** Points of a period in seconds: the sums of their minutes. */
    read: db.prepare(
      'SELECT (minute * 60 / ?) * ? AS start, sum(sum) AS sum FROM metrics WHERE metric = ? AND minute >= ? AND minute < ? GROUP BY start',
    ),
  };
};
