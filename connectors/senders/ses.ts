// https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
// Sent raw, because only a raw message can carry List-Unsubscribe (RFC 8058). SES takes no idempotency key: the
// notification's id is a tag, by which the status of a send in doubt is found.

import { GetSendQuotaCommand, SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { composeMail, readMailbox } from '../../core/formats/mail/mime.ts';
import { type NotNowReason, refusal, rejectAws } from '../../core/triggers/sending/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import type { SenderContext } from './context.ts';

/** https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html: one name, and the message says which quota. */
const whyNotNow = (name: string, message: string): NotNowReason | undefined => {
  if (name === 'AccountSendingPausedException') return 'account';
  if (!/^(?:Throttling|ThrottlingException|LimitExceededException)$/u.test(name)) return undefined;
  return /daily/iu.test(message) ? 'account' : 'rate';
};

/** SES names every identity that is not verified; in its sandbox recipients are among them, and those are not repeated. */
const sentenceFor =
  (sender: string) =>
  (name: string, message: string): string => {
    if (whyNotNow(name, message) !== undefined)
      return `SES does not take e-mails of this account for now (${message}). They wait, and are sent as the account allows. \`hub doctor\` shows its quota; AWS raises it on request.`;
    if (name.startsWith('AccessDenied'))
      return `SES refused the e-mail (${name}): the hub may send from the domains of \`alarms\` and of the templates in mappings/templates alone, and ${sender} was not among them at the last deployment. Deploy with a template that names it.`;
    return message.includes('not verified') && message.includes(sender)
      ? `SES refused the e-mail (${name}): its sender ${sender} is not verified in this region. Verify its domain in SES, or name a verified one as \`from\` in the front matter of email.liquid.`
      : `SES refused the e-mail (${name}). Is the account out of the SES sandbox?`;
  };

export const ses: SenderDeclaration<SenderContext> = {
  id: 'ses',
  title: 'Amazon SES',
  docs: 'https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html',
  provider: 'ses',
  channels: ['email'],
  secrets: {},
  build({ aws, configurationSet, timeLimit }) {
    const client = new SESClient(aws);
    return {
      async quota() {
        const answer = await client.send(new GetSendQuotaCommand({}), { abortSignal: timeLimit() });
        const { MaxSendRate: perSecond = 1, Max24HourSend: daily = -1, SentLast24Hours: used = 0 } = answer;
        return { perSecond, daily, used };
      },
      async send(message) {
        const { from } = message;
        if (from === undefined)
          throw refusal('The e-mail has no sender. Add `from` to the front matter of email.liquid.');
        // The envelope takes the address alone: a name beyond ASCII is for the header.
        const { address } = readMailbox(from);
        const command = new SendRawEmailCommand({
          Source: address,
          Destinations: [message.to],
          ConfigurationSetName: configurationSet,
          RawMessage: { Data: Buffer.from(composeMail({ ...message, from })) },
          Tags: [{ Name: 'notification', Value: message.id.replaceAll('.', '_') }],
        });
        const { MessageId } = await client
          .send(command, { abortSignal: timeLimit() })
          .catch(rejectAws(sentenceFor(address), whyNotNow));
        return MessageId ?? message.id;
      },
    };
  },
};
