import { DatabaseSync } from 'node:sqlite';

export interface State {
  readonly db: DatabaseSync;
  /** The sent messages, in a separate file: they belong to their recipients' mailboxes. */
  readonly mailboxes: DatabaseSync;
  close(): void;
}

/** The mailboxes' file of a state file. */
export const mailboxesOf = (state: string): string =>
  state === ':memory:' ? state : `${state.replace(/\.sqlite$/u, '')}.mailboxes.sqlite`;

/** Opens the SQLite files of a cloud; `:memory:` stores nothing. */
export const openState = (file: string): State => {
  const db = new DatabaseSync(file);
  const mailboxes = new DatabaseSync(mailboxesOf(file));
  const pragmas = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;';
  // Deleted rows are overwritten, so that no free page of the file contains deleted data.
  db.exec(`${pragmas} PRAGMA secure_delete = ON`);
  mailboxes.exec(pragmas);
  return {
    db,
    mailboxes,
    close() {
      db.close();
      mailboxes.close();
    },
  };
};
