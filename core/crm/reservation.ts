import type { SyncState } from './state.ts';

/** The state without the reservation of a worker or a job. */
export const released = ({ reservedUntil: _, bulk: __, ...state }: SyncState): SyncState => state;

/** Whether a worker or a job other than `job` is about to write the contact. `now`: epoch milliseconds. */
export const isReserved = ({ reservedUntil = 0, bulk }: SyncState, now: number, job?: string): boolean =>
  reservedUntil > now && (job === undefined || bulk?.job !== job);
