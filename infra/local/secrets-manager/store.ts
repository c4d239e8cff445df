import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import { transaction } from '../protocol/transaction.ts';

const Tags = z.array(z.object({ Key: z.string(), Value: z.string() }));

/** A secret without its values. Instants are epoch milliseconds; `deletedAt` is its scheduled deletion. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description: string | null;
  readonly tags: z.infer<typeof Tags>;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly deletedAt: number | null;
}

/** A text, or bytes in base64. */
export interface Value {
  readonly text: string | null;
  readonly binary: string | null;
}

export interface Version extends Value {
  readonly id: string;
  readonly createdAt: number;
}

type Verb =
  | 'create'
  | 'find'
  | 'all'
  | 'setDeletion'
  | 'remove'
  | 'removeVersions'
  | 'removeStages'
  | 'add'
  | 'version'
  | 'versions'
  | 'staged'
  | 'stages'
  | 'stage';

/** Secrets, their versions and the versions' staging labels, in SQLite. */
export class SecretStore {
  readonly #db: DatabaseSync;
  readonly #statements: Readonly<Record<Verb, StatementSync>>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, arn TEXT NOT NULL, description TEXT, tags TEXT NOT NULL, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, deleted_at INTEGER) STRICT;
      CREATE TABLE IF NOT EXISTS secrets_versions (name TEXT NOT NULL, id TEXT NOT NULL, text TEXT, binary TEXT, created_at INTEGER NOT NULL, PRIMARY KEY (name, id)) STRICT;
      CREATE TABLE IF NOT EXISTS secrets_stages (name TEXT NOT NULL, stage TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (name, stage)) STRICT;
    `);
    this.#statements = {
      create: db.prepare('INSERT INTO secrets VALUES (?, ?, ?, ?, ?, ?, NULL)'),
      find: db.prepare(
        'SELECT * FROM secrets WHERE name = ? OR arn = ? OR substr(arn, 1, length(arn) - 7) = ?',
      ),
      all: db.prepare('SELECT * FROM secrets ORDER BY name'),
      setDeletion: db.prepare('UPDATE secrets SET deleted_at = ?, changed_at = ? WHERE name = ?'),
      remove: db.prepare('DELETE FROM secrets WHERE name = ?'),
      removeVersions: db.prepare('DELETE FROM secrets_versions WHERE name = ?'),
      removeStages: db.prepare('DELETE FROM secrets_stages WHERE name = ?'),
      add: db.prepare('INSERT INTO secrets_versions VALUES (?, ?, ?, ?, ?)'),
      version: db.prepare('SELECT * FROM secrets_versions WHERE name = ? AND id = ?'),
      versions: db.prepare('SELECT * FROM secrets_versions WHERE name = ? ORDER BY created_at, rowid'),
      staged: db.prepare('SELECT id FROM secrets_stages WHERE name = ? AND stage = ?'),
      stages: db.prepare('SELECT stage FROM secrets_stages WHERE name = ? AND id = ? ORDER BY stage'),
      stage: db.prepare('INSERT OR REPLACE INTO secrets_stages VALUES (?, ?, ?)'),
    };
  }

  /** Finds a secret by name, by ARN, or by ARN without its random suffix. Removes it where its deletion is due. */
  find(id: string, now: number): Secret | undefined {
    const row = this.#statements.find.get(id, id, id);
    const secret = row && secretOf(row);
    if (secret === undefined || secret.deletedAt === null || secret.deletedAt > now) return secret;
    this.remove(secret.name);
    return undefined;
  }

  all(now: number): Secret[] {
    return this.#statements.all
      .all()
      .map(secretOf)
      .filter(({ deletedAt }) => deletedAt === null || deletedAt > now);
  }

  create(secret: Omit<Secret, 'changedAt' | 'deletedAt'>): void {
    const { name, arn, description, tags, createdAt } = secret;
    this.#statements.create.run(name, arn, description, JSON.stringify(tags), createdAt, createdAt);
  }

  /** Schedules the deletion of a secret for an instant; null cancels it. */
  setDeletion(name: string, deletedAt: number | null, now: number): void {
    this.#statements.setDeletion.run(deletedAt, now, name);
  }

  remove(name: string): void {
    transaction(this.#db, () => {
      this.#statements.removeStages.run(name);
      this.#statements.removeVersions.run(name);
      this.#statements.remove.run(name);
    });
  }

  /** Adds a version with staging labels. The first version of a secret is always `AWSCURRENT` too. */
  add(name: string, { id, text, binary, createdAt }: Version, stages: readonly string[]): void {
    const first = this.staged(name, 'AWSCURRENT') === undefined;
    transaction(this.#db, () => {
      this.#statements.add.run(name, id, text, binary, createdAt);
      for (const stage of first ? new Set([...stages, 'AWSCURRENT']) : stages) this.stage(name, stage, id);
    });
  }

  version(name: string, id: string): Version | undefined {
    const row = this.#statements.version.get(name, id);
    return row && versionOf(row);
  }

  versions(name: string): Version[] {
    return this.#statements.versions.all(name).map(versionOf);
  }

  /** The id of the version with a staging label. */
  staged(name: string, stage: string): string | undefined {
    const row = this.#statements.staged.get(name, stage);
    return row === undefined ? undefined : String(row['id']);
  }

  stages(name: string, id: string): string[] {
    return this.#statements.stages.all(name, id).map((row) => String(row['stage']));
  }

  /** Moves a staging label to a version. The replaced `AWSCURRENT` version becomes `AWSPREVIOUS`. */
  stage(name: string, stage: string, id: string): void {
    const before = this.staged(name, stage);
    this.#statements.stage.run(name, stage, id);
    if (stage === 'AWSCURRENT' && before !== undefined && before !== id)
      this.#statements.stage.run(name, 'AWSPREVIOUS', before);
  }
}

const secretOf = (row: Record<string, SQLOutputValue>): Secret => ({
  name: String(row['name']),
  arn: String(row['arn']),
  description: textOf(row['description']),
  tags: Tags.parse(JSON.parse(String(row['tags']))),
  createdAt: Number(row['created_at']),
  changedAt: Number(row['changed_at']),
  deletedAt: row['deleted_at'] === null ? null : Number(row['deleted_at']),
});

const versionOf = (row: Record<string, SQLOutputValue>): Version => ({
  id: String(row['id']),
  text: textOf(row['text']),
  binary: textOf(row['binary']),
  createdAt: Number(row['created_at']),
});

const textOf = (value: SQLOutputValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
