import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';

export interface Subscription {
  readonly arn: string;
  readonly topic: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The token that confirms the subscription; null once it is confirmed. */
  readonly token: string | null;
}

const Attributes = z.record(z.string(), z.string());

export type TopicStore = ReturnType<typeof topicStore>;

/** Topics and subscriptions in SQLite. */
export const topicStore = ({ db }: ServiceContext) => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_topics (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_topic_attributes (arn TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, name)) STRICT;
    CREATE TABLE IF NOT EXISTS sns_subscriptions (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL, token TEXT) STRICT;
  `);
  const topic = db.prepare('SELECT 1 FROM sns_topics WHERE arn = ?');
  const topics = db.prepare('SELECT arn FROM sns_topics ORDER BY arn');
  const addTopic = db.prepare('INSERT OR IGNORE INTO sns_topics VALUES (?)');
  const attributes = db.prepare('SELECT name, value FROM sns_topic_attributes WHERE arn = ? ORDER BY name');
  const setAttribute = db.prepare('INSERT OR REPLACE INTO sns_topic_attributes VALUES (?, ?, ?)');
  const subscription = db.prepare('SELECT * FROM sns_subscriptions WHERE arn = ?');
  const subscriptions = db.prepare('SELECT * FROM sns_subscriptions WHERE topic = ? ORDER BY arn');
  const byToken = db.prepare('SELECT * FROM sns_subscriptions WHERE topic = ? AND token = ?');
  const put = db.prepare('INSERT OR REPLACE INTO sns_subscriptions VALUES (?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM sns_subscriptions WHERE arn = ?');
  return {
    /** Returns the ARN of an existing topic. @throws ServiceError `NotFound`. */
    expectTopic(arn: string): string {
      if (topic.get(arn)) return arn;
      throw new ServiceError('NotFound', 'Topic does not exist', 404);
    },
    topics: (): string[] => topics.all().map(({ arn }) => String(arn)),
    addTopic: (arn: string): void => void addTopic.run(arn),
    attributesOf: (arn: string): Record<string, string> =>
      Object.fromEntries(attributes.all(arn).map(({ name, value }) => [String(name), String(value)])),
    setAttribute: (arn: string, name: string, value: string): void => void setAttribute.run(arn, name, value),
    findSubscription(arn: string): Subscription | undefined {
      const row = subscription.get(arn);
      return row && subscriptionIn(row);
    },
    subscriptions: (arn: string): Subscription[] => subscriptions.all(arn).map(subscriptionIn),
    findByToken(arn: string, token: string): Subscription | undefined {
      const row = byToken.get(arn, token);
      return row && subscriptionIn(row);
    },
    putSubscription(one: Subscription): void {
      put.run(one.arn, one.topic, one.protocol, one.endpoint, JSON.stringify(one.attributes), one.token);
    },
    removeSubscription: (arn: string): void => void remove.run(arn),
  };
};

const subscriptionIn = (row: Record<string, unknown>): Subscription => ({
  arn: String(row['arn']),
  topic: String(row['topic']),
  protocol: String(row['protocol']),
  endpoint: String(row['endpoint']),
  attributes: Attributes.parse(JSON.parse(String(row['attributes']))),
  token: row['token'] === null ? null : String(row['token']),
});
