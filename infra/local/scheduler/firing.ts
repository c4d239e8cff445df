import type { SQLOutputValue } from 'node:sqlite';
import { afterFailure, deliveryFault } from '../eventbridge/retries.ts';
import type { Timer } from '../protocol/clock.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { dueAfter, Schedule } from './definition.ts';
import { isOnce } from './expression.ts';

/** A schedule at rest. `due` is absent once it never fires again; instants are epoch milliseconds. */
export interface StoredSchedule {
  readonly group: string;
  readonly name: string;
  readonly schedule: Schedule;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly due: number | undefined;
}

export interface Firing {
  find(group: string, name: string): StoredSchedule | undefined;
  /** In the order of group and name, those behind a position. */
  list(after: { readonly group: string; readonly name: string }): StoredSchedule[];
  put(schedule: StoredSchedule): void;
  remove(group: string, name: string): void;
}

/** Schedules in SQLite, each with a timer, and what they fired on its way to the target, retried until it arrives. */
export const firing = (surroundings: ServiceContext): Firing => {
  const { db, clock, random, newId, region, account, deliver } = surroundings;
  db.exec(`
    CREATE TABLE IF NOT EXISTS scheduler_definitions (grp TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL, due INTEGER, PRIMARY KEY (grp, name)) STRICT;
    CREATE TABLE IF NOT EXISTS scheduler_invocations (id TEXT PRIMARY KEY, grp TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, scheduled_at INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
  `);
  const statements = {
    find: db.prepare('SELECT * FROM scheduler_definitions WHERE grp = ? AND name = ?'),
    list: db.prepare('SELECT * FROM scheduler_definitions WHERE (grp, name) > (?, ?) ORDER BY grp, name'),
    put: db.prepare('INSERT OR REPLACE INTO scheduler_definitions VALUES (?, ?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM scheduler_definitions WHERE grp = ? AND name = ?'),
    begin: db.prepare('INSERT INTO scheduler_invocations VALUES (?, ?, ?, ?, ?, 0, ?, ?)'),
    invocation: db.prepare('SELECT * FROM scheduler_invocations WHERE id = ?'),
    invocations: db.prepare('SELECT id, due FROM scheduler_invocations'),
    later: db.prepare('UPDATE scheduler_invocations SET attempts = attempts + 1, due = ? WHERE id = ?'),
    end: db.prepare('DELETE FROM scheduler_invocations WHERE id = ?'),
    endAll: db.prepare('DELETE FROM scheduler_invocations WHERE grp = ? AND name = ?'),
  };
  const timers = new Map<string, Timer>();
  const keyOf = (group: string, name: string): string => `${group}/${name}`;
  const arnOf = (group: string, name: string): string =>
    `arn:aws:scheduler:${region}:${account}:schedule/${group}/${name}`;
  const find = (group: string, name: string): StoredSchedule | undefined => {
    const row = statements.find.get(group, name);
    return row && storedOf(row);
  };
  const write = ({ group, name, schedule, createdAt, modifiedAt, due }: StoredSchedule): void => {
    statements.put.run(group, name, JSON.stringify(schedule), createdAt, modifiedAt, due ?? null);
  };
  const arm = ({ group, name, schedule, due }: StoredSchedule): void => {
    timers.get(keyOf(group, name))?.cancel();
    timers.delete(keyOf(group, name));
    if (due === undefined || schedule.State === 'DISABLED') return;
    const window = (schedule.FlexibleTimeWindow.MaximumWindowInMinutes ?? 0) * 60_000;
    const at = due + Math.floor(random() * window);
    timers.set(
      keyOf(group, name),
      clock.at(at, () => fire(group, name)),
    );
  };

  /** Notes what has to reach the target, and when the schedule is due again, both or neither. */
  const fire = (group: string, name: string): Promise<void> | undefined => {
    const stored = find(group, name);
    if (stored?.due === undefined) return undefined;
    const { schedule, due, createdAt } = stored;
    const id = newId();
    const next = isOnce(schedule.ScheduleExpression) ? undefined : dueAfter(schedule, clock.now(), createdAt);
    transaction(db, () => {
      statements.begin.run(id, group, name, JSON.stringify(schedule), due, clock.now(), clock.now());
      write({ ...stored, due: next });
    });
    arm({ ...stored, due: next });
    return attempt(id);
  };
  const end = (id: string, group: string, name: string): void =>
    transaction(db, () => {
      statements.end.run(id);
      const stored = find(group, name);
      if (stored && stored.due === undefined && stored.schedule.ActionAfterCompletion === 'DELETE')
        statements.remove.run(group, name);
    });
  const attempt = async (id: string): Promise<void> => {
    const row = statements.invocation.get(id);
    if (row === undefined) return;
    const [group, name, attempts] = [String(row['grp']), String(row['name']), Number(row['attempts'])];
    const { Target: target } = Schedule.parse(JSON.parse(String(row['definition'])));
    const source = arnOf(group, name);
    const scheduledAt = new Date(Number(row['scheduled_at'])).toISOString().replace(/\.\d{3}Z$/u, 'Z');
    const input = filled(target.Input ?? JSON.stringify(ownEvent(id, source, scheduledAt)), {
      'schedule-arn': source,
      'scheduled-time': scheduledAt,
      'execution-id': id,
      'attempt-number': String(attempts + 1),
    });
    const by = { source, principal: 'scheduler.amazonaws.com', role: target.RoleArn };
    try {
      await deliver({ arn: target.Arn, payload: payloadFor(target, input), ...by });
      end(id, group, name);
    } catch (error) {
      const fault = deliveryFault(error);
      const state = { attempts, since: Number(row['since']), now: clock.now() };
      const next = afterFailure(target.RetryPolicy, state, random);
      if (!fault.final && 'at' in next) {
        statements.later.run(next.at, id);
        clock.at(next.at, () => attempt(id));
        return;
      }
      const dead = target.DeadLetterConfig?.Arn;
      if (dead === undefined) {
        end(id, group, name);
        throw new Error(
          `Schedule ${name} was lost after ${attempts} retries (${fault.message}): it has no dead-letter queue.`,
          { cause: error },
        );
      }
      // The invocation ends behind the dead letter, so that it is not lost where the process stops between the two.
      const attributes = {
        ERROR_CODE: fault.code,
        ERROR_MESSAGE: fault.message,
        EXECUTION_ID: id,
        EXECUTION_TIME: scheduledAt,
        ...(!fault.final && 'exhausted' in next && { EXHAUSTED_RETRY_CONDITION: next.exhausted }),
        IS_PAYLOAD_TRUNCATED: 'false',
        RETRY_ATTEMPTS: String(attempts),
        SCHEDULE_ARN: source,
        TARGET_ARN: target.Arn,
      };
      try {
        await deliver({ arn: dead, payload: input, ...by, attributes });
      } finally {
        end(id, group, name);
      }
    }
  };

  const all = (after: { readonly group: string; readonly name: string }): StoredSchedule[] =>
    statements.list.all(after.group, after.name).map(storedOf);
  for (const stored of all({ group: '', name: '' })) arm(stored);
  for (const { id, due } of statements.invocations.all()) clock.at(Number(due), () => attempt(String(id)));
  return {
    find,
    list: all,
    put(stored) {
      write(stored);
      arm(stored);
    },
    remove(group, name) {
      timers.get(keyOf(group, name))?.cancel();
      timers.delete(keyOf(group, name));
      transaction(db, () => {
        statements.endAll.run(group, name);
        statements.remove.run(group, name);
      });
    },
  };

  /** What a target gets whose schedule has no input. */
  function ownEvent(id: string, resource: string, time: string): object {
    const about = { version: '0', id, 'detail-type': 'Scheduled Event', source: 'aws.scheduler' };
    return { ...about, account, time, region, resources: [resource], detail: '{}' };
  }
};

/** `<aws.scheduler.…>` in an input stands for what is known of the execution. */
const filled = (input: string, known: Readonly<Record<string, string>>): string =>
  input.replace(/<aws\.scheduler\.([a-z-]+)>/gu, (whole, name: string) => known[name] ?? whole);

/** A bus is handed an event to be; every other target the input as it is. */
const payloadFor = ({ EventBridgeParameters: event }: Schedule['Target'], input: string): string =>
  event === undefined
    ? input
    : JSON.stringify({ source: event.Source, 'detail-type': event.DetailType, detail: JSON.parse(input) });

const storedOf = (row: Record<string, SQLOutputValue>): StoredSchedule => ({
  group: String(row['grp']),
  name: String(row['name']),
  schedule: Schedule.parse(JSON.parse(String(row['definition']))),
  createdAt: Number(row['created_at']),
  modifiedAt: Number(row['modified_at']),
  due: row['due'] === null ? undefined : Number(row['due']),
});
