// https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
// Sent raw, because only a raw message can carry List-Unsubscribe (RFC 8058). SES takes no idempotency key: the
// notification's id is a tag, by which the status of a send in doubt is found.

import { composeMail, readMailbox } from '../../core/formats/mail/mime.ts';
import { type NotNowReason, refusal, rejectAws } from '../../core/triggers/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sender-declaration.ts';
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
  build: ({ call, configurationSet }) => ({
    async quota() {
      const answer = await call.query('ses', 'GetSendQuota', {});
      const figure = (name: string, absent: number): number => {
        const text = new RegExp(`<${name}>([^<]+)</${name}>`, 'u').exec(answer)?.[1];
        return text === undefined ? absent : Number(text);
      };
      return {
        perSecond: figure('MaxSendRate', 1),
        daily: figure('Max24HourSend', -1),
        used: figure('SentLast24Hours', 0),
      };
    },
    async send(message) {
      const { from } = message;
      if (from === undefined)
        throw refusal('The e-mail has no sender. Add `from` to the front matter of email.liquid.');
      // The envelope takes the address alone: a name beyond ASCII is for the header.
      const { address } = readMailbox(from);
      const answer = await call
        .query('ses', 'SendRawEmail', {
          ...{ Source: address, 'Destinations.member.1': message.to },
          ...(configurationSet !== undefined && { ConfigurationSetName: configurationSet }),
          'RawMessage.Data': Buffer.from(composeMail({ ...message, from })).toString('base64'),
          ...{ 'Tags.member.1.Name': 'notification', 'Tags.member.1.Value': message.id.replaceAll('.', '_') },
        })
        .catch(rejectAws(sentenceFor(address), whyNotNow));
      return messageIdIn(answer) ?? message.id;
    },
  }),
};

const messageIdIn = (answer: string): string | undefined =>
  /<MessageId>([^<]+)<\/MessageId>/u.exec(answer)?.[1];
