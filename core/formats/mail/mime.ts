import { HubError } from '../../errors.ts';
import { asciiDomain } from './mailbox.ts';

interface MailContent {
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  /** The URL that unsubscribes with one click. */
  readonly unsubscribe?: string;
}

// Bodies are base64, so no line of a body can equal the boundary.
const BOUNDARY = '=_tributary';

/**
 * Composes an RFC 5322 message with a text body and optionally an HTML body; lines end with CRLF. Names and subject may
 * contain any character. The unsubscribe headers follow RFC 8058 (one click); RFC 3834 and Microsoft's header suppress
 * automatic replies. Throws `HubError` `template-failure` for a control character in a header, and for an invalid address.
 */
export const composeMail = ({ from, to, subject = '', text, html, unsubscribe }: MailContent): string => {
  for (const [header, value] of Object.entries({ from, to, subject, unsubscribe }))
    if (/[\p{Cc}]/u.test(value ?? ''))
      throw templateFailure(
        `The header \`${header}\` of an e-mail would contain a line break or another control character.`,
      );
  const head = [
    `From: ${mailboxHeader(from)}`,
    `To: ${mailboxHeader(to)}`,
    `Subject: ${headerText(subject)}`,
    'MIME-Version: 1.0',
    'Auto-Submitted: auto-generated',
    'X-Auto-Response-Suppress: All',
    ...(unsubscribe === undefined
      ? []
      : [`List-Unsubscribe: <${unsubscribe}>`, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click']),
    `Content-Type: multipart/alternative; boundary="${BOUNDARY}"`,
  ];
  const parts = [part('text/plain', text), ...(html === undefined ? [] : [part('text/html', html)])];
  return `${head.join('\r\n')}\r\n\r\n${parts.join('')}--${BOUNDARY}--\r\n`;
};

const part = (type: string, content: string): string =>
  [
    `--${BOUNDARY}`,
    `Content-Type: ${type}; charset=utf-8`,
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(content)
      .toString('base64')
      .replace(/.{76}(?=.)/gu, '$&\r\n'),
    '',
  ].join('\r\n');

const templateFailure = (message: string): HubError =>
  new HubError('template-failure', message, { retry: 'never' });

/** RFC 5321 in ASCII: SES and most servers take no other local part. */
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/u;

/**
 * One mailbox, as people write it: `Name <address>` with or without quotes around the name, or an address alone. The
 * domain becomes ASCII (IDNA). Throws `HubError` `template-failure` where it is none, or more than one.
 */
export const readMailbox = (text: string): { readonly name: string; readonly address: string } => {
  const whole = text.trim();
  const bracket = whole.endsWith('>') ? whole.lastIndexOf('<') : -1;
  const before = whole.slice(0, Math.max(bracket, 0)).trim();
  const bare = (bracket < 0 ? whole : whole.slice(bracket + 1, -1)).trim();
  const at = bare.lastIndexOf('@');
  const local = bare.slice(0, Math.max(at, 0));
  const domain = asciiDomain(bare.slice(at + 1));
  if (domain === undefined || !LOCAL_PART.test(local))
    throw templateFailure(
      `An e-mail needs one mailbox such as \`Acme, Inc. <hello@acme.example>\`, with an address in ASCII before the @.`,
    );
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/su.exec(before) ?? [];
  return { name: quoted?.replace(/\\(.)/gsu, '$1') ?? before, address: `${local}@${domain}` };
};

/** A mailbox as a header writes it: a name beyond ASCII encoded, one with special characters in quotes. */
const mailboxHeader = (text: string): string => {
  const { name, address } = readMailbox(text);
  if (name === '') return address;
  const isPlain = /^[\x20-\x7e]*$/u.test(name) && !name.includes('=?') && name.length <= LONGEST_LINE;
  if (!isPlain) return `${encodeWords(name)} <${address}>`;
  const isPhrase = /^[\w!#$%&'*+/=?^`{|}~ -]+$/u.test(name);
  return `${isPhrase ? name : `"${name.replace(/["\\]/gu, '\\$&')}"`} <${address}>`;
};

const LONGEST_LINE = 60;

/** Unstructured text: as it is where it is short ASCII that no reader decodes, else in encoded words. */
const headerText = (text: string): string =>
  /^[\x20-\x7e]*$/u.test(text) && !text.includes('=?') && text.length <= LONGEST_LINE
    ? text
    : encodeWords(text);

const LONGEST_WORD_BYTES = 42;

/** RFC 2047, in encoded words short enough for one folded line each, cut between characters. */
const encodeWords = (text: string): string => {
  const all: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > LONGEST_WORD_BYTES) {
      all.push(word);
      word = '';
    }
    word += character;
  }
  return [...all, word].map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
};
