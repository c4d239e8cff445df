import PostalMime from 'postal-mime';
import type { MailHeader } from './mail-author.ts';
import type { Mailbox } from './payload.ts';

/** The parts of an e-mail that the hub uses. An e-mail of headers alone is valid. */
export interface Mail {
  readonly messageId?: string;
  readonly inReplyTo?: string;
  /** ISO 8601; absent if the header is missing or is not a date. */
  readonly date?: string;
  readonly from?: Mailbox;
  /** Every header, from the top. */
  readonly headers: readonly MailHeader[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments: readonly {
    readonly name?: string;
    readonly contentType: string;
    readonly size: number;
    /** Base64. */
    readonly content: string;
  }[];
}

/** Shares the memory instead of copying it: a mail may have tens of megabytes. */
const asBuffer = (content: ArrayBuffer | Uint8Array): Buffer =>
  content instanceof ArrayBuffer
    ? Buffer.from(content)
    : Buffer.from(content.buffer, content.byteOffset, content.byteLength);

/** Parses an e-mail (RFC 5322, MIME). */
export const readMail = async (bytes: Uint8Array): Promise<Mail> => {
  const mail = await PostalMime.parse(bytes);
  const at = mail.date === undefined ? Number.NaN : Date.parse(mail.date);
  const from = mail.from?.address;
  return {
    ...(mail.messageId !== undefined && mail.messageId !== '' && { messageId: mail.messageId }),
    ...(mail.inReplyTo !== undefined && mail.inReplyTo !== '' && { inReplyTo: mail.inReplyTo }),
    ...(Number.isFinite(at) && { date: new Date(at).toISOString() }),
    ...(from !== undefined &&
      from !== '' && {
        from: { address: from.toLowerCase(), ...(mail.from?.name && { name: mail.from.name }) },
      }),
    ...(mail.subject !== undefined && { subject: mail.subject }),
    ...(mail.text !== undefined && { text: mail.text }),
    ...(mail.html !== undefined && { html: mail.html }),
    headers: mail.headers.map(({ key: name, value }) => ({ name, value })),
    attachments: mail.attachments.map(({ filename, mimeType, content }) => {
      const bytes = typeof content === 'string' ? Buffer.from(content) : asBuffer(content);
      return {
        contentType: mimeType,
        size: bytes.byteLength,
        content: bytes.toString('base64'),
        ...(filename !== null && { name: filename }),
      };
    }),
  };
};
