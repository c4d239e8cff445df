import * as z from 'zod';
import { answerJson, jsonOperation, type Operation, ServiceError } from './json.ts';
import type { Outbox } from './outbox.ts';
import type { AwsService, Surroundings } from './service.ts';

const Text = z.strictObject({
  DestinationPhoneNumber: z.string(),
  OriginationIdentity: z.string().optional(),
  MessageBody: z.string().min(1).max(1600),
  MessageType: z.enum(['TRANSACTIONAL', 'PROMOTIONAL']).optional(),
  ConfigurationSetName: z.string().optional(),
  Context: z.record(z.string(), z.string()).optional(),
  MaxPrice: z.string().optional(),
  TimeToLive: z.int().optional(),
  DryRun: z.boolean().optional(),
  ProtectConfigurationId: z.string().optional(),
});

/** AWS End User Messaging SMS on one machine: what it sends lands in the outbox. */
export const smsVoice = ({ db, clock, newId }: Surroundings, sent: Outbox): AwsService => {
  db.exec('CREATE TABLE IF NOT EXISTS sms_opted_out (number TEXT PRIMARY KEY) STRICT');
  const Number_ = z.looseObject({ OptedOutNumber: z.string() });
  const operations: Record<string, Operation> = {
    SendTextMessage(input) {
      const text = Text.parse(input);
      if (!/^\+[1-9]\d{6,14}$/u.test(text.DestinationPhoneNumber)) {
        throw new ServiceError(
          'ValidationException',
          'DestinationPhoneNumber is not a phone number in E.164 form.',
          400,
          { Reason: 'INVALID_PARAMETER' },
        );
      }
      if (db.prepare('SELECT 1 FROM sms_opted_out WHERE number = ?').get(text.DestinationPhoneNumber)) {
        throw new ServiceError('ConflictException', 'The destination phone number has opted out.', 400, {
          Reason: 'DESTINATION_PHONE_NUMBER_OPTED_OUT',
        });
      }
      const id = newId();
      if (text.DryRun !== true) {
        sent.add({
          id,
          at: new Date(clock.now()).toISOString(),
          medium: 'sms',
          to: [text.DestinationPhoneNumber],
          text: text.MessageBody,
          ...(text.OriginationIdentity !== undefined && { from: text.OriginationIdentity }),
          ...(text.Context && { tags: text.Context }),
        });
      }
      return { MessageId: id };
    },
    PutOptedOutNumber(input) {
      db.prepare('INSERT OR IGNORE INTO sms_opted_out (number) VALUES (?)').run(
        Number_.parse(input).OptedOutNumber,
      );
      return Number_.parse(input);
    },
    DeleteOptedOutNumber(input) {
      db.prepare('DELETE FROM sms_opted_out WHERE number = ?').run(Number_.parse(input).OptedOutNumber);
      return Number_.parse(input);
    },
    DescribeOptedOutNumbers: () => ({
      OptedOutNumbers: db
        .prepare('SELECT number FROM sms_opted_out')
        .all()
        .map((row) => ({ OptedOutNumber: row['number'] })),
    }),
    DescribeSpendLimits: () => ({
      SpendLimits: [
        { Name: 'TEXT_MESSAGE_MONTHLY_SPEND_LIMIT', EnforcedLimit: 1, MaxLimit: 1, Overridden: false },
      ],
    }),
  };
  return {
    signingName: 'sms-voice',
    operation: jsonOperation,
    handle: (request) => answerJson(request, '1.0', operations),
  };
};
