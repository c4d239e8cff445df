// https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
// Sent raw, because only a raw message can carry List-Unsubscribe (RFC 8058). SES takes no idempotency key: the
// notification's id is a tag, by which the status of a send in doubt is found.

import { SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { composeMail, readMailbox } from '../../core/formats/mail/mime.ts';
import { refusal, rejectAws, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

const passing: ReadonlySet<string> = new Set(['Throttling', 'ThrottlingException', 'LimitExceededException']);

const sentence = (name: string): string =>
  `SES refused the e-mail (${name}). Is the sender's domain verified, and is the account out of the SES sandbox?`;

export const ses = ({ aws, configurationSet }: SenderContext): Sender => {
  const client = new SESClient(aws);
  return {
    id: 'ses',
    provider: 'ses',
    async send(message) {
      const { from } = message;
      if (from === undefined)
        throw refusal('The e-mail has no sender. Add `from` to the front matter of email.liquid.', {
          retry: 'never',
        });
      const command = new SendRawEmailCommand({
        // The envelope takes the address alone: a name beyond ASCII is for the header.
        Source: readMailbox(from).address,
        Destinations: [message.to],
        ConfigurationSetName: configurationSet,
        RawMessage: { Data: Buffer.from(composeMail({ ...message, from })) },
        Tags: [{ Name: 'notification', Value: message.id.replaceAll('.', '_') }],
      });
      const { MessageId } = await client.send(command).catch(rejectAws(sentence, passing));
      return MessageId ?? message.id;
    },
  };
};
