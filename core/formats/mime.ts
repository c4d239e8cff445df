import { HubError } from '../errors.ts';

interface MailContent {
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  /** Where one click ends these messages. */
  readonly unsubscribe?: string;
}

// Bodies are base64, in which no line can look like a boundary.
const BOUNDARY = '=_tributary';

/**
 * An RFC 5322 message with a text and perhaps an HTML body, its lines ended by CRLF. Names and subject may hold any
 * character; a header that would break its line throws `HubError` `template-failure`. RFC 8058 makes the unsubscribe link work
 * with one click.
 */
export const composeMail = ({ from, to, subject = '', text, html, unsubscribe }: MailContent): string => {
  for (const [header, value] of Object.entries({ from, to, subject, unsubscribe }))
    if (/[\r\n]/u.test(value ?? ''))
      throw new HubError(
        'template-failure',
        `The header \`${header}\` of an e-mail would contain a line break.`,
        {
          retry: 'never',
        },
      );
  const head = [
    `From: ${mailbox(from)}`,
    `To: ${mailbox(to)}`,
    `Subject: ${encodeWords(subject)}`,
    'MIME-Version: 1.0',
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

/** `Name <address>` or an address alone; a name outside ASCII is encoded, the address stays as it is. */
const mailbox = (text: string): string => {
  const [, name, address] = /^(.*?)\s*<([^<>]*)>$/su.exec(text.trim()) ?? [];
  return name === undefined || address === undefined || name === ''
    ? text
    : `${encodeWords(name)} <${address}>`;
};

const LONGEST_WORD_BYTES = 42;

/** RFC 2047, in encoded words short enough for one folded line each; plain ASCII stays as it is. */
const encodeWords = (text: string): string => {
  if (/^[\x20-\x7e]*$/u.test(text)) return text;
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
