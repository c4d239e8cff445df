import PostalMime from 'postal-mime';
import { ServiceError } from '../protocol/json.ts';
import { element, entriesOf, listOf, members, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';

/** A mail as it comes in over SMTP: who its envelope says it is from and to, and its bytes. */
export interface ArrivingMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Uint8Array;
}

export interface Receiving {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** Does with a mail what the active rule set says; a mail that no rule is for is refused with a `ServiceError`. */
  receiveMail(mail: ArrivingMail): Promise<void>;
}

interface Action {
  readonly type: 'S3' | 'SNS';
  readonly topicArn: string | null;
  readonly bucket: string;
  readonly prefix: string;
  readonly encoding: string;
}

const LARGEST_BYTES = 40 * 1024 * 1024;
/** A notification that holds the mail itself takes no more of it. */
const LARGEST_TOLD_BYTES = 150 * 1024;
const HEADER_BYTES = 10 * 1024;
const SETUP = 'AMAZON_SES_SETUP_NOTIFICATION';

/** Receipt rules: what SES does with mail to the domains of an account. */
export const receiving = ({ db, clock, newId, region, account, deliver }: ServiceContext): Receiving => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ses_rule_sets (name TEXT PRIMARY KEY, active INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS ses_rules (seq INTEGER PRIMARY KEY AUTOINCREMENT, set_name TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, UNIQUE (set_name, name)) STRICT;
  `);
  const addSet = db.prepare('INSERT OR IGNORE INTO ses_rule_sets VALUES (?, 0)');
  const addRule = db.prepare('INSERT OR IGNORE INTO ses_rules (set_name, name, fields) VALUES (?, ?, ?)');
  const active = db.prepare('SELECT name FROM ses_rule_sets WHERE active = 1');
  const rules = db.prepare('SELECT name, fields FROM ses_rules WHERE set_name = ? ORDER BY seq');
  const arnOf = (set: string, rule: string): string =>
    `arn:aws:ses:${region}:${account}:receipt-rule-set/${set}:receipt-rule/${rule}`;

  const expectSet = (name: string): string => {
    if (db.prepare('SELECT 1 FROM ses_rule_sets WHERE name = ?').get(name)) return name;
    throw new ServiceError('RuleSetDoesNotExist', `Rule set does not exist: ${name}`);
  };
  const store = (source: string, { bucket, prefix }: Action, name: string, bytes: Uint8Array) =>
    deliver({
      arn: `arn:aws:s3:::${bucket}/${prefix}${name}`,
      payload: Buffer.from(bytes).toString('base64'),
      source,
      principal: 'ses.amazonaws.com',
    });
  const publish = (source: string, arn: string, payload: object) =>
    deliver({ arn, payload: JSON.stringify(payload), source, principal: 'ses.amazonaws.com' });

  const operations: Record<string, QueryOperation> = {
    CreateReceiptRuleSet(input) {
      const name = need(input, 'RuleSetName');
      if (addSet.run(name).changes === 0)
        throw new ServiceError('AlreadyExists', `Rule set already exists: ${name}`);
      return '';
    },
    SetActiveReceiptRuleSet(input) {
      const name = input.get('RuleSetName');
      if (name !== null) expectSet(name);
      db.prepare('UPDATE ses_rule_sets SET active = (name = ?)').run(name ?? '');
      return '';
    },
    DescribeActiveReceiptRuleSet() {
      const set = active.get();
      if (set === undefined) return '';
      const listed = rules.all(set['name'] ?? null).map(({ name }) => element('Name', String(name)));
      return `<Metadata>${element('Name', String(set['name']))}</Metadata>${members('Rules', listed)}`;
    },
    async CreateReceiptRule(input) {
      const set = expectSet(need(input, 'RuleSetName'));
      const name = need(input, 'Rule.Name');
      // As in the account: a rule is refused that could not do what it says.
      for (const action of actionsOf(input)) {
        try {
          if (action.type === 'S3')
            await store(arnOf(set, name), action, SETUP, Buffer.from('Amazon SES has verified this bucket.'));
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          throw new ServiceError('InvalidS3Configuration', `Could not write to bucket: ${action.bucket}`);
        }
      }
      if (addRule.run(set, name, input.toString()).changes === 0)
        throw new ServiceError('AlreadyExists', `Rule already exists: ${name}`);
      return '';
    },
    DeleteReceiptRule(input) {
      const set = expectSet(need(input, 'RuleSetName'));
      db.prepare('DELETE FROM ses_rules WHERE set_name = ? AND name = ?').run(set, need(input, 'RuleName'));
      return '';
    },
  };

  return {
    operations,
    async receiveMail(mail) {
      if (mail.raw.byteLength > LARGEST_BYTES)
        throw new ServiceError('MessageRejected', '552 5.3.4 Message is too long', 552);
      const set = String(active.get()?.['name'] ?? '');
      const messageId = newId();
      const found = rules.all(set).flatMap(({ name, fields }) => {
        const rule = new URLSearchParams(String(fields));
        const recipients = mail.to.filter((address) => isFor(rule, address));
        return recipients.length > 0 ? [{ source: arnOf(set, String(name)), rule, recipients }] : [];
      });
      if (found.length === 0) throw new ServiceError('MessageRejected', '550 5.1.1 mailbox unavailable', 550);
      const about = await aboutMail(mail, messageId, new Date(clock.now()).toISOString());
      for (const { source, rule, recipients } of found)
        for (const action of actionsOf(rule)) {
          const told = {
            notificationType: 'Received',
            mail: about,
            receipt: receiptOf(recipients, clock.now()),
          };
          if (action.type === 'S3') {
            await store(source, action, messageId, mail.raw);
            if (action.topicArn === null) continue;
            const { bucket: bucketName, prefix: objectKeyPrefix, topicArn } = action;
            const objectKey = `${objectKeyPrefix}${messageId}`;
            const done = { type: 'S3', topicArn, bucketName, objectKeyPrefix, objectKey };
            await publish(source, topicArn, { ...told, receipt: { ...told.receipt, action: done } });
          } else if (mail.raw.byteLength <= LARGEST_TOLD_BYTES && action.topicArn !== null) {
            const { topicArn, encoding } = action;
            const done = { type: 'SNS', topicArn, encoding };
            const content = Buffer.from(mail.raw).toString(encoding === 'BASE64' ? 'base64' : 'utf8');
            await publish(source, topicArn, { ...told, receipt: { ...told.receipt, action: done }, content });
          }
        }
    },
  };
};

const actionsOf = (rule: URLSearchParams): Action[] =>
  entriesOf(rule, 'Rule.Actions').map((action) => {
    const bucket = action.get('S3Action.BucketName');
    if (bucket === null && action.get('SNSAction.TopicArn') === null)
      throw new ServiceError(
        'InvalidParameterValue',
        'The local SES knows the actions S3Action and SNSAction.',
      );
    return {
      type: bucket === null ? 'SNS' : 'S3',
      topicArn: action.get(bucket === null ? 'SNSAction.TopicArn' : 'S3Action.TopicArn'),
      bucket: bucket ?? '',
      prefix: action.get('S3Action.ObjectKeyPrefix') ?? '',
      encoding: (action.get('SNSAction.Encoding') ?? 'UTF-8').toUpperCase(),
    };
  });

/** A rule is for the addresses and domains that it lists, and for all where it lists none. */
const isFor = (rule: URLSearchParams, address: string): boolean => {
  const wanted = listOf(rule, 'Rule.Recipients').map((one) => one.toLowerCase());
  const [, domain = ''] = address.toLowerCase().split('@');
  const enabled = rule.get('Rule.Enabled') === 'true';
  return (
    enabled && (wanted.length === 0 || wanted.includes(address.toLowerCase()) || wanted.includes(domain))
  );
};

const PASS = { status: 'PASS' };
const receiptOf = (recipients: readonly string[], now: number) => ({
  timestamp: new Date(now).toISOString(),
  processingTimeMillis: 1,
  recipients,
  ...{ spamVerdict: PASS, virusVerdict: PASS, spfVerdict: PASS, dkimVerdict: PASS, dmarcVerdict: PASS },
});

/** What SES tells of a mail beside its place: the headers, as far as there is room for them. */
const aboutMail = async ({ from, to, raw }: ArrivingMail, messageId: string, timestamp: string) => {
  const { headers, from: writer, subject, messageId: own, date } = await PostalMime.parse(raw);
  const listed = headers.map(({ key, originalKey, value }) => ({ name: originalKey ?? key, value }));
  const headersTruncated = Buffer.byteLength(JSON.stringify(listed)) > HEADER_BYTES;
  const written = writer?.name ? `${writer.name} <${writer.address}>` : writer?.address;
  return {
    ...{ timestamp, source: from, messageId, destination: to, headersTruncated },
    headers: headersTruncated ? [] : listed,
    commonHeaders: {
      ...{ returnPath: from, from: written === undefined ? [] : [written], to, date },
      ...(own !== undefined && { messageId: own }),
      ...(subject !== undefined && { subject }),
    },
  };
};
