import { ServiceError } from './json.ts';
import type { Outbox } from './outbox.ts';
import { answerQuery, escapeXml, type QueryOperation, queryOperation } from './query-protocol.ts';
import type { AwsService, Surroundings } from './service.ts';

const entriesOf = (input: URLSearchParams, name: string): Record<string, string> => {
  const entries: Record<string, string> = {};
  for (let at = 1; input.has(`${name}.entry.${at}.key`) || input.has(`${name}.entry.${at}.Name`); at++) {
    const key = input.get(`${name}.entry.${at}.key`) ?? input.get(`${name}.entry.${at}.Name`) ?? '';
    entries[key] =
      input.get(`${name}.entry.${at}.value`) ?? input.get(`${name}.entry.${at}.Value.StringValue`) ?? '';
  }
  return entries;
};

/** SNS on one machine: topics, and push to platform endpoints, whose messages land in the outbox. */
export const sns = (
  { db, clock, newId, region, account, deliver }: Surroundings,
  sent: Outbox,
): AwsService => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_topics (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_subscriptions (arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS sns_endpoints (arn TEXT PRIMARY KEY, token TEXT NOT NULL, enabled INTEGER NOT NULL) STRICT;
  `);
  const base = `arn:aws:sns:${region}:${account}:`;
  const push = (target: string, input: URLSearchParams): string => {
    const endpoint = db.prepare('SELECT token, enabled FROM sns_endpoints WHERE arn = ?').get(target);
    if (endpoint === undefined)
      throw new ServiceError(
        'InvalidParameter',
        'Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified',
      );
    if (endpoint['enabled'] !== 1) throw new ServiceError('EndpointDisabled', 'Endpoint is disabled');
    const id = newId();
    const subject = input.get('Subject');
    sent.add({
      id,
      at: new Date(clock.now()).toISOString(),
      medium: 'push',
      to: [String(endpoint['token'])],
      text: input.get('Message') ?? '',
      ...(subject !== null && { subject }),
      tags: entriesOf(input, 'MessageAttributes'),
    });
    return id;
  };
  const operations: Record<string, QueryOperation> = {
    CreateTopic(input) {
      const arn = `${base}${input.get('Name')}`;
      db.prepare('INSERT OR IGNORE INTO sns_topics (arn) VALUES (?)').run(arn);
      return `<TopicArn>${arn}</TopicArn>`;
    },
    DeleteTopic(input) {
      db.prepare('DELETE FROM sns_topics WHERE arn = ?').run(input.get('TopicArn'));
      return '';
    },
    Subscribe(input) {
      const arn = `${input.get('TopicArn')}:${newId()}`;
      db.prepare('INSERT INTO sns_subscriptions (arn, topic, protocol, endpoint) VALUES (?, ?, ?, ?)').run(
        arn,
        input.get('TopicArn'),
        input.get('Protocol'),
        input.get('Endpoint'),
      );
      return `<SubscriptionArn>${arn}</SubscriptionArn>`;
    },
    CreatePlatformEndpoint(input) {
      const application = (input.get('PlatformApplicationArn') ?? '').split(':app/')[1] ?? '';
      const arn = `${base}endpoint/${application}/${newId()}`;
      db.prepare('INSERT INTO sns_endpoints (arn, token, enabled) VALUES (?, ?, 1)').run(
        arn,
        input.get('Token'),
      );
      return `<EndpointArn>${arn}</EndpointArn>`;
    },
    CreatePlatformApplication: (input) =>
      `<PlatformApplicationArn>${base}app/${escapeXml(`${input.get('Platform')}/${input.get('Name')}`)}</PlatformApplicationArn>`,
    SetEndpointAttributes(input) {
      const { Enabled } = entriesOf(input, 'Attributes');
      if (Enabled !== undefined)
        db.prepare('UPDATE sns_endpoints SET enabled = ? WHERE arn = ?').run(
          Enabled === 'true' ? 1 : 0,
          input.get('EndpointArn'),
        );
      return '';
    },
    DeleteEndpoint(input) {
      db.prepare('DELETE FROM sns_endpoints WHERE arn = ?').run(input.get('EndpointArn'));
      return '';
    },
    async Publish(input) {
      const target = input.get('TargetArn') ?? input.get('TopicArn') ?? '';
      if (target.includes(':endpoint/')) return `<MessageId>${push(target, input)}</MessageId>`;
      if (!db.prepare('SELECT 1 FROM sns_topics WHERE arn = ?').get(target))
        throw new ServiceError('NotFound', 'Topic does not exist', 404);
      const id = newId();
      const payload = JSON.stringify({
        Type: 'Notification',
        MessageId: id,
        TopicArn: target,
        Subject: input.get('Subject') ?? undefined,
        Message: input.get('Message'),
        Timestamp: new Date(clock.now()).toISOString(),
      });
      const subscriptions = db
        .prepare("SELECT endpoint FROM sns_subscriptions WHERE topic = ? AND protocol IN ('sqs', 'lambda')")
        .all(target);
      await Promise.all(
        subscriptions.map((row) =>
          deliver({ arn: String(row['endpoint']), payload, source: target, principal: 'sns.amazonaws.com' }),
        ),
      );
      return `<MessageId>${id}</MessageId>`;
    },
  };
  return {
    signingName: 'sns',
    operation: queryOperation,
    handle: (request) => answerQuery(request, 'http://sns.amazonaws.com/doc/2010-03-31/', operations),
  };
};
