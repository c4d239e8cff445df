import * as z from 'zod';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { answerJson, jsonOperation, type Operation, ServiceError } from '../protocol/json.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';

export interface SmsOptions {
  /** The account's phone numbers in E.164; a sender that is a number must be one of them. */
  readonly numbers?: readonly string[];
  /** The monthly spend limit for text messages, in dollars; that of a new account is 1. */
  readonly monthlyLimit?: number;
  /** The message parts that the account's number sends in a second; default 3, as a toll-free number. */
  readonly partsPerSecond?: number;
  /** Whether the account is new: messages may only be sent to verified numbers. */
  readonly sandbox?: boolean;
  /** The verified numbers of a sandbox. */
  readonly verified?: readonly string[];
}

/** The price of one message part, in dollars: about the list price to a number in the United States. */
const PRICE = 0.01;
const PART_CHARACTERS = 153;
const SECOND_MS = 1000;
const OPT_OUT_LIST = 'Default';

const TextInput = z.strictObject({
  DestinationPhoneNumber: z.string(),
  OriginationIdentity: z.string().optional(),
  MessageBody: z.string().min(1).max(1600),
  MessageType: z.enum(['TRANSACTIONAL', 'PROMOTIONAL']).optional(),
  Keyword: z.string().optional(),
  MaxPrice: z.string().optional(),
  TimeToLive: z.int().min(5).max(259_200).optional(),
  Context: z.record(z.string(), z.string()).optional(),
  DestinationCountryParameters: z.record(z.string(), z.string()).optional(),
  DryRun: z.boolean().default(false),
  ProtectConfigurationId: z.string().optional(),
  MessageFeedbackEnabled: z.boolean().optional(),
});
type TextInput = z.infer<typeof TextInput>;
const OptOutInput = z.looseObject({
  OptOutListName: z.string().default(OPT_OUT_LIST),
  OptedOutNumber: z.string(),
});

/** The local End User Messaging SMS. It stores what is sent. */
export const smsVoice = (
  context: ServiceContext,
  sent: SentMessages,
  options: SmsOptions = {},
): AwsService => {
  const { clock, newId, region, account } = context;
  const store = smsStore(context);
  const { monthlyLimit = 1, partsPerSecond = 3 } = options;
  let sending = { since: Number.NEGATIVE_INFINITY, parts: 0 };
  /** @throws ServiceError where the number sends as much in this second as it can. */
  const useParts = (parts: number): void => {
    const now = clock.now();
    if (now >= sending.since + SECOND_MS) sending = { since: now, parts: 0 };
    // A message of more parts than that goes alone.
    if (sending.parts > 0 && sending.parts + parts > partsPerSecond)
      throw new ServiceError('ThrottlingException', 'Rate exceeded');
    sending.parts += parts;
  };
  const operations: Readonly<Record<string, Operation>> = {
    SendTextMessage(input) {
      const text = TextInput.parse(input);
      expectSendable(text, store, options);
      const month = new Date(clock.now()).toISOString().slice(0, 7);
      const parts = Math.ceil(text.MessageBody.length / PART_CHARACTERS);
      const price = PRICE * parts;
      if (store.spent(month) + price > monthlyLimit)
        throw new ServiceError(
          'ServiceQuotaExceededException',
          'The monthly spend limit for text messages is reached.',
          400,
          { Reason: 'MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT' },
        );
      useParts(parts);
      const id = newId();
      if (text.DryRun) return { MessageId: id };
      store.spend(month, price);
      sent.add({
        ...{ id, at: new Date(clock.now()).toISOString(), medium: 'sms' },
        ...{ to: [text.DestinationPhoneNumber], text: text.MessageBody, tags: text.Context ?? {} },
        ...(text.OriginationIdentity !== undefined && { from: text.OriginationIdentity }),
      });
      return { MessageId: id };
    },
    PutOptedOutNumber(input) {
      const { OptOutListName, OptedOutNumber } = OptOutInput.parse(input);
      expectNumber('OptedOutNumber', OptedOutNumber);
      return {
        OptOutListArn: `arn:aws:sms-voice:${region}:${account}:opt-out-list/${OptOutListName}`,
        OptOutListName,
        OptedOutNumber,
        OptedOutTimestamp: store.optOut(OptOutListName, OptedOutNumber, clock.now()) / 1000,
        EndUserOptedOut: false,
      };
    },
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

type SmsStore = ReturnType<typeof smsStore>;

/** Opted-out numbers and monthly spending in SQLite. */
const smsStore = ({ db }: ServiceContext) => {
  db.exec(
    `CREATE TABLE IF NOT EXISTS sms_opted_out (list TEXT NOT NULL, number TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (list, number)) STRICT;
     CREATE TABLE IF NOT EXISTS sms_spent (month TEXT PRIMARY KEY, dollars REAL NOT NULL) STRICT`,
  );
  const put = db.prepare('INSERT OR IGNORE INTO sms_opted_out VALUES (?, ?, ?)');
  const one = db.prepare('SELECT at FROM sms_opted_out WHERE list = ? AND number = ?');
  const spent = db.prepare('SELECT dollars FROM sms_spent WHERE month = ?');
  const spend = db.prepare(
    'INSERT INTO sms_spent VALUES (?, ?) ON CONFLICT DO UPDATE SET dollars = dollars + excluded.dollars',
  );
  return {
    /** Adds a number to a list, and returns when it was added first, in epoch milliseconds. */
    optOut(list: string, number: string, now: number): number {
      put.run(list, number, now);
      return Number(one.get(list, number)?.['at']);
    },
    hasOptedOut: (number: string): boolean => one.get(OPT_OUT_LIST, number) !== undefined,
    /** The dollars spent in a month, written as `2026-03`. */
    spent: (month: string): number => Number(spent.get(month)?.['dollars'] ?? 0),
    spend: (month: string, dollars: number): void => void spend.run(month, dollars),
  };
};

/** @throws ServiceError where the sender or the recipient may not be used. */
const expectSendable = (
  { DestinationPhoneNumber: to, OriginationIdentity: from }: TextInput,
  store: SmsStore,
  { numbers = [], sandbox = false, verified = [] }: SmsOptions,
): void => {
  expectNumber('DestinationPhoneNumber', to);
  if (from?.startsWith('+') === true && !numbers.includes(from))
    throw new ServiceError(
      'ResourceNotFoundException',
      `The account has no phone number ${from} to send from.`,
      400,
      { ResourceType: 'phone-number', ResourceId: from },
    );
  if (store.hasOptedOut(to))
    throw new ServiceError(
      'ConflictException',
      'The destination phone number has opted out of messages from this account.',
      400,
      { Reason: 'DESTINATION_PHONE_NUMBER_OPTED_OUT' },
    );
  if (sandbox && !verified.includes(to))
    throw new ServiceError(
      'ConflictException',
      'The account is in the sandbox, and the destination phone number is not verified.',
      400,
      { Reason: 'DESTINATION_PHONE_NUMBER_NOT_VERIFIED' },
    );
};

const expectNumber = (field: string, number: string): void => {
  if (/^\+[1-9]\d{6,14}$/u.test(number)) return;
  throw new ServiceError('ValidationException', `${field} is not a phone number in E.164 form.`, 400, {
    Reason: 'INVALID_PARAMETER',
    Fields: [{ Name: field, Message: 'It is + and 7 to 15 digits, the first of them not 0.' }],
  });
};
