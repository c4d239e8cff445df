import type { HubError } from '../../core/errors.ts';
import type { Runtime } from '../runtime.ts';
import { failureKey } from './rows.ts';
import type { Table } from './table.ts';

export interface Failure {
  /** The same failure told twice is one row. */
  readonly id: string;
  /** The function that could not go on. */
  readonly stage: string;
  readonly error: HubError;
  /** What has to be replayed once the cause is mended. */
  readonly payload: string;
}

/** A row holds 400 KB; larger payloads go elsewhere. */
const INLINE_BYTES = 300_000;

/**
 * Keeps what failed for good: a row that says what to do, with the payload that has to be replayed. A payload too large for
 * a row goes through `putLarge` to the bucket, which resolves to its key there.
 */
export const keepFailure =
  (
    runtime: Runtime,
    table: Table,
    putLarge?: (key: string, payload: string) => Promise<void>,
  ): ((failure: Failure) => Promise<void>) =>
  async ({ id, stage, error, payload }) => {
    const payloadKey = `failures/${stage}/${id}`;
    const inline = Buffer.byteLength(payload) <= INLINE_BYTES || putLarge === undefined;
    if (!inline) await putLarge(payloadKey, payload);
    await table.put({
      ...failureKey(id),
      id,
      stage,
      code: error.code,
      reason: error.message,
      failedAt: new Date(runtime.now()).toISOString(),
      ...(inline ? { payload } : { payloadKey }),
    });
  };
