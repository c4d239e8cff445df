import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` in one SQLite transaction; within an open transaction it becomes a part of that. */
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
