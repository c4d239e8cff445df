import { SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { composeMail } from '../../core/formats/mime.ts';
import { awsFault, refusal, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

// https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
// Sent raw, because only so can a message carry List-Unsubscribe (RFC 8058). SES takes no idempotency key: the
// notification's id travels as a tag, and its status tells a send in doubt.

const passing: ReadonlySet<string> = new Set(['Throttling', 'ThrottlingException', 'LimitExceededException']);

export const ses = ({ aws, configurationSet }: SenderContext): Sender => {
  const client = new SESClient(aws);
  return {
    id: 'ses',
    provider: 'ses',
    async send(message) {
      const { from } = message;
      if (from === undefined)
        throw refusal('The e-mail has no sender. Give `from` in the front matter of email.liquid.', {
          retry: 'never',
        });
      const mail = composeMail({ ...message, from });
      try {
        const { MessageId } = await client.send(
          new SendRawEmailCommand({
            Source: from,
            Destinations: [message.to],
            ConfigurationSetName: configurationSet,
            RawMessage: { Data: Buffer.from(mail) },
            Tags: [{ Name: 'notification', Value: message.id.replaceAll('.', '_') }],
          }),
        );
        return MessageId ?? message.id;
      } catch (error) {
        const { name, answered } = awsFault(error);
        if (!answered) throw error;
        throw refusal(
          `SES refused the e-mail (${name}). Is the sender's domain verified, and is the account out of the SES sandbox?`,
          { retry: passing.has(name) ? 'later' : 'never', cause: error },
        );
      }
    },
  };
};
