import type { MailHeader } from '../formats/mail/author.ts';
import { isAutomated } from '../formats/mail/automated.ts';
import {
  isDeliveryReport,
  type ReportedDelivery,
  reportedDeliveries,
} from '../formats/mail/delivery-report.ts';
import { defined } from '../formats/payload.ts';
import type { Draft, Drafts } from './channel-mapping.ts';

/** What a provider knows of a mail that it received. */
interface ReceivedMail {
  readonly headers: readonly MailHeader[];
  /** The address in From. */
  readonly from?: string | undefined;
  readonly text?: string | undefined;
  readonly attachments?: Draft['attachments'];
  /** The sender of the envelope; empty in what must not be answered. */
  readonly returnPath?: string | undefined;
  /** The form in which the provider's other events name a message, from its Message-ID. */
  readonly sentId?: (messageId: string) => string | undefined;
}

/** The same message, marked if a machine wrote it. */
export const markAutomated = <Message extends Draft>(
  message: Message,
  mail: Omit<ReceivedMail, 'sentId' | 'text' | 'attachments'>,
): Message =>
  isAutomated({ ...mail, subject: message.subject })
    ? { ...message, properties: { ...message.properties, automated: true } }
    : message;

/**
 * A received mail: a delivery report becomes what it says about the message, for each recipient; any other mail is the message,
 * marked if a machine wrote it. A report that does not name its message would make a customer of a mail server: it is ignored.
 */
export const receivedMail = (message: Draft, mail: ReceivedMail): Drafts => {
  const report = { ...mail, attachments: mail.attachments ?? [] };
  const reported = reportedDeliveries(report);
  if (reported.length > 0)
    return { interactions: reported.map((one) => reportOf(message, mail, one)), ignored: [] };
  return isDeliveryReport(report)
    ? { interactions: [], ignored: ['delivery report without its message'] }
    : { interactions: [markAutomated(message, mail)], ignored: [] };
};

/**
 * Anybody can write a mail that looks like a report: a refusal in one never closes an address, as the bounce that a provider
 * reports with its signature does.
 */
const reportOf = (
  { key, occurredAt }: Draft,
  { sentId }: ReceivedMail,
  { recipient, message, status, code, reason }: ReportedDelivery,
): Draft => {
  const id = sentId?.(message) ?? message;
  return {
    key: `${key}:${recipient}`,
    kind: 'delivery-status',
    channel: 'email',
    direction: 'outbound',
    identifiers: [`email:${recipient}`],
    externalId: id,
    refersTo: id,
    ...defined({ occurredAt }),
    properties: defined({ status, code, reason, automated: true }),
  };
};
