import type { SQLOutputValue } from 'node:sqlite';
import type { ServiceContext } from '../protocol/service.ts';
import { Schedule } from './definition.ts';

/** A stored schedule. `due` is absent once it never fires again. Instants are epoch milliseconds. */
export interface StoredSchedule {
  readonly group: string;
  readonly name: string;
  readonly schedule: Schedule;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly due: number | undefined;
}

/** One execution of a schedule, stored until its target has accepted it or its dead letter is sent. */
export interface Execution {
  readonly id: string;
  readonly group: string;
  readonly name: string;
  readonly schedule: Schedule;
  readonly scheduledAt: number;
  readonly attempts: number;
  readonly since: number;
}

export type SchedulerStore = ReturnType<typeof schedulerStore>;

/** Schedule groups, schedules and executions in SQLite. */
export const schedulerStore = ({ db }: ServiceContext) => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS scheduler_groups (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS scheduler_schedules (grp TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL, due INTEGER, PRIMARY KEY (grp, name)) STRICT;
    CREATE TABLE IF NOT EXISTS scheduler_executions (id TEXT PRIMARY KEY, grp TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, scheduled_at INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO scheduler_groups VALUES ('default');
  `);
  const addGroup = db.prepare('INSERT OR IGNORE INTO scheduler_groups VALUES (?)');
  const group = db.prepare('SELECT 1 FROM scheduler_groups WHERE name = ?');
  const find = db.prepare('SELECT * FROM scheduler_schedules WHERE grp = ? AND name = ?');
  const list = db.prepare('SELECT * FROM scheduler_schedules WHERE (grp, name) > (?, ?) ORDER BY grp, name');
  const put = db.prepare('INSERT OR REPLACE INTO scheduler_schedules VALUES (?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM scheduler_schedules WHERE grp = ? AND name = ?');
  const start = db.prepare('INSERT INTO scheduler_executions VALUES (?, ?, ?, ?, ?, 0, ?, ?)');
  const execution = db.prepare('SELECT * FROM scheduler_executions WHERE id = ?');
  const executions = db.prepare('SELECT id, due FROM scheduler_executions');
  const retryAt = db.prepare('UPDATE scheduler_executions SET attempts = attempts + 1, due = ? WHERE id = ?');
  const end = db.prepare('DELETE FROM scheduler_executions WHERE id = ?');
  const endAll = db.prepare('DELETE FROM scheduler_executions WHERE grp = ? AND name = ?');
  return {
    /** Returns false where the group exists. */
    addGroup: (name: string): boolean => addGroup.run(name).changes > 0,
    hasGroup: (name: string): boolean => group.get(name) !== undefined,
    find(groupName: string, name: string): StoredSchedule | undefined {
      const row = find.get(groupName, name);
      return row && scheduleIn(row);
    },
    /** The schedules after a position, sorted by group and name. */
    list: (after: { readonly group: string; readonly name: string }): StoredSchedule[] =>
      list.all(after.group, after.name).map(scheduleIn),
    put({ group: groupName, name, schedule, createdAt, modifiedAt, due }: StoredSchedule): void {
      put.run(groupName, name, JSON.stringify(schedule), createdAt, modifiedAt, due ?? null);
    },
    /** Removes a schedule with its executions. */
    remove(groupName: string, name: string): void {
      endAll.run(groupName, name);
      remove.run(groupName, name);
    },
    start({ id, group: groupName, name, schedule, scheduledAt, since }: Omit<Execution, 'attempts'>): void {
      start.run(id, groupName, name, JSON.stringify(schedule), scheduledAt, since, since);
    },
    execution(id: string): Execution | undefined {
      const row = execution.get(id);
      return row && executionIn(row);
    },
    executions: (): { readonly id: string; readonly due: number }[] =>
      executions.all().map(({ id, due }) => ({ id: String(id), due: Number(due) })),
    /** Counts an attempt; the next one is due at an instant. */
    retryAt(id: string, due: number): void {
      retryAt.run(due, id);
    },
    end(id: string): void {
      end.run(id);
    },
  };
};

const scheduleIn = (row: Record<string, SQLOutputValue>): StoredSchedule => ({
  group: String(row['grp']),
  name: String(row['name']),
  schedule: Schedule.parse(JSON.parse(String(row['definition']))),
  createdAt: Number(row['created_at']),
  modifiedAt: Number(row['modified_at']),
  due: row['due'] === null ? undefined : Number(row['due']),
});

const executionIn = (row: Record<string, SQLOutputValue>): Execution => ({
  id: String(row['id']),
  group: String(row['grp']),
  name: String(row['name']),
  schedule: Schedule.parse(JSON.parse(String(row['definition']))),
  scheduledAt: Number(row['scheduled_at']),
  attempts: Number(row['attempts']),
  since: Number(row['since']),
});
