import type { DatabaseSync } from 'node:sqlite';
import { ServiceError } from './json.ts';

export interface StoredMessage {
  readonly seq: number;
  readonly id: string;
  readonly body: string;
  readonly attributes: string;
  readonly sentAt: number;
  readonly receives: number;
  readonly firstReceivedAt: number | null;
}

const defaults: Readonly<Record<string, string>> = {
  VisibilityTimeout: '30',
  DelaySeconds: '0',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
};

/** Queues and messages in SQLite. Instants are epoch milliseconds. */
export class Queues {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS sqs_queues (name TEXT PRIMARY KEY, attributes TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS sqs_messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        attributes TEXT NOT NULL, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER, receipt TEXT
      ) STRICT;
      CREATE INDEX IF NOT EXISTS sqs_visible ON sqs_messages (queue, visible_at);
      CREATE UNIQUE INDEX IF NOT EXISTS sqs_receipt ON sqs_messages (receipt);
    `);
  }

  create(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#db
      .prepare(
        'INSERT INTO sqs_queues (name, attributes) VALUES (?, ?) ON CONFLICT DO UPDATE SET attributes = excluded.attributes',
      )
      .run(name, JSON.stringify({ ...defaults, ...attributes }));
  }

  remove(name: string): void {
    this.#db.prepare('DELETE FROM sqs_messages WHERE queue = ?').run(name);
    this.#db.prepare('DELETE FROM sqs_queues WHERE name = ?').run(name);
  }

  names(): string[] {
    return this.#db
      .prepare('SELECT name FROM sqs_queues ORDER BY name')
      .all()
      .map((row) => String(row['name']));
  }

  attributes(name: string): Readonly<Record<string, string>> {
    const row = this.#db.prepare('SELECT attributes FROM sqs_queues WHERE name = ?').get(name);
    if (row === undefined)
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.', 400);
    return JSON.parse(String(row['attributes'])) as Record<string, string>;
  }

  send(
    queue: string,
    message: { id: string; body: string; attributes: string; sentAt: number; visibleAt: number },
  ): void {
    this.#db
      .prepare(
        'INSERT INTO sqs_messages (queue, id, body, attributes, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(queue, message.id, message.body, message.attributes, message.sentAt, message.visibleAt);
  }

  /** Messages that may be received now, oldest first, without touching them. */
  visible(queue: string, now: number, limit: number): StoredMessage[] {
    return this.#db
      .prepare(
        'SELECT seq, id, body, attributes, sent_at, receives, first_received_at FROM sqs_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?',
      )
      .all(queue, now, limit)
      .map(messageOf);
  }

  /** Marks a message as received: hidden until `visibleAt`, answering to a new receipt. */
  receive(seq: number, receipt: string, now: number, visibleAt: number): void {
    this.#db
      .prepare(
        'UPDATE sqs_messages SET receipt = ?, visible_at = ?, receives = receives + 1, first_received_at = coalesce(first_received_at, ?) WHERE seq = ?',
      )
      .run(receipt, visibleAt, now, seq);
  }

  deleteByReceipt(queue: string, receipt: string): void {
    this.#db.prepare('DELETE FROM sqs_messages WHERE queue = ? AND receipt = ?').run(queue, receipt);
  }

  setVisibleAt(queue: string, receipt: string, visibleAt: number): boolean {
    return (
      this.#db
        .prepare('UPDATE sqs_messages SET visible_at = ? WHERE queue = ? AND receipt = ?')
        .run(visibleAt, queue, receipt).changes > 0
    );
  }

  /** Moves a message to another queue, where it is new but keeps its id and the time it was sent. */
  move(seq: number, to: string, now: number): void {
    this.#db
      .prepare(
        'UPDATE sqs_messages SET queue = ?, visible_at = ?, receives = 0, first_received_at = NULL, receipt = NULL WHERE seq = ?',
      )
      .run(to, now, seq);
  }

  removeOlderThan(queue: string, sentBefore: number): void {
    this.#db.prepare('DELETE FROM sqs_messages WHERE queue = ? AND sent_at < ?').run(queue, sentBefore);
  }

  purge(queue: string): void {
    this.#db.prepare('DELETE FROM sqs_messages WHERE queue = ?').run(queue);
  }

  /** How many are visible, in flight and delayed; and when the next hidden one comes into sight. */
  counts(queue: string, now: number): { visible: number; hidden: number; next: number | undefined } {
    const row = this.#db
      .prepare(
        'SELECT sum(visible_at <= ?) AS visible, sum(visible_at > ?) AS hidden, min(CASE WHEN visible_at > ? THEN visible_at END) AS next FROM sqs_messages WHERE queue = ?',
      )
      .get(now, now, now, queue);
    return {
      visible: Number(row?.['visible'] ?? 0),
      hidden: Number(row?.['hidden'] ?? 0),
      next: row?.['next'] === null || row?.['next'] === undefined ? undefined : Number(row['next']),
    };
  }
}

const messageOf = (row: Record<string, unknown>): StoredMessage => ({
  seq: Number(row['seq']),
  id: String(row['id']),
  body: String(row['body']),
  attributes: String(row['attributes']),
  sentAt: Number(row['sent_at']),
  receives: Number(row['receives']),
  firstReceivedAt: row['first_received_at'] === null ? null : Number(row['first_received_at']),
});
