// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
// AWS refuses a number that texted STOP to it with a ConflictException, whatever consent the hub has recorded.

import * as z from 'zod';
import { rejectAws, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

const passing: ReadonlySet<string> = new Set(['ThrottlingException', 'ServiceQuotaExceededException']);

const Answer = z.looseObject({ MessageId: z.string().optional() });

const sentence = (name: string): string =>
  `AWS End User Messaging refused the SMS (${name}). Look up the spend limit and the sandbox in the console of End User Messaging; an opted-out number must text START.`;

export const awsSms = ({ call }: SenderContext): Sender => ({
  id: 'aws-sms',
  provider: 'aws-sms',
  async send(message) {
    const answer = await call
      .json('sms-voice', 'SendTextMessage', {
        DestinationPhoneNumber: message.to,
        MessageBody: message.text,
        MessageType: message.category === 'marketing' ? 'PROMOTIONAL' : 'TRANSACTIONAL',
        Context: { notification: message.id },
      })
      .catch(rejectAws(sentence, passing));
    return Answer.parse(answer).MessageId ?? message.id;
  },
});
