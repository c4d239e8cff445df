import * as z from 'zod';
import type { ServiceContext } from '../protocol/service.ts';
import { afterFailure, deliveryFault } from './delivery.ts';
import { inputFor } from './input-transformer.ts';
import { type BusEvent, type EventsStore, type Rule, Target } from './store.ts';

/** What makes deliveries of a test unreliable, driven by the surroundings' randomness. */
export interface EventsChaos {
  /** The chance that a target gets an event a second time. */
  readonly duplicate?: number;
  /** Whether deliveries that leave at one instant overtake one another. */
  readonly reorder?: boolean;
}

export interface Deliveries {
  /** Queues an event for every target of a rule; each arrives at least once, in no promised order. */
  queue(rule: Rule, event: BusEvent): void;
}

const Row = z.object({
  target: z.string(),
  payload: z.string(),
  source: z.string(),
  attempts: z.number(),
  since: z.number(),
});
const PRINCIPAL = 'events.amazonaws.com';

/** Events on their way from rules to targets, stored until they have arrived or become dead letters. */
export const deliveries = (
  { db, clock, random, deliver }: ServiceContext,
  store: EventsStore,
  chaos: EventsChaos,
): Deliveries => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS events_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, payload TEXT NOT NULL, source TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT',
  );
  const statements = {
    queue: db.prepare(
      'INSERT INTO events_deliveries (target, payload, source, attempts, due, since) VALUES (?, ?, ?, 0, ?, ?)',
    ),
    done: db.prepare('DELETE FROM events_deliveries WHERE seq = ?'),
    later: db.prepare('UPDATE events_deliveries SET attempts = attempts + 1, due = ? WHERE seq = ?'),
    one: db.prepare('SELECT target, payload, source, attempts, since FROM events_deliveries WHERE seq = ?'),
    all: db.prepare('SELECT seq, due FROM events_deliveries'),
  };

  const attempt = async (seq: number): Promise<void> => {
    const row = statements.one.get(seq);
    if (row === undefined) return;
    const { target: text, payload, source, attempts, since } = Row.parse(row);
    const target = Target.parse(JSON.parse(text));
    const { RoleArn: role } = target;
    const by = { source, principal: PRINCIPAL, ...(role !== undefined && { role }) };
    try {
      await deliver({ arn: target.Arn, payload, ...by });
      statements.done.run(seq);
    } catch (error) {
      const fault = deliveryFault(error);
      const next = afterFailure(target.RetryPolicy, { attempts, since, now: clock.now() }, random);
      if (!fault.final && 'at' in next) {
        statements.later.run(next.at, seq);
        clock.at(next.at, () => attempt(seq));
        return;
      }
      const dead = target.DeadLetterConfig?.Arn;
      if (dead === undefined) {
        statements.done.run(seq);
        throw new Error(
          `An event for ${target.Arn} was lost after ${attempts} retries (${fault.message}): its target has no dead-letter queue.`,
          { cause: error },
        );
      }
      const attributes = {
        RULE_ARN: source,
        TARGET_ARN: target.Arn,
        ERROR_CODE: fault.code,
        ERROR_MESSAGE: fault.message,
        ...(!fault.final && 'exhausted' in next && { EXHAUSTED_RETRY_CONDITION: next.exhausted }),
        RETRY_ATTEMPTS: String(attempts),
      };
      // The delivery ends behind its dead letter, so that it is not lost where the process stops between the two.
      try {
        await deliver({ arn: dead, payload, source, principal: PRINCIPAL, attributes });
      } finally {
        statements.done.run(seq);
      }
    }
  };

  /** What waits for its first attempt; each start takes one of them, the oldest or any. */
  const leaving: number[] = [];
  const leave = async (): Promise<void> => {
    const at = chaos.reorder === true ? Math.floor(random() * leaving.length) : 0;
    const [seq] = leaving.splice(at, 1);
    if (seq !== undefined) await attempt(seq);
  };

  for (const { seq, due } of statements.all.all()) clock.at(Number(due), () => attempt(Number(seq)));
  return {
    queue(rule, event) {
      const source = store.ruleArn(rule.bus, rule.name);
      const now = clock.now();
      const context = {
        ruleArn: source,
        ruleName: rule.name,
        ingestionTime: new Date(now).toISOString(),
      };
      for (const target of rule.targets) {
        const payload = inputFor(target, event, context);
        const copies = chaos.duplicate !== undefined && random() < chaos.duplicate ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
          const { lastInsertRowid } = statements.queue.run(JSON.stringify(target), payload, source, now, now);
          leaving.push(Number(lastInsertRowid));
          clock.at(now, leave);
        }
      }
    },
  };
};
