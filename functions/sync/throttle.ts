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
import { budgetKey } from '../contracts/keys.ts';

/** The one way to a CRM for all workers: a shared budget, and a breaker. */
export interface Throttle {
  /** Rejects with `crm-pause` while the CRM is left alone. Costs one read. */
  expectOpen(): Promise<void>;
  /** Runs what does not count as a call, a login, and notes where it shows that the CRM cannot be used. */
  noting<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Runs what uses the CRM, once `calls` are taken from the budget, and notes whether the CRM could be used. */
  through<Result>(calls: number, work: () => Promise<Result>): Promise<Result>;
}

const ATTEMPTS = 12;

export const throttle = (
  { id, title, budget }: Pick<CrmConnector, 'id' | 'title' | 'budget'>,
  table: Table,
  now: () => number,
): Throttle => {
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
      `${title} is left alone for now: its calls of this window are spent, or it could not be used. What waits goes on by itself.`,
      { retry: { afterSeconds: Math.max(1, Math.ceil(milliseconds / 1000)) } },
    );
  /** Changes the row, whoever else is at it. */
  const change = async (next: (present: RateLimit) => Admission): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const present = await read();
      const admission = next(present);
      if ('waitMs' in admission) throw waits(admission.waitMs);
      const written = await table.transact([
        {
          put: { ...key, ...admission.allowance, version: present.version + 1 },
          if: present.version === 0 ? { absent: true } : { version: present.version },
        },
      ]);
      if (written) return;
    }
    throw waits(1000);
  };
  const noting = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof HubError && error.code === 'crm-pause') throw error;
      const after =
        error instanceof HubError && typeof error.retry === 'object' ? error.retry.afterSeconds : undefined;
      await change((present) => ({ allowance: recordNoAnswer(present, after, now()) }));
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
      if (troubled) await change((present) => ({ allowance: recordAnswer(present) }));
      return result;
    },
  };
};

/** A session whose every call goes through the gate. */
export const throttled = (
  session: CrmSession,
  { perCall, callsToRemove }: Pick<CrmConnector, 'perCall' | 'callsToRemove'>,
  way: Throttle,
): CrmSession => ({
  upsert: (object, keyField, records) =>
    records.length === 0
      ? Promise.resolve([])
      : way.through(Math.ceil(records.length / perCall), () => session.upsert(object, keyField, records)),
  remove: (object, keyField, keys) =>
    keys.length === 0
      ? Promise.resolve([])
      : way.through(callsToRemove(object, keys.length), () => session.remove(object, keyField, keys)),
});
