import type { Timer } from '../protocol/clock.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { transaction } from '../protocol/transaction.ts';
import { dueAfter } from './definition.ts';
import { attemptExecution } from './execution.ts';
import { isOnce } from './expression.ts';
import type { SchedulerStore, StoredSchedule } from './store.ts';

export interface Firing {
  /** Stores a schedule and sets its timer. */
  put(schedule: StoredSchedule): void;
  /** Removes a schedule, its timer and its executions. */
  remove(group: string, name: string): void;
}

/** Fires each schedule when it is due, and retries its executions until the target accepts them. */
export const firing = (context: ServiceContext, store: SchedulerStore): Firing => {
  const { db, clock, random, newId } = context;
  const timers = new Map<string, Timer>();
  const attempt = (id: string): Promise<void> => attemptExecution(context, store, id, attempt);
  const disarm = (group: string, name: string): void => {
    timers.get(`${group}/${name}`)?.cancel();
    timers.delete(`${group}/${name}`);
  };
  const arm = ({ group, name, schedule, due }: StoredSchedule): void => {
    disarm(group, name);
    if (due === undefined || schedule.State === 'DISABLED') return;
    const window = (schedule.FlexibleTimeWindow.MaximumWindowInMinutes ?? 0) * 60_000;
    const at = due + Math.floor(random() * window);
    timers.set(
      `${group}/${name}`,
      clock.at(at, () => fire(group, name)),
    );
  };
  const fire = (group: string, name: string): Promise<void> | undefined => {
    const stored = store.find(group, name);
    if (stored?.due === undefined) return undefined;
    const { schedule, due: scheduledAt, createdAt } = stored;
    const now = clock.now();
    const id = newId();
    const due = isOnce(schedule.ScheduleExpression) ? undefined : dueAfter(schedule, now, createdAt);
    // One transaction, so that a crash neither loses the execution nor repeats it.
    transaction(db, () => {
      store.start({ id, group, name, schedule, scheduledAt, since: now });
      store.put({ ...stored, due });
    });
    arm({ ...stored, due });
    return attempt(id);
  };

  for (const stored of store.list({ group: '', name: '' })) arm(stored);
  for (const { id, due } of store.executions()) clock.at(due, () => attempt(id));
  return {
    put(stored) {
      store.put(stored);
      arm(stored);
    },
    remove(group, name) {
      disarm(group, name);
      transaction(db, () => store.remove(group, name));
    },
  };
};
