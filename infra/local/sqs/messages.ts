import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { transaction } from '../protocol/transaction.ts';

/** A stored message. `attributes` and `system` are JSON; instants are epoch milliseconds. */
export interface StoredMessage {
  readonly seq: number;
  readonly id: string;
  readonly body: string;
  readonly attributes: string;
  readonly system: string;
  readonly sender: string;
  readonly sentAt: number;
  /** How often it was received in total, and how often before it moved to its present queue. */
  readonly receives: number;
  readonly receivesBefore: number;
  readonly firstReceivedAt: number | null;
  /** Whether this is the duplicate of another message; it is not duplicated again. */
  readonly copy: boolean;
}

export type NewMessage = Omit<StoredMessage, 'seq' | 'receivesBefore'>;

export interface Counts {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

type Verb =
  | 'add'
  | 'visible'
  | 'receive'
  | 'remove'
  | 'removeHeld'
  | 'held'
  | 'heldUntil'
  | 'hide'
  | 'move'
  | 'counts'
  | 'ready'
  | 'next'
  | 'purge'
  | 'expire';

const COLUMNS =
  'seq, id, body, attributes, system, sender, sent_at, receives, receives_before, first_received_at, copy';

/** Messages in SQLite. A receipt is valid for the last receive of its message only. */
export class Messages {
  readonly #db: DatabaseSync;
  readonly #statements: Readonly<Record<Verb, StatementSync>>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(`
      CREATE TABLE IF NOT EXISTS sqs_messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, visible_at INTEGER NOT NULL, id TEXT NOT NULL,
        body TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL, sender TEXT NOT NULL,
        sent_at INTEGER NOT NULL, receives INTEGER NOT NULL, receives_before INTEGER NOT NULL,
        first_received_at INTEGER, copy INTEGER NOT NULL, receipt TEXT
      ) STRICT;
      CREATE INDEX IF NOT EXISTS sqs_messages_visible ON sqs_messages (queue, visible_at);
    `);
    this.#statements = {
      add: db.prepare(
        'INSERT INTO sqs_messages (queue, visible_at, id, body, attributes, system, sender, sent_at, receives, receives_before, first_received_at, copy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)',
      ),
      visible: db.prepare(
        `SELECT ${COLUMNS} FROM sqs_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?`,
      ),
      receive: db.prepare(
        'UPDATE sqs_messages SET receipt = ?, visible_at = ?, receives = receives + 1, first_received_at = coalesce(first_received_at, ?) WHERE seq = ?',
      ),
      remove: db.prepare('DELETE FROM sqs_messages WHERE seq = ?'),
      removeHeld: db.prepare('DELETE FROM sqs_messages WHERE seq = ? AND queue = ? AND receipt = ?'),
      held: db.prepare(`SELECT ${COLUMNS} FROM sqs_messages WHERE seq = ? AND queue = ? AND receipt = ?`),
      heldUntil: db.prepare(
        'SELECT visible_at FROM sqs_messages WHERE seq = ? AND queue = ? AND receipt = ?',
      ),
      hide: db.prepare('UPDATE sqs_messages SET visible_at = ? WHERE seq = ?'),
      move: db.prepare(
        'UPDATE sqs_messages SET queue = ?, visible_at = ?, system = ?, receives_before = receives, receipt = NULL WHERE seq = ?',
      ),
      counts: db.prepare(
        'SELECT sum(visible_at <= ?) AS visible, sum(visible_at > ? AND receipt IS NOT NULL) AS in_flight, sum(visible_at > ? AND receipt IS NULL) AS delayed FROM sqs_messages WHERE queue = ?',
      ),
      ready: db.prepare(
        'SELECT count(*) AS ready FROM (SELECT 1 FROM sqs_messages WHERE queue = ? AND visible_at <= ? LIMIT ?)',
      ),
      next: db.prepare(
        'SELECT visible_at FROM sqs_messages WHERE queue = ? AND visible_at > ? ORDER BY visible_at LIMIT 1',
      ),
      purge: db.prepare('DELETE FROM sqs_messages WHERE queue = ?'),
      expire: db.prepare('DELETE FROM sqs_messages WHERE queue = ? AND sent_at <= ?'),
    };
  }

  /** Runs `work` as one SQLite transaction. */
  together<T>(work: () => T): T {
    return transaction(this.#db, work);
  }

  add(queue: string, visibleAt: number, message: NewMessage): void {
    this.#statements.add.run(
      queue,
      visibleAt,
      message.id,
      message.body,
      message.attributes,
      message.system,
      message.sender,
      message.sentAt,
      message.receives,
      message.firstReceivedAt,
      message.copy ? 1 : 0,
    );
  }

  /** The visible messages, oldest first. */
  visible(queue: string, now: number, limit: number): StoredMessage[] {
    return this.#statements.visible.all(queue, now, limit).map(messageOf);
  }

  /** Records that a message was received: it has a new receipt and is invisible until `visibleAt`. */
  receive(seq: number, receipt: string, now: number, visibleAt: number): void {
    this.#statements.receive.run(receipt, visibleAt, now, seq);
  }

  remove(seq: number): void {
    this.#statements.remove.run(seq);
  }

  /** Removes the message whose last receipt this is; an older receipt removes nothing. */
  removeHeld(queue: string, { seq, receipt }: Receipt): void {
    this.#statements.removeHeld.run(seq, queue, receipt);
  }

  /** The message whose last receipt this is. */
  held(queue: string, { seq, receipt }: Receipt): StoredMessage | undefined {
    const row = this.#statements.held.get(seq, queue, receipt);
    return row && messageOf(row);
  }

  /** The instant at which the message with this receipt becomes visible; undefined where there is none. */
  heldUntil(queue: string, { seq, receipt }: Receipt): number | undefined {
    const row = this.#statements.heldUntil.get(seq, queue, receipt);
    return row === undefined ? undefined : Number(row['visible_at']);
  }

  hide(seq: number, until: number): void {
    this.#statements.hide.run(until, seq);
  }

  /** Moves a message to another queue. It keeps its id and age; the count of receives starts anew there. */
  move(seq: number, to: string, now: number, system: string): void {
    this.#statements.move.run(to, now, system, seq);
  }

  counts(queue: string, now: number): Counts {
    const row = this.#statements.counts.get(now, now, now, queue) ?? {};
    return {
      visible: Number(row['visible'] ?? 0),
      inFlight: Number(row['in_flight'] ?? 0),
      delayed: Number(row['delayed'] ?? 0),
    };
  }

  /** The number of visible messages, at most `most`. */
  ready(queue: string, now: number, most: number): number {
    return Number(this.#statements.ready.get(queue, now, most)?.['ready']);
  }

  /** The next instant at which a message becomes visible. */
  next(queue: string, now: number): number | undefined {
    const row = this.#statements.next.get(queue, now);
    return row === undefined ? undefined : Number(row['visible_at']);
  }

  purge(queue: string): void {
    this.#statements.purge.run(queue);
  }

  /** Removes messages sent at `sentUntil` or before. */
  expire(queue: string, sentUntil: number): void {
    this.#statements.expire.run(queue, sentUntil);
  }
}

export interface Receipt {
  readonly seq: number;
  readonly receipt: string;
}

/** The receipt handle of a receive; opaque to clients. */
export const handleOf = ({ seq, receipt }: Receipt): string =>
  Buffer.from(`${seq}:${receipt}`).toString('base64');

export const receiptOf = (handle: string): Receipt | undefined => {
  const match = /^(\d{1,15}):(.+)$/u.exec(Buffer.from(handle, 'base64').toString());
  return match?.[2] === undefined ? undefined : { seq: Number(match[1]), receipt: match[2] };
};

const messageOf = (row: Record<string, SQLOutputValue>): StoredMessage => ({
  seq: Number(row['seq']),
  id: String(row['id']),
  body: String(row['body']),
  attributes: String(row['attributes']),
  system: String(row['system']),
  sender: String(row['sender']),
  sentAt: Number(row['sent_at']),
  receives: Number(row['receives']),
  receivesBefore: Number(row['receives_before']),
  firstReceivedAt: row['first_received_at'] === null ? null : Number(row['first_received_at']),
  copy: row['copy'] === 1,
});
