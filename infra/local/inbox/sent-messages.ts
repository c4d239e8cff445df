import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

/** A sent e-mail, SMS or push notification. */
export const SentMessage = z.object({
  id: z.string(),
  at: z.string(),
  medium: z.enum(['email', 'sms', 'push']),
  to: z.array(z.string()),
  from: z.string().optional(),
  subject: z.string().optional(),
  text: z.string().optional(),
  html: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
});
export type SentMessage = z.infer<typeof SentMessage>;

export interface SentMessages {
  /** Stores a message; `raw` is its transmitted form, where that has more than the message's fields. */
  add(message: SentMessage, raw?: Uint8Array | string): void;
  /** The messages, oldest first; with `after` those that follow the message with this id. */
  list(options?: { readonly after?: string }): SentMessage[];
  /** The transmitted bytes: an e-mail's MIME, a push notification's payload. */
  raw(id: string): Uint8Array | undefined;
}

/** The messages of SES, SMS and SNS in SQLite. `onAdd` is called with each new one. */
export const sentMessages = (
  db: DatabaseSync,
  onAdd: (message: SentMessage) => void = () => {},
): SentMessages => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS sent_messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, message TEXT NOT NULL, raw BLOB) STRICT',
  );
  const insert = db.prepare('INSERT INTO sent_messages (id, message, raw) VALUES (?, ?, ?)');
  const all = db.prepare('SELECT message FROM sent_messages WHERE seq > ? ORDER BY seq');
  const position = db.prepare('SELECT seq FROM sent_messages WHERE id = ?');
  const bytes = db.prepare('SELECT raw FROM sent_messages WHERE id = ?');
  return {
    add(message, raw) {
      insert.run(message.id, JSON.stringify(message), raw === undefined ? null : Buffer.from(raw));
      onAdd(message);
    },
    list({ after } = {}) {
      const from = after === undefined ? 0 : Number(position.get(after)?.['seq'] ?? 0);
      return all.all(from).map((row) => SentMessage.parse(JSON.parse(String(row['message']))));
    },
    raw(id) {
      const raw = bytes.get(id)?.['raw'];
      return raw instanceof Uint8Array ? raw : undefined;
    },
  };
};
