import * as z from 'zod';
import type { ServiceContext } from '../protocol/service.ts';
import { deadLetterOf } from './subscription-attributes.ts';
import type { Subscription, TopicStore } from './topic-store.ts';

/** Posts a notification to an HTTPS subscriber; throws where it is not accepted. */
type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<void>;

/** Puts an e-mail to a subscriber into the inbox. */
type Mail = (to: string, subject: string, text: string) => void;

/** What deliveries to subscribers outside AWS take. */
export interface Outside {
  readonly post?: Post | undefined;
  readonly mail?: Mail | undefined;
}

const MailPayload = z.object({ subject: z.string(), text: z.string() });

export type MessageType = 'Notification' | 'SubscriptionConfirmation';

const MOST_ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 20 * 60_000;
const PRINCIPAL = 'sns.amazonaws.com';

/** Deliveries to subscribers, stored until they succeed. Returns a function that queues one. */
export const deliveries = (
  { db, clock, deliver }: ServiceContext,
  store: TopicStore,
  { post, mail }: Outside,
): ((subscription: Subscription, type: MessageType, payload: string) => void) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS sns_deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL) STRICT',
  );
  const add = db.prepare(
    'INSERT INTO sns_deliveries (subscription, type, payload, attempts) VALUES (?, ?, ?, 0)',
  );
  const queued = db.prepare('SELECT seq FROM sns_deliveries');
  const start = db.prepare(
    'UPDATE sns_deliveries SET attempts = attempts + 1 WHERE seq = ? RETURNING subscription, type, payload, attempts',
  );
  const remove = db.prepare('DELETE FROM sns_deliveries WHERE seq = ?');

  const send = async (subscription: Subscription, type: string, payload: string): Promise<void> => {
    const { arn, topic, protocol, endpoint } = subscription;
    if (protocol === 'email') {
      const { subject, text } = MailPayload.parse(JSON.parse(payload));
      return mail?.(endpoint, subject, text);
    }
    if (protocol !== 'https') return deliver({ arn: endpoint, payload, source: topic, principal: PRINCIPAL });
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': type,
      'x-amz-sns-topic-arn': topic,
      ...(type === 'Notification' && { 'x-amz-sns-subscription-arn': arn }),
    };
    await post?.(endpoint, headers, payload);
  };
  const sendDeadLetter = async ({ attributes, topic }: Subscription, payload: string): Promise<void> => {
    const arn = deadLetterOf(attributes['RedrivePolicy']);
    if (arn !== undefined) await deliver({ arn, payload, source: topic, principal: PRINCIPAL });
  };
  const attempt = async (seq: number): Promise<void> => {
    const row = start.get(seq);
    const subscription = row && store.findSubscription(String(row['subscription']));
    if (row === undefined || subscription === undefined) {
      remove.run(seq);
      return;
    }
    const [attempts, payload] = [Number(row['attempts']), String(row['payload'])];
    try {
      await send(subscription, String(row['type']), payload);
      remove.run(seq);
    } catch {
      // The subscriber reports its own error. After the last attempt a notification without a dead-letter queue is lost.
      if (attempts < MOST_ATTEMPTS) {
        arm(seq, clock.now() + Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** (attempts - 1)));
        return;
      }
      await sendDeadLetter(subscription, payload).finally(() => remove.run(seq));
    }
  };
  const arm = (seq: number, due: number): void => {
    clock.at(due, () => attempt(seq));
  };

  for (const { seq } of queued.all()) arm(Number(seq), clock.now());
  return ({ arn }, type, payload) => {
    const { lastInsertRowid } = add.run(arn, type, payload);
    arm(Number(lastInsertRowid), clock.now());
  };
};
