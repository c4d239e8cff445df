import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';

/** A message that left the hub on this machine. */
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

export interface Outbox {
  add(message: SentMessage): void;
  list(): SentMessage[];
}

/** Where SES, SMS and SNS leave what they would have sent. */
export const outbox = (db: DatabaseSync): Outbox => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL) STRICT',
  );
  const insert = db.prepare('INSERT INTO outbox (message) VALUES (?)');
  const all = db.prepare('SELECT message FROM outbox ORDER BY seq');
  return {
    add: (message) => {
      insert.run(JSON.stringify(message));
    },
    list: () => all.all().map((row) => SentMessage.parse(JSON.parse(String(row['message'])))),
  };
};
