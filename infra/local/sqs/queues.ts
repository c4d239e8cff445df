import type { DatabaseSync, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { type Settings, settingsOf } from './attributes.ts';

/** A stored queue. Instants are epoch milliseconds. */
export interface Queue {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly settings: Settings;
}

const Texts = z.record(z.string(), z.string());

/** The queues, stored in SQLite and cached in memory. */
export class Queues {
  readonly #known = new Map<string, Queue>();
  readonly #put: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    db.exec(
      'CREATE TABLE IF NOT EXISTS sqs_queues (name TEXT PRIMARY KEY, attributes TEXT NOT NULL, created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL) STRICT',
    );
    this.#put = db.prepare('INSERT OR REPLACE INTO sqs_queues VALUES (?, ?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM sqs_queues WHERE name = ?');
    for (const row of db.prepare('SELECT * FROM sqs_queues').all()) {
      const attributes = Texts.parse(JSON.parse(String(row['attributes'])));
      this.#known.set(String(row['name']), {
        name: String(row['name']),
        attributes,
        createdAt: Number(row['created_at']),
        modifiedAt: Number(row['modified_at']),
        settings: settingsOf(attributes),
      });
    }
  }

  find(name: string): Queue | undefined {
    return this.#known.get(name);
  }

  /** @throws ServiceError `QueueDoesNotExist`. */
  get(name: string): Queue {
    const queue = this.#known.get(name);
    if (queue === undefined)
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  all(): Queue[] {
    return [...this.#known.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  put(queue: Omit<Queue, 'settings'>): void {
    this.#known.set(queue.name, { ...queue, settings: settingsOf(queue.attributes) });
    this.#put.run(queue.name, JSON.stringify(queue.attributes), queue.createdAt, queue.modifiedAt);
  }

  remove(name: string): void {
    this.#known.delete(name);
    this.#remove.run(name);
  }
}
