import type { CrmConnector, CrmSession } from '../../core/crm/connector.ts';
import {
  type Admission,
  initialRateLimit,
  pausedFor,
  RateLimit,
  recordAnswer,
  recordNoAnswer,
  reserveCalls,
} from '../../core/crm/rate-limit.ts';
import { HubError } from '../../core/errors.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import { updateOptimistically } from '../aws/clients/optimistic.ts';
import { budgetKey } from '../contracts/keys.ts';
import type { Runtime } from '../contracts/runtime.ts';

/** Throttles the calls of all workers to a CRM: a shared API budget and a circuit breaker, in one row. */
export interface Throttle {
  /** Throws `HubError` `crm-pause` while the CRM is paused. Costs one read. */
  expectOpen(): Promise<void>;
  /** Runs work that costs no call of the budget, such as a login, and counts its failures for the circuit breaker. */
  noting<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Reserves `calls` of the budget, runs the work, and counts its success or failure for the circuit breaker. */
  through<Result>(calls: number, work: () => Promise<Result>): Promise<Result>;
}

export const throttle = (
  { id, title, budget }: Pick<CrmConnector, 'id' | 'title' | 'budget'>,
  table: Table,
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>,
): Throttle => {
  const { now } = runtime;
  const key = budgetKey(id);
  const read = async (): Promise<RateLimit> => {
    const [row] = await table.get([key]);
    if (row === undefined) return initialRateLimit;
    const { pk: _pk, sk: _sk, ...rest } = row;
    return RateLimit.parse(rest);
  };
  const waits = (milliseconds: number): HubError =>
    new HubError(
      'crm-pause',
      `${title} is paused until ${new Date(now() + milliseconds).toISOString()}: the API budget of this window is used up, or the CRM failed. Queued records are retried automatically.`,
      { retry: { afterSeconds: Math.max(1, Math.ceil(milliseconds / 1000)) } },
    );
  /** Updates the row; repeats the update where the row changed concurrently. */
  const change = (next: (present: RateLimit) => Admission): Promise<void> => {
    const attempt = async (): Promise<boolean> => {
      const present = await read();
      const admission = next(present);
      if ('waitMs' in admission) throw waits(admission.waitMs);
      return table.transact([
        {
          put: { ...key, ...admission.state, version: present.version + 1 },
          if: present.version === 0 ? { absent: true } : { version: present.version },
        },
      ]);
    };
    return updateOptimistically(runtime, `The rate limit of ${title}`, attempt, () => waits(1000));
  };
  const noting = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof HubError && error.code === 'crm-pause') throw error;
      const after =
        error instanceof HubError && typeof error.retry === 'object' ? error.retry.afterSeconds : undefined;
      await change((present) => ({ state: recordNoAnswer(present, after, now()) }));
      throw error;
    }
  };
  return {
    async expectOpen() {
      const milliseconds = pausedFor(await read(), now());
      if (milliseconds > 0) throw waits(milliseconds);
    },
    noting,
    async through(calls, work) {
      let troubled = false;
      await change((present) => {
        troubled = present.failures > 0;
        return reserveCalls(present, budget, calls, now());
      });
      const result = await noting(work);
      if (troubled) await change((present) => ({ state: recordAnswer(present) }));
      return result;
    },
  };
};

/** A session whose every call is throttled. */
export const throttled = (
  session: CrmSession,
  { perCall, callsToRemove }: Pick<CrmConnector, 'perCall' | 'callsToRemove'>,
  throttle: Throttle,
): CrmSession => ({
  upsert: (object, keyField, records) =>
    records.length === 0
      ? Promise.resolve([])
      : throttle.through(Math.ceil(records.length / perCall), () =>
          session.upsert(object, keyField, records),
        ),
  remove: (object, keyField, keys) =>
    keys.length === 0
      ? Promise.resolve([])
      : throttle.through(callsToRemove(object, keys.length), () => session.remove(object, keyField, keys)),
});
