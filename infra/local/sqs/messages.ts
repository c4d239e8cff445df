import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { transaction } from '../protocol/transaction.ts';

/** A message at rest. `attributes` and `system` are JSON as they were sent; instants are epoch milliseconds. */
export interface StoredMessage {
  readonly seq: number;
  readonly id: string;
  readonly body: string;
  readonly attributes: string;
  readonly system: string;
  readonly sender: string;
  readonly sentAt: number;
  /** How often it was received in all, and how often before it came to the queue it is in. */
  readonly receives: number;
  readonly receivesBefore: number;
  readonly firstReceivedAt: number | null;
  /** Set on the second copy of a message that is delivered twice: it is not doubled again. */
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
  | 'expire'
  | 'inQueue';

const COLUMNS =
  'seq, id, body, attributes, system, sender, sent_at, receives, receives_before, first_received_at, copy';

/** Messages in SQLite. A receipt is good for the last receive of its message only, as the service's are. */
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
      inQueue: db.prepare(`SELECT ${COLUMNS} FROM sqs_messages WHERE queue = ? ORDER BY seq`),
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

  /** Messages that may be received now, oldest first, without touching them. */
  visible(queue: string, now: number, limit: number): StoredMessage[] {
    return this.#statements.visible.all(queue, now, limit).map(messageOf);
  }

  /** Marks a message as received: hidden until `visibleAt`, answering to a new receipt. */
  receive(seq: number, receipt: string, now: number, visibleAt: number): void {
    this.#statements.receive.run(receipt, visibleAt, now, seq);
  }

  remove(seq: number): void {
    this.#statements.remove.run(seq);
  }

  /** Removes the message if this receipt is its newest one; an older one removes nothing. */
  removeHeld(queue: string, { seq, receipt }: Receipt): void {
    this.#statements.removeHeld.run(seq, queue, receipt);
  }

  /** The message that this receipt holds. */
  held(queue: string, { seq, receipt }: Receipt): StoredMessage | undefined {
    const row = this.#statements.held.get(seq, queue, receipt);
    return row && messageOf(row);
  }

  /** When the message that this receipt holds comes into sight again; undefined when it holds none. */
  heldUntil(queue: string, { seq, receipt }: Receipt): number | undefined {
    const row = this.#statements.heldUntil.get(seq, queue, receipt);
    return row === undefined ? undefined : Number(row['visible_at']);
  }

  hide(seq: number, until: number): void {
    this.#statements.hide.run(until, seq);
  }

  /** Moves a message to another queue, where it counts its receives anew but keeps its id, age and history. */
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

  /** How many are visible, counted up to `most`. */
  ready(queue: string, now: number, most: number): number {
    return Number(this.#statements.ready.get(queue, now, most)?.['ready']);
  }

  /** The next instant at which a hidden message comes into sight. */
  next(queue: string, now: number): number | undefined {
    const row = this.#statements.next.get(queue, now);
    return row === undefined ? undefined : Number(row['visible_at']);
  }

  purge(queue: string): void {
    this.#statements.purge.run(queue);
  }

  /** Drops what was sent at `sentUntil` or before. */
  expire(queue: string, sentUntil: number): void {
    this.#statements.expire.run(queue, sentUntil);
  }

  inQueue(queue: string): StoredMessage[] {
    return this.#statements.inQueue.all(queue).map(messageOf);
  }
}

export interface Receipt {
  readonly seq: number;
  readonly receipt: string;
}

/** A receipt handle: opaque to clients, the message's row and the secret of one receive to us. */
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
