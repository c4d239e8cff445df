import * as z from 'zod';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';

export interface SmsOptions {
  /** Numbers that the account has rented, in E.164; a sender that is a number must be one of them. */
  readonly numbers?: readonly string[];
  /** What may be spent on text messages in a month, in dollars; a new account starts at 1. */
  readonly monthlyLimit?: number;
  /** As a new account is: texts go to verified numbers only. */
  readonly sandbox?: boolean;
  /** Numbers that a sandbox may write to. */
  readonly verified?: readonly string[];
}

/** What a text costs here, in dollars: about the list price to a number in the United States, for each part. */
const PRICE = 0.01;
const PART_CHARACTERS = 153;

const Text = z.strictObject({
  DestinationPhoneNumber: z.string(),
  OriginationIdentity: z.string().optional(),
  MessageBody: z.string().min(1).max(1600),
  MessageType: z.enum(['TRANSACTIONAL', 'PROMOTIONAL']).optional(),
  Keyword: z.string().optional(),
  ConfigurationSetName: z.string().optional(),
  MaxPrice: z.string().optional(),
  TimeToLive: z.int().min(5).max(259_200).optional(),
  Context: z.record(z.string(), z.string()).optional(),
  DestinationCountryParameters: z.record(z.string(), z.string()).optional(),
  DryRun: z.boolean().default(false),
  ProtectConfigurationId: z.string().optional(),
  MessageFeedbackEnabled: z.boolean().optional(),
});
const SetName = z.looseObject({ ConfigurationSetName: z.string().regex(/^[\w:/-]{1,256}$/u) });
const OptOut = z.looseObject({ OptOutListName: z.string().default('Default'), OptedOutNumber: z.string() });
const OptedOut = z.looseObject({
  OptOutListName: z.string().default('Default'),
  OptedOutNumbers: z.array(z.string()).optional(),
});

/** AWS End User Messaging SMS on one machine: what it sends lands in the outbox. */
export const smsVoice = (
  { db, clock, newId, region, account }: ServiceContext,
  sent: SentMessages,
  { numbers = [], monthlyLimit = 1, sandbox = false, verified = [] }: SmsOptions = {},
): AwsService => {
  db.exec(
    `CREATE TABLE IF NOT EXISTS sms_opted_out (list TEXT NOT NULL, number TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (list, number)) STRICT;
     CREATE TABLE IF NOT EXISTS sms_configuration_sets (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
     CREATE TABLE IF NOT EXISTS sms_spent (month TEXT PRIMARY KEY, dollars REAL NOT NULL) STRICT`,
  );
  const put = db.prepare('INSERT OR IGNORE INTO sms_opted_out VALUES (?, ?, ?)');
  const remove = db.prepare('DELETE FROM sms_opted_out WHERE list = ? AND number = ?');
  const one = db.prepare('SELECT at FROM sms_opted_out WHERE list = ? AND number = ?');
  const all = db.prepare('SELECT number FROM sms_opted_out WHERE list = ? ORDER BY number');
  const addSet = db.prepare('INSERT OR IGNORE INTO sms_configuration_sets VALUES (?, ?)');
  const sets = db.prepare('SELECT name, created_at FROM sms_configuration_sets ORDER BY name');
  const removeSet = db.prepare('DELETE FROM sms_configuration_sets WHERE name = ?');
  const spent = db.prepare('SELECT dollars FROM sms_spent WHERE month = ?');
  const spend = db.prepare(
    'INSERT INTO sms_spent VALUES (?, ?) ON CONFLICT DO UPDATE SET dollars = dollars + excluded.dollars',
  );
  const arn = (resource: string): string => `arn:aws:sms-voice:${region}:${account}:${resource}`;

  const optedOut = (list: string, number: string) => {
    const row = one.get(list, number);
    return (
      row && { OptedOutNumber: number, OptedOutTimestamp: Number(row['at']) / 1000, EndUserOptedOut: false }
    );
  };
  const expectOptedOut = (list: string, number: string) => {
    const found = optedOut(list, number);
    if (found) return found;
    throw missing('opt-out-number', number, `${number} is not on the opt-out list ${list}.`);
  };
  const expectSet = (nameOrArn: string): void => {
    const name = nameOrArn.split('/').at(-1) ?? nameOrArn;
    if (!sets.all().some((set) => set['name'] === name))
      throw missing('configuration-set', name, `There is no configuration set ${name}.`);
  };
  const listed = (name: string) => ({ OptOutListArn: arn(`opt-out-list/${name}`), OptOutListName: name });

  const operations: Record<string, Operation> = {
    SendTextMessage(input) {
      const text = Text.parse(input);
      expectNumber('DestinationPhoneNumber', text.DestinationPhoneNumber);
      const origin = text.OriginationIdentity;
      if (origin?.startsWith('+') === true && !numbers.includes(origin))
        throw missing('phone-number', origin, `The account has no phone number ${origin} to send from.`);
      if (optedOut('Default', text.DestinationPhoneNumber)) {
        throw new ServiceError(
          'ConflictException',
          'The destination phone number has opted out of messages from this account.',
          400,
          { Reason: 'DESTINATION_PHONE_NUMBER_OPTED_OUT' },
        );
      }
      const set = text.ConfigurationSetName;
      if (set !== undefined) expectSet(set);
      if (sandbox && !verified.includes(text.DestinationPhoneNumber))
        throw new ServiceError(
          'ConflictException',
          'The account is in the sandbox, and the destination phone number is not verified.',
          400,
          { Reason: 'DESTINATION_PHONE_NUMBER_NOT_VERIFIED' },
        );
      const month = new Date(clock.now()).toISOString().slice(0, 7);
      const price = PRICE * Math.ceil(text.MessageBody.length / PART_CHARACTERS);
      if (Number(spent.get(month)?.['dollars'] ?? 0) + price > monthlyLimit)
        throw new ServiceError(
          'ServiceQuotaExceededException',
          'The monthly spend limit for text messages is reached.',
          400,
          { Reason: 'MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT' },
        );
      const id = newId();
      if (!text.DryRun) {
        spend.run(month, price);
        sent.add({
          id,
          at: new Date(clock.now()).toISOString(),
          medium: 'sms',
          to: [text.DestinationPhoneNumber],
          text: text.MessageBody,
          ...(origin !== undefined && { from: origin }),
          tags: text.Context ?? {},
        });
      }
      return { MessageId: id };
    },
    CreateConfigurationSet(input) {
      const name = SetName.parse(input).ConfigurationSetName;
      if (addSet.run(name, clock.now()).changes === 0)
        throw new ServiceError('ConflictException', `The configuration set ${name} exists already.`, 400, {
          Reason: 'RESOURCE_ALREADY_EXISTS',
        });
      return { ConfigurationSetArn: arn(`configuration-set/${name}`), ConfigurationSetName: name };
    },
    DeleteConfigurationSet(input) {
      const name = SetName.parse(input).ConfigurationSetName;
      expectSet(name);
      removeSet.run(name);
      return { ConfigurationSetArn: arn(`configuration-set/${name}`), ConfigurationSetName: name };
    },
    DescribeConfigurationSets: () => ({
      ConfigurationSets: sets.all().map(({ name, created_at: createdAt }) => ({
        ConfigurationSetArn: arn(`configuration-set/${name}`),
        ConfigurationSetName: name,
        EventDestinations: [],
        CreatedTimestamp: Number(createdAt) / 1000,
      })),
    }),
    DescribeAccountAttributes: () => ({
      AccountAttributes: [{ Name: 'ACCOUNT_TIER', Value: sandbox ? 'SANDBOX' : 'PRODUCTION' }],
    }),
    PutOptedOutNumber(input) {
      const { OptOutListName, OptedOutNumber } = OptOut.parse(input);
      expectNumber('OptedOutNumber', OptedOutNumber);
      put.run(OptOutListName, OptedOutNumber, clock.now());
      return { ...listed(OptOutListName), ...expectOptedOut(OptOutListName, OptedOutNumber) };
    },
    DeleteOptedOutNumber(input) {
      const { OptOutListName, OptedOutNumber } = OptOut.parse(input);
      const found = expectOptedOut(OptOutListName, OptedOutNumber);
      remove.run(OptOutListName, OptedOutNumber);
      return { ...listed(OptOutListName), ...found };
    },
    DescribeOptedOutNumbers(input) {
      const { OptOutListName, OptedOutNumbers } = OptedOut.parse(input);
      const wanted = OptedOutNumbers ?? all.all(OptOutListName).map(({ number }) => String(number));
      return {
        ...listed(OptOutListName),
        OptedOutNumbers: wanted.map((number) => expectOptedOut(OptOutListName, number)),
      };
    },
    DescribePhoneNumbers: () => ({
      PhoneNumbers: numbers.map((number) => ({
        PhoneNumberArn: arn(`phone-number/phone-${number.slice(1)}`),
        PhoneNumberId: `phone-${number.slice(1)}`,
        PhoneNumber: number,
        Status: 'ACTIVE',
        IsoCountryCode: 'US',
        MessageType: 'TRANSACTIONAL',
        NumberCapabilities: ['SMS'],
        NumberType: 'LONG_CODE',
        MonthlyLeasingPrice: '1.00',
        TwoWayEnabled: false,
        SelfManagedOptOutsEnabled: false,
        OptOutListName: 'Default',
        DeletionProtectionEnabled: false,
        CreatedTimestamp: 0,
      })),
    }),
    DescribeSpendLimits: () => ({
      SpendLimits: [
        {
          Name: 'TEXT_MESSAGE_MONTHLY_SPEND_LIMIT',
          EnforcedLimit: monthlyLimit,
          MaxLimit: monthlyLimit,
          Overridden: false,
        },
      ],
    }),
  };
  return {
    signingName: 'sms-voice',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.0', operations),
  };
};

const expectNumber = (field: string, number: string): void => {
  if (/^\+[1-9]\d{6,14}$/u.test(number)) return;
  throw new ServiceError('ValidationException', `${field} is not a phone number in E.164 form.`, 400, {
    Reason: 'INVALID_PARAMETER',
    Fields: [{ Name: field, Message: 'It is + and 7 to 15 digits, the first of them not 0.' }],
  });
};

const missing = (type: string, id: string, message: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', message, 400, { ResourceType: type, ResourceId: id });
