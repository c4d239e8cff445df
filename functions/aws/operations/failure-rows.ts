import { FAILURE_RETENTION_DAYS, type Failure } from '../../../core/errors/failure.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { failureKey, failureListKey } from '../../contracts/keys.ts';
import { failureOf } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { SealedStage } from '../../contracts/stages/stage.ts';
import { bucket } from '../clients/bucket.ts';
import type { Table } from '../clients/dynamo.ts';
import { updateOptimistically } from '../clients/optimistic.ts';

/** A failure as a function or a dead-letter queue reports it. */
export interface ReportedFailure
  extends Pick<Failure, 'stage' | 'origin' | 'code' | 'reason' | 'occurrence' | 'tries'> {
  /** The failure that the message is a replay of: it is reopened, whatever was edited. */
  readonly id?: string | undefined;
  /** The body of the queue message, for a replay. */
  readonly payload: string;
}

/**
 * Stores a failure of a stage: one row per piece of work, however often it is reported, and its payload in the bucket. A
 * failure that was replayed or dismissed is opened again and counts one more. Rejects with `HubError` `write-conflict` or
 * `bucket-fault` (later).
 */
export const saveFailure = (
  runtime: Runtime,
  table: Table,
): ((stage: SealedStage, reported: Omit<ReportedFailure, 'stage'>) => Promise<void>) => {
  const files = bucket(runtime);
  return async (stage, { payload, id: replayOf, ...reported }) => {
    const { id: ownId, about } = stage.known(payload);
    const id = replayOf ?? ownId;
    await updateOptimistically(runtime, 'The failure', async () => {
      const present = await failureById(table, id);
      if (present && (present.status === 'open' || present.occurrence === reported.occurrence)) return true;
      const failedAt = instant(runtime.now());
      const failure: Failure = {
        ...{ id, stage: stage.id, ...reported, failedAt, about: { ...about } },
        status: 'open',
        firstFailedAt: present?.firstFailedAt ?? failedAt,
        count: (present?.count ?? 0) + 1,
        version: (present?.version ?? 0) + 1,
        payloadKey: `failures/${stage.id}/${id}`,
        ...(present?.edited && { edited: present.edited }),
      };
      await files.put(failure.payloadKey, payload);
      return table.transact([
        { put: rowOf(failure), if: present ? { version: present.version } : { absent: true } },
        { put: { ...failureListKey(failure), id, expiresAt: expiryOf(failure) } },
      ]);
    });
  };
};

/**
 * Closes a failure whose cause is gone; `by` says who found out. Resolves to whether it was open. Rejects with `HubError`
 * `write-conflict` (later).
 */
export const closeFailure =
  (runtime: Runtime, table: Table): ((stage: SealedStage, payload: string, by: string) => Promise<boolean>) =>
  async (stage, payload, by) => {
    let isClosed = false;
    await updateOptimistically(runtime, 'The failure', async () => {
      const present = await failureById(table, stage.known(payload).id);
      if (present?.status !== 'open' && present?.status !== 'replaying') return true;
      const replayed = { at: instant(runtime.now()), by };
      const closed: Failure = { ...present, status: 'replayed', replayed, version: present.version + 1 };
      isClosed = await table.transact([{ put: rowOf(closed), if: { version: present.version } }]);
      return isClosed;
    });
    return isClosed;
  };

export const failureById = async (table: Table, id: string): Promise<Failure | undefined> => {
  const [row] = await table.get([failureKey(id)]);
  return row && failureOf(row);
};

/** Epoch seconds. */
const expiryOf = ({ failedAt }: Failure): number =>
  Math.floor(Date.parse(failedAt) / 1000) + FAILURE_RETENTION_DAYS * 86_400;

export const rowOf = (failure: Failure): Row => ({
  ...failureKey(failure.id),
  ...failure,
  expiresAt: expiryOf(failure),
});
