import { isUtf8 } from 'node:buffer';
import PostalMime from 'postal-mime';
import { charsetOf, decodeText } from '../charset.ts';
import { readTime } from '../payload.ts';
import { headerValues, type MailHeader } from './author.ts';
import { type Mailbox, parseMailboxes } from './mailboxes.ts';

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

const CONTENT_TYPE = /^(content-type:)((?:[^\r\n]|\r?\n[ \t])*)/gimu;
const CHARSET = /(;\s*charset\s*=\s*)("[^"\r\n]*"|[^;\s]+)/iu;

/** The bytes of a mail as Latin-1 text; its headers in UTF-8, where they hold bytes of another charset. */
const withUtf8Head = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString('latin1');
  const end = /\r?\n\r?\n/u.exec(text)?.index ?? text.length;
  const head = bytes.subarray(0, end);
  if (isUtf8(head)) return text;
  const [, , label] = CHARSET.exec(text.slice(0, end)) ?? [];
  return Buffer.from(decodeText(head, label)).toString('latin1') + text.slice(end);
};

/**
 * The same mail with the charsets of its text parts under their standard names. `fallback`: the charset of parts that name none,
 * or UTF-8, although they are not.
 */
const withCharsets = (bytes: Uint8Array, fallback?: string): Uint8Array => {
  const canonical = withUtf8Head(bytes).replace(
    CONTENT_TYPE,
    (whole: string, name: string, value: string) => {
      const [, label] = CHARSET.exec(value)?.slice(1) ?? [];
      if (label === undefined) {
        const isText = /^\s*text\//iu.test(value);
        return fallback !== undefined && isText ? `${name}${value}; charset=${fallback}` : whole;
      }
      const charset = charsetOf(label) ?? 'utf-8';
      const used = charset === 'utf-8' && fallback !== undefined ? fallback : charset;
      return `${name}${value.replace(CHARSET, (_, before: string) => `${before}${used}`)}`;
    },
  );
  const isBare = fallback !== undefined && !/^(?:[^\r\n]+\r?\n)*?content-type:/iu.test(canonical);
  return Buffer.from(
    isBare ? `Content-Type: text/plain; charset=${fallback}\r\n${canonical}` : canonical,
    'latin1',
  );
};

/** Whether a text was read in the wrong charset. */
const isBroken = (text: string | undefined): boolean => text?.includes('\ufffd') === true;

/** Reads the mail again in windows-1252 where its text is not the UTF-8 that it should be. */
const parsed = async (bytes: Uint8Array): Promise<Awaited<ReturnType<typeof PostalMime.parse>>> => {
  const mail = await PostalMime.parse(withCharsets(bytes));
  if (![mail.text, mail.html].some(isBroken)) return mail;
  const { text, html } = await PostalMime.parse(withCharsets(bytes, 'windows-1252'));
  return {
    ...mail,
    ...(isBroken(mail.text) && text !== undefined && { text }),
    ...(isBroken(mail.html) && html !== undefined && { html }),
  };
};

/** Parses an e-mail (RFC 5322, MIME). */
export const readMail = async (bytes: Uint8Array): Promise<Mail> => {
  const mail = await parsed(bytes);
  const headers = mail.headers.map(({ key: name, value }) => ({ name, value }));
  const date = readTime(headerValues(headers, 'date')[0]) ?? readTime(mail.date);
  const [from] = parseMailboxes(headerValues(headers, 'from')[0] ?? '');
  return {
    ...(mail.messageId !== undefined && mail.messageId !== '' && { messageId: mail.messageId }),
    ...(mail.inReplyTo !== undefined && mail.inReplyTo !== '' && { inReplyTo: mail.inReplyTo }),
    ...(date !== undefined && { date }),
    ...(from !== undefined && { from }),
    ...(mail.subject !== undefined && { subject: mail.subject }),
    ...(mail.text !== undefined && { text: mail.text }),
    ...(mail.html !== undefined && { html: mail.html }),
    headers,
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
