import * as z from 'zod';
import { awsFault, refusal, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
// A number that texted STOP to AWS is refused with a ConflictException whatever the hub knows of it.

const passing: ReadonlySet<string> = new Set(['ThrottlingException', 'ServiceQuotaExceededException']);

const Answer = z.looseObject({ MessageId: z.string().optional() });

export const awsSms = ({ call }: SenderContext): Sender => ({
  id: 'aws-sms',
  provider: 'aws-sms',
  async send(message) {
    try {
      const answer = await call.json('sms-voice', 'SendTextMessage', {
        DestinationPhoneNumber: message.to,
        MessageBody: message.text,
        MessageType: message.category === 'marketing' ? 'PROMOTIONAL' : 'TRANSACTIONAL',
        Context: { notification: message.id },
      });
      return Answer.parse(answer).MessageId ?? message.id;
    } catch (error) {
      const { name, answered } = awsFault(error);
      if (!answered) throw error;
      throw refusal(
        `AWS End User Messaging refused the SMS (${name}). The console of End User Messaging shows the spend limit and the sandbox; an opted-out number must text START.`,
        { retry: passing.has(name) ? 'later' : 'never', cause: error },
      );
    }
  },
});
