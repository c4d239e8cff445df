import { setTimeout } from 'node:timers/promises';
import type { Call, CrmConnector } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import {
  initialRateLimit,
  observeQuota,
  type Priority,
  type RateLimit,
  reserveCall,
} from '../../../core/crm/rate-limit.ts';
import { HubError } from '../../../core/errors.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { updateOptimistically } from '../../aws/clients/optimistic.ts';
import { budgetKey } from '../../contracts/keys.ts';
import { rateLimitOf } from '../../contracts/rows/connections.ts';
import type { Runtime } from '../../contracts/runtime.ts';

/** The API budget that all workers of a CRM account share, in one row. */
export interface CrmBudget {
  /**
   * What every call of a session gets. Its `spend` rejects with `HubError` `crm-pause` while none of the budget is left, and
   * for live traffic with a `CrmFault` `spent-quota` of the connection where the CRM's own quota of some hours is.
   */
  callWith(signal: AbortSignal, priority: Priority): Call;
}

/** From this length on nothing circulates until the CRM's own window ends: the connection pauses. */
const LONG_WINDOW_SECONDS = 3600;

export const crmBudget = (
  crm: Pick<CrmConnector, 'id' | 'title' | 'budget'>,
  table: Table,
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep'>,
): CrmBudget => {
  const { id, title } = crm;
  const { now } = runtime;
  const key = budgetKey(id);
  const waits = (milliseconds: number): HubError =>
    new HubError(
      'crm-pause',
      `${title} gets no calls until ${new Date(now() + milliseconds).toISOString()}: the API budget of this window is used up. Queued records are retried automatically.`,
      { retry: { afterSeconds: secondsOf(milliseconds) } },
    );
  const read = async (): Promise<RateLimit> => {
    const [row] = await table.get([key]);
    return row === undefined ? initialRateLimit : rateLimitOf(row);
  };
  // The row as this worker wrote it last: where nobody else has written since, a call costs no read.
  let present: RateLimit | undefined;
  let observed: Parameters<NonNullable<Call['observe']>>[0] | undefined;
  const reserve = async (priority: Priority): Promise<boolean> => {
    const last = present ?? (await read());
    present = undefined;
    const known = observed === undefined ? last : observeQuota(last, observed, now());
    const admission = reserveCall(known, crm.budget, priority, now());
    if ('waitMs' in admission) {
      const { waitMs, ofCrm } = admission;
      if (priority === 'live' && ofCrm && ofCrm.perSeconds >= LONG_WINDOW_SECONDS)
        throw spent(title, secondsOf(waitMs));
      throw waits(waitMs);
    }
    const next = { ...admission.state, version: last.version + 1 };
    const isWritten = await table.put(
      { ...key, ...next },
      last.version === 0 ? { absent: true } : { version: last.version },
    );
    if (isWritten) [present, observed] = [next, undefined];
    return isWritten;
  };
  return {
    callWith: (signal, priority) => ({
      signal,
      spend: () =>
        updateOptimistically(
          runtime,
          `The rate limit of ${title}`,
          () => reserve(priority),
          () => waits(1000),
        ),
      sleep: (milliseconds) =>
        runtime.sleep?.(milliseconds) ?? setTimeout(milliseconds, undefined, { signal }),
      observe(quota) {
        observed = quota;
      },
      now,
    }),
  };
};

const secondsOf = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000));

const spent = (title: string, afterSeconds: number): CrmFault =>
  new CrmFault(
    'spent-quota',
    `The account's API calls at ${title} are used up, except for a part that the hub leaves to its other users. The hub continues when calls are free again; if this comes back, look which program uses them or buy more.`,
    { scope: 'connection', why: 'throttled', afterSeconds },
  );
