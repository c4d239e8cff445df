// https://www.rfc-editor.org/rfc/rfc3464
// A report about one message: fields about each recipient, and the headers of the message. Some servers write it as prose only.

import { headerValues, type MailHeader } from './author.ts';
import { refusesSender } from './bounce.ts';
import { emailAddress } from './mailbox.ts';

interface ReportMail {
  readonly headers: readonly MailHeader[];
  readonly from?: string | undefined;
  readonly text?: string | undefined;
  readonly attachments: readonly {
    readonly contentType?: string | undefined;
    readonly content?: string | undefined;
  }[];
}

/** What a report says about one recipient of a message. */
export interface ReportedDelivery {
  readonly recipient: string;
  /** The Message-ID of the message, as it stands in its header. */
  readonly message: string;
  /** `bounced`: the address does not work. */
  readonly status: 'bounced' | 'failed' | 'deferred' | 'delivered';
  readonly code?: string;
  readonly reason?: string;
}

const contentOf = ({ attachments }: ReportMail, type: RegExp): string[] =>
  attachments
    .filter(({ contentType }) => type.test(contentType ?? ''))
    .map(({ content }) => Buffer.from(content ?? '', 'base64').toString());

/** A field of a block of header lines, unfolded. */
const fieldOf = (block: string, name: string): string | undefined =>
  new RegExp(String.raw`^${name}:[ \t]*((?:[^\r\n]|\r?\n[ \t])*)`, 'imu')
    .exec(block)?.[1]
    ?.replace(/\s+/gu, ' ')
    .trim();

/** `rfc822; ada@example.com` as an address. */
const typedAddress = (field: string | undefined): string | undefined =>
  emailAddress((field ?? '').replace(/^[^;]*;/u, '').trim());

/** Whether a mail is a delivery report, readable or not. */
export const isDeliveryReport = ({ headers, from, attachments }: Omit<ReportMail, 'text'>): boolean =>
  headerValues(headers, 'content-type').some((type) => /report-type="?delivery-status/iu.test(type)) ||
  attachments.some(({ contentType }) => /^message\/delivery-status/iu.test(contentType ?? '')) ||
  (/^(?:mailer-daemon|postmaster)@/iu.test(from ?? '') &&
    headerValues(headers, 'x-failed-recipients').length > 0);

/** What a delivery report says; empty where it does not name the message and its recipients. */
export const reportedDeliveries = (mail: ReportMail): ReportedDelivery[] => {
  if (!isDeliveryReport(mail)) return [];
  const originals = contentOf(mail, /^(?:text\/rfc822-headers|message\/rfc822)/iu);
  const message = [...originals, mail.text ?? '']
    .map((text) => fieldOf(text, 'Message-ID'))
    .concat(headerValues(mail.headers, 'in-reply-to'))
    .find((id) => id?.includes('@'));
  if (message === undefined) return [];
  const blocks = contentOf(mail, /^message\/delivery-status/iu).flatMap((text) => text.split(/\r?\n\r?\n/u));
  const fields = blocks.flatMap((block) => deliveryOf(block, message) ?? []);
  if (fields.length > 0) return fields;
  const failed = headerValues(mail.headers, 'x-failed-recipients').flatMap((list) => list.split(','));
  return failed.flatMap((one) => {
    const recipient = emailAddress(one);
    return recipient === undefined ? [] : [{ recipient, message, status: 'failed' }];
  });
};

const deliveryOf = (block: string, message: string): ReportedDelivery | undefined => {
  const recipient =
    typedAddress(fieldOf(block, 'Original-Recipient')) ?? typedAddress(fieldOf(block, 'Final-Recipient'));
  const action = fieldOf(block, 'Action')?.toLowerCase();
  if (recipient === undefined || action === undefined) return undefined;
  const [code, reason] = [fieldOf(block, 'Status'), fieldOf(block, 'Diagnostic-Code')];
  const details = { recipient, message, ...(code && { code }), ...(reason && { reason }) };
  if (action === 'delayed') return { ...details, status: 'deferred' };
  if (action !== 'failed') return { ...details, status: 'delivered' };
  const isHard = code?.startsWith('5') === true && !refusesSender(code, reason);
  return { ...details, status: isHard ? 'bounced' : 'failed' };
};
