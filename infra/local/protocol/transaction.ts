import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` as one SQLite transaction, or as a part of the one already open. */
export const transaction = <T>(db: DatabaseSync, work: () => T): T => {
  if (db.isTransaction) return work();
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
};
