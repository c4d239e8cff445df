// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
// AWS refuses a number that texted STOP to it with a ConflictException, whatever consent the hub has recorded.

import * as z from 'zod';
import { type NotNowReason, rejectAws } from '../../core/triggers/sending/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import type { SenderContext } from './context.ts';

/** A quota of this API is the spend limit of the month. */
const whyNotNow = (name: string): NotNowReason | undefined =>
  (({ ThrottlingException: 'rate', ServiceQuotaExceededException: 'account' }) as const)[name];

const Answer = z.looseObject({ MessageId: z.string().optional() });

const sentence = (name: string): string =>
  `AWS End User Messaging refused the SMS (${name}). Look up the spend limit and the sandbox in the console of End User Messaging; an opted-out number must text START.`;

export const awsSms: SenderDeclaration<SenderContext> = {
  id: 'aws-sms',
  title: 'AWS End User Messaging (SMS)',
  docs: 'https://docs.aws.amazon.com/sms-voice/latest/userguide/send-sms-message.html',
  provider: 'aws-sms',
  channels: ['sms'],
  secrets: {},
  // https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-mps.html: the least, that of a toll-free number.
  usual: { rate: { count: 3, windowMs: 1000 } },
  build: ({ call }) => ({
    async send(message) {
      const answer = await call
        .json('sms-voice', 'SendTextMessage', {
          DestinationPhoneNumber: message.to,
          MessageBody: message.text,
          MessageType: message.category === 'marketing' ? 'PROMOTIONAL' : 'TRANSACTIONAL',
          Context: { notification: message.id },
        })
        .catch(rejectAws(sentence, whyNotNow));
      return Answer.parse(answer).MessageId ?? message.id;
    },
  }),
};
