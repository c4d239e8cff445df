import * as z from 'zod';

const Prices = z.strictObject({
  region: z.string(),
  /** The day on which the prices were copied from `source`. */
  asOf: z.iso.date(),
  source: z.url(),
  /** Dollars per million of each. */
  perMillion: z.strictObject({
    httpRequest: z.number(),
    lambdaRequest: z.number(),
    /** Gigabyte-seconds on arm64, init included. */
    lambdaGigabyteSecond: z.number(),
    sqsRequest: z.number(),
    dynamodbWriteUnit: z.number(),
    dynamodbReadUnit: z.number(),
    /** Of up to 64 KB. */
    event: z.number(),
    schedule: z.number(),
    s3Put: z.number(),
    s3Get: z.number(),
    secretRead: z.number(),
  }),
  /** Dollars per gigabyte. */
  perGigabyte: z.strictObject({ log: z.number(), archivedEvent: z.number() }),
  /** Dollars per gigabyte and month, of the table and of its backups (point-in-time recovery). */
  perGigabyteMonth: z.strictObject({ storage: z.number(), backup: z.number() }),
});
export type Prices = z.infer<typeof Prices>;

/** On-demand list prices, without free tiers and volume discounts. */
export const prices = Prices.parse({
  region: 'us-east-1',
  asOf: '2026-11-24',
  source: 'https://aws.amazon.com/pricing/',
  perMillion: {
    httpRequest: 1.0,
    lambdaRequest: 0.2,
    lambdaGigabyteSecond: 13.3334,
    sqsRequest: 0.4,
    dynamodbWriteUnit: 0.625,
    dynamodbReadUnit: 0.125,
    event: 1.0,
    schedule: 1.0,
    s3Put: 5.0,
    s3Get: 0.4,
    secretRead: 5.0,
  },
  perGigabyte: { log: 0.5, archivedEvent: 0.1 },
  perGigabyteMonth: { storage: 0.25, backup: 0.2 },
});

/**
 * Assumptions for what cannot be measured on one machine: the duration of a run in Lambda with 512 MB, `baseMs` plus
 * `eachMs` for each message, and the bytes that Lambda itself logs for it.
 */
export const assumed = {
  memoryGigabytes: 0.5,
  run: {
    receive: { baseMs: 15, eachMs: 0 },
    record: { baseMs: 25, eachMs: 5 },
    decide: { baseMs: 20, eachMs: 15 },
    notify: { baseMs: 20, eachMs: 80 },
    sync: { baseMs: 300, eachMs: 3 },
    other: { baseMs: 50, eachMs: 5 },
  },
  /** The lines START, END and REPORT. */
  logBytesPerRun: 400,
} as const;
