import { FAILURE_RETENTION_DAYS, type Failure } from '../../../core/errors/failure.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { failureKey, failureListKey } from '../../contracts/keys.ts';
import { failureOf } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { SealedStage } from '../../contracts/stages/stage.ts';
import { bucket } from '../clients/bucket.ts';
import type { Table } from '../clients/dynamo.ts';

/** A failure as it is told; what is already known of it is added. */
export interface Told extends Pick<Failure, 'stage' | 'origin' | 'code' | 'reason' | 'occurrence' | 'tries'> {
  /** Where the message was replayed from: it then is the same failure, whatever was edited. */
  readonly id?: string | undefined;
  /** The body of the queue message that has to be replayed once the cause is mended. */
  readonly payload: string;
}

const ATTEMPTS = 5;

/** Keeps what failed in a stage: one row per piece of work, however often it is told. */
export const saveFailure = (
  runtime: Runtime,
  table: Table,
): ((stage: SealedStage, told: Omit<Told, 'stage'>) => Promise<void>) => {
  const files = bucket(runtime);
  return async (stage, told) => {
    const known = stage.known(told.payload);
    const id = told.id ?? known.id;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const present = await failureById(table, id);
      if (present && (present.status === 'open' || present.occurrence === told.occurrence)) return;
      const failedAt = instant(runtime.now());
      const { origin, code, reason, occurrence, tries } = told;
      const about = { ...known.about };
      const failure: Failure = {
        ...{ id, stage: stage.id, origin, code, reason, occurrence, tries, failedAt, about },
        status: 'open',
        firstFailedAt: present?.firstFailedAt ?? failedAt,
        count: (present?.count ?? 0) + 1,
        version: (present?.version ?? 0) + 1,
        payloadKey: `failures/${stage.id}/${id}`,
        ...(present?.edited && { edited: present.edited }),
      };
      await files.put(failure.payloadKey, told.payload);
      const kept = await table.transact([
        { put: rowOf(failure), if: present ? { version: present.version } : { absent: true } },
        { put: { ...failureListKey(failure), id, expiresAt: expiry(failure) } },
      ]);
      if (kept) return;
    }
    throw writeConflict();
  };
};

export const failureById = async (table: Table, id: string): Promise<Failure | undefined> => {
  const [row] = await table.get([failureKey(id)]);
  return row && failureOf(row);
};

export const writeConflict = (): HubError =>
  new HubError('write-conflict', 'The same failure was changed by others; it is told again.', {
    retry: 'later',
  });

/** Epoch seconds. */
const expiry = ({ failedAt }: Failure): number =>
  Math.floor(Date.parse(failedAt) / 1000) + FAILURE_RETENTION_DAYS * 86_400;

export const rowOf = (failure: Failure): Row => ({
  ...failureKey(failure.id),
  ...failure,
  expiresAt: expiry(failure),
});
