import * as z from 'zod';
import type { ServiceContext } from '../protocol/service.ts';
import { inputFor } from './input-transformer.ts';
import { afterFailure, deliveryFault } from './retries.ts';
import { type BusEvent, type EventsStore, type Rule, Target } from './store.ts';

/** The faults of a test's deliveries, driven by the context's randomness. */
export interface EventsChaos {
  /** The probability that a target receives an event twice. */
  readonly duplicate?: number;
  /** Whether deliveries of one instant are made in random order. */
  readonly reorder?: boolean;
}

export interface Deliveries {
  /** Queues an event for every target of a rule; each receives it at least once, in no particular order. */
  queue(rule: Rule, event: BusEvent): void;
}

const Row = z.object({
  seq: z.number(),
  target: z.string(),
  payload: z.string(),
  source: z.string(),
  attempts: z.number(),
  since: z.number(),
});
type Row = z.infer<typeof Row>;
const PRINCIPAL = 'events.amazonaws.com';

/** Deliveries of events to targets, stored until they succeed or become dead letters. */
export const deliveries = (context: ServiceContext, store: EventsStore, chaos: EventsChaos): Deliveries => {
  const { clock, random } = context;
  const statements = prepare(context);
  const attempt = (seq: number): Promise<void> => attemptDelivery(context, statements, seq, attempt);

  /** Deliveries before their first attempt. Each timer starts one of them: the oldest, or a random one. */
  const waiting: number[] = [];
  const startOne = async (): Promise<void> => {
    const at = chaos.reorder === true ? Math.floor(random() * waiting.length) : 0;
    const [seq] = waiting.splice(at, 1);
    if (seq !== undefined) await attempt(seq);
  };

  for (const { seq, due } of statements.all.all()) clock.at(Number(due), () => attempt(Number(seq)));
  return {
    queue(rule, event) {
      const source = store.ruleArn(rule.bus, rule.name);
      const now = clock.now();
      const about = { ruleArn: source, ruleName: rule.name, ingestionTime: new Date(now).toISOString() };
      for (const target of rule.targets) {
        const payload = inputFor(target, event, about);
        const copies = chaos.duplicate !== undefined && random() < chaos.duplicate ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
          const { lastInsertRowid } = statements.queue.run(JSON.stringify(target), payload, source, now, now);
          waiting.push(Number(lastInsertRowid));
          clock.at(now, startOne);
        }
      }
    },
  };
};

type Statements = ReturnType<typeof prepare>;

const prepare = ({ db }: ServiceContext) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS events_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, payload TEXT NOT NULL, source TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT',
  );
  return {
    queue: db.prepare(
      'INSERT INTO events_deliveries (target, payload, source, attempts, due, since) VALUES (?, ?, ?, 0, ?, ?)',
    ),
    remove: db.prepare('DELETE FROM events_deliveries WHERE seq = ?'),
    retryAt: db.prepare('UPDATE events_deliveries SET attempts = attempts + 1, due = ? WHERE seq = ?'),
    one: db.prepare(
      'SELECT seq, target, payload, source, attempts, since FROM events_deliveries WHERE seq = ?',
    ),
    all: db.prepare('SELECT seq, due FROM events_deliveries'),
  };
};

/** Delivers once; after a failure plans the next attempt with `retry`, or sends a dead letter. */
const attemptDelivery = async (
  { clock, random, deliver }: ServiceContext,
  statements: Statements,
  seq: number,
  retry: (seq: number) => Promise<void>,
): Promise<void> => {
  const found = statements.one.get(seq);
  if (found === undefined) return;
  const row = Row.parse(found);
  const target = Target.parse(JSON.parse(row.target));
  const { RoleArn: role } = target;
  const by = { source: row.source, principal: PRINCIPAL, ...(role !== undefined && { role }) };
  try {
    await deliver({ arn: target.Arn, payload: row.payload, ...by });
    statements.remove.run(seq);
  } catch (error) {
    const { attempts, since } = row;
    const next = afterFailure(target.RetryPolicy, { attempts, since, now: clock.now() }, random);
    if (!deliveryFault(error).final && 'at' in next) {
      statements.retryAt.run(next.at, seq);
      clock.at(next.at, () => retry(seq));
      return;
    }
    // The delivery is removed after its dead letter is sent, so that a crash between the two loses nothing.
    try {
      await sendDeadLetter(deliver, row, target, error, 'exhausted' in next ? next.exhausted : undefined);
    } finally {
      statements.remove.run(seq);
    }
  }
};

/** @throws Error where the target has no dead-letter queue. */
const sendDeadLetter = async (
  deliver: ServiceContext['deliver'],
  { payload, source, attempts }: Row,
  target: Target,
  error: unknown,
  exhausted: string | undefined,
): Promise<void> => {
  const fault = deliveryFault(error);
  const arn = target.DeadLetterConfig?.Arn;
  if (arn === undefined)
    throw new Error(
      `An event for ${target.Arn} was lost after ${attempts} retries (${fault.message}): its target has no dead-letter queue.`,
      { cause: error },
    );
  const attributes = {
    RULE_ARN: source,
    TARGET_ARN: target.Arn,
    ERROR_CODE: fault.code,
    ERROR_MESSAGE: fault.message,
    ...(!fault.final && exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    RETRY_ATTEMPTS: String(attempts),
  };
  await deliver({ arn, payload, source, principal: PRINCIPAL, attributes });
};
