import PostalMime from 'postal-mime';
import { ServiceError } from '../protocol/json.ts';
import { entriesOf, listOf, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';

/** An e-mail from SMTP: the sender and recipients of its envelope, and its bytes. */
interface ArrivingMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Uint8Array;
}

export interface Receiving {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** Applies the active rule set to an e-mail. @throws ServiceError `MessageRejected` where no rule matches it. */
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
/** The most bytes of an e-mail that a notification contains. */
const LARGEST_CONTENT_BYTES = 150 * 1024;
const HEADER_BYTES = 10 * 1024;
const SETUP = 'AMAZON_SES_SETUP_NOTIFICATION';
const PRINCIPAL = 'ses.amazonaws.com';

/** Receipt rules: they store e-mail in a bucket, or publish it to a topic. */
export const receiving = (context: ServiceContext): Receiving => {
  const { clock, newId } = context;
  const store = ruleStore(context);
  return {
    operations: {
      CreateReceiptRuleSet(input) {
        const name = need(input, 'RuleSetName');
        if (!store.addSet(name)) throw new ServiceError('AlreadyExists', `Rule set already exists: ${name}`);
        return '';
      },
      SetActiveReceiptRuleSet(input) {
        const name = input.get('RuleSetName');
        if (name !== null) store.expectSet(name);
        store.activate(name ?? '');
        return '';
      },
      async CreateReceiptRule(input) {
        const set = store.expectSet(need(input, 'RuleSetName'));
        const name = need(input, 'Rule.Name');
        await expectWritableBuckets(context, store.ruleArn(set, name), actionsOf(input));
        if (!store.addRule(set, name, input))
          throw new ServiceError('AlreadyExists', `Rule already exists: ${name}`);
        return '';
      },
    },
    async receiveMail(mail) {
      if (mail.raw.byteLength > LARGEST_BYTES)
        throw new ServiceError('MessageRejected', '552 5.3.4 Message is too long', 552);
      const messageId = newId();
      const matches = store.activeRules().flatMap(({ source, rule }) => {
        const recipients = mail.to.filter((address) => matchesRule(rule, address));
        return recipients.length > 0 ? [{ source, rule, recipients }] : [];
      });
      if (matches.length === 0)
        throw new ServiceError('MessageRejected', '550 5.1.1 mailbox unavailable', 550);
      const about = await aboutMail(mail, messageId, new Date(clock.now()).toISOString());
      for (const { source, rule, recipients } of matches)
        for (const action of actionsOf(rule)) {
          const receipt = receiptOf(recipients, clock.now());
          await perform(context, { mail, messageId, about, receipt, source }, action);
        }
    },
  };
};

/** Rule sets and their rules in SQLite. */
const ruleStore = ({ db, region, account }: ServiceContext) => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ses_rule_sets (name TEXT PRIMARY KEY, active INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS ses_rules (seq INTEGER PRIMARY KEY AUTOINCREMENT, set_name TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, UNIQUE (set_name, name)) STRICT;
  `);
  const addSet = db.prepare('INSERT OR IGNORE INTO ses_rule_sets VALUES (?, 0)');
  const set = db.prepare('SELECT 1 FROM ses_rule_sets WHERE name = ?');
  const activate = db.prepare('UPDATE ses_rule_sets SET active = (name = ?)');
  const addRule = db.prepare('INSERT OR IGNORE INTO ses_rules (set_name, name, fields) VALUES (?, ?, ?)');
  const active = db.prepare(
    'SELECT set_name, ses_rules.name, fields FROM ses_rules JOIN ses_rule_sets ON ses_rule_sets.name = set_name WHERE active = 1 ORDER BY seq',
  );
  const ruleArn = (setName: string, rule: string): string =>
    `arn:aws:ses:${region}:${account}:receipt-rule-set/${setName}:receipt-rule/${rule}`;
  return {
    ruleArn,
    /** Returns false where the set exists. */
    addSet: (name: string): boolean => addSet.run(name).changes > 0,
    expectSet(name: string): string {
      if (set.get(name)) return name;
      throw new ServiceError('RuleSetDoesNotExist', `Rule set does not exist: ${name}`);
    },
    /** Makes a set the only active one; an empty name makes none active. */
    activate: (name: string): void => void activate.run(name),
    /** Returns false where the set has a rule of this name. */
    addRule: (setName: string, name: string, rule: URLSearchParams): boolean =>
      addRule.run(setName, name, rule.toString()).changes > 0,
    activeRules: () =>
      active.all().map((row) => ({
        source: ruleArn(String(row['set_name']), String(row['name'])),
        rule: new URLSearchParams(String(row['fields'])),
      })),
  };
};

/** @throws ServiceError `InvalidS3Configuration`: SES writes to the bucket of a rule when the rule is created. */
const expectWritableBuckets = async (
  context: ServiceContext,
  source: string,
  actions: readonly Action[],
): Promise<void> => {
  for (const action of actions) {
    if (action.type !== 'S3') continue;
    try {
      await putObject(context, source, action, SETUP, Buffer.from('Amazon SES has verified this bucket.'));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError('InvalidS3Configuration', `Could not write to bucket: ${action.bucket}`);
    }
  }
};

const putObject = (
  { deliver }: ServiceContext,
  source: string,
  { bucket, prefix }: Action,
  name: string,
  bytes: Uint8Array,
): Promise<void> =>
  deliver({
    arn: `arn:aws:s3:::${bucket}/${prefix}${name}`,
    payload: Buffer.from(bytes).toString('base64'),
    source,
    principal: PRINCIPAL,
  });

interface Receipt {
  readonly mail: ArrivingMail;
  readonly messageId: string;
  readonly about: object;
  readonly receipt: object;
  /** The ARN of the rule. */
  readonly source: string;
}

/** Stores the e-mail or publishes it, as the action of a rule specifies. */
const perform = async (
  context: ServiceContext,
  { mail, messageId, about, receipt, source }: Receipt,
  { type, topicArn, encoding, ...target }: Action,
): Promise<void> => {
  const publish = async (arn: string, action: object, content: object = {}): Promise<void> => {
    const notification = { notificationType: 'Received', mail: about, receipt: { ...receipt, action } };
    const payload = JSON.stringify({ ...notification, ...content });
    await context.deliver({ arn, payload, source, principal: PRINCIPAL });
  };
  if (type === 'S3') {
    const { bucket: bucketName, prefix: objectKeyPrefix } = target;
    await putObject(context, source, { type, topicArn, encoding, ...target }, messageId, mail.raw);
    const objectKey = `${objectKeyPrefix}${messageId}`;
    if (topicArn !== null)
      await publish(topicArn, { type, topicArn, bucketName, objectKeyPrefix, objectKey });
  } else if (topicArn !== null && mail.raw.byteLength <= LARGEST_CONTENT_BYTES) {
    const content = Buffer.from(mail.raw).toString(encoding === 'BASE64' ? 'base64' : 'utf8');
    await publish(topicArn, { type, topicArn, encoding }, { content });
  }
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

/** Whether an enabled rule lists the address or its domain, or lists no recipients. */
const matchesRule = (rule: URLSearchParams, address: string): boolean => {
  const recipients = listOf(rule, 'Rule.Recipients').map((one) => one.toLowerCase());
  const lowerCase = address.toLowerCase();
  const [, domain = ''] = lowerCase.split('@');
  return (
    rule.get('Rule.Enabled') === 'true' &&
    (recipients.length === 0 || recipients.includes(lowerCase) || recipients.includes(domain))
  );
};

const PASS = { status: 'PASS' };
const receiptOf = (recipients: readonly string[], now: number): object => ({
  timestamp: new Date(now).toISOString(),
  processingTimeMillis: 1,
  recipients,
  ...{ spamVerdict: PASS, virusVerdict: PASS, spfVerdict: PASS, dkimVerdict: PASS, dmarcVerdict: PASS },
});

/** The `mail` of a notification. Headers of more than 10 KB are left out. */
const aboutMail = async (
  { from, to, raw }: ArrivingMail,
  messageId: string,
  timestamp: string,
): Promise<object> => {
  const { headers, from: author, subject, messageId: ownId, date } = await PostalMime.parse(raw);
  const listed = headers.map(({ key, originalKey, value }) => ({ name: originalKey ?? key, value }));
  const headersTruncated = Buffer.byteLength(JSON.stringify(listed)) > HEADER_BYTES;
  const fromHeader = author?.name ? `${author.name} <${author.address}>` : author?.address;
  return {
    ...{ timestamp, source: from, messageId, destination: to, headersTruncated },
    headers: headersTruncated ? [] : listed,
    commonHeaders: {
      ...{ returnPath: from, from: fromHeader === undefined ? [] : [fromHeader], to, date },
      ...(ownId !== undefined && { messageId: ownId }),
      ...(subject !== undefined && { subject }),
    },
  };
};
