import { DatabaseSync } from 'node:sqlite';
import { LocalError } from '../protocol/errors.ts';

export interface State {
  readonly db: DatabaseSync;
  /** The sent messages, in a separate file: they belong to their recipients' mailboxes. */
  readonly mailboxes: DatabaseSync;
  close(): void;
}

/** The mailboxes' file of a state file. */
export const mailboxesOf = (state: string): string =>
  state === ':memory:' ? state : `${state.replace(/\.sqlite$/u, '')}.mailboxes.sqlite`;

/** Opens a SQLite file that several connections use. Throws `LocalError` `unusable-state`. */
export const openDatabase = (file: string): DatabaseSync => {
  try {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    return db;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LocalError(
      'unusable-state',
      `${file} cannot be opened as a SQLite file (${why}). Give another file, in a folder that exists and may be written.`,
      error,
    );
  }
};

/** Opens the SQLite files of a cloud; `:memory:` stores nothing. Throws `LocalError` `unusable-state`. */
export const openState = (file: string): State => {
  const db = openDatabase(file);
  const mailboxes = openDatabase(mailboxesOf(file));
  // Deleted rows are overwritten, so that no free page of the file contains deleted data.
  db.exec('PRAGMA secure_delete = ON');
  return {
    db,
    mailboxes,
    close() {
      db.close();
      mailboxes.close();
    },
  };
};
