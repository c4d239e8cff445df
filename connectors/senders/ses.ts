import { randomBytes } from 'node:crypto';
import { SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses';
import { HubError } from '../../core/errors.ts';
import type { Sender } from '../../core/sender.ts';
import type { SenderSurroundings } from './index.ts';

// Sent raw, because only so can a message carry List-Unsubscribe (RFC 8058). SES takes no idempotency key: the
// notification's id travels as a tag, and its status tells a send in doubt.

const DEFAULT_FROM = 'no-reply@example.com';
const permanent: ReadonlySet<string> = new Set([
  'MessageRejected',
  'MailFromDomainNotVerifiedException',
  'InvalidParameterValue',
  'ConfigurationSetDoesNotExist',
]);

export const ses = ({ aws }: SenderSurroundings): Sender => {
  const client = new SESClient(aws);
  return {
    id: 'ses',
    provider: 'ses',
    async send(message) {
      const from = message.from ?? DEFAULT_FROM;
      const unsubscribe =
        message.unsubscribe === undefined
          ? []
          : [
              `List-Unsubscribe: <${message.unsubscribe}>`,
              'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
            ];
      const boundary = `tributary-${randomBytes(12).toString('hex')}`;
      const part = (type: string, text: string): string =>
        `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(text)}\r\n`;
      const html = message.html === undefined ? '' : part('text/html', message.html);
      const head = [
        `From: ${from}`,
        `To: ${message.to}`,
        `Subject: ${encodedWords(message.subject ?? '')}`,
        'MIME-Version: 1.0',
        `Content-Type: multipart/alternative; boundary="${boundary}"`,
        `X-Notification-Id: ${message.id}`,
        ...unsubscribe,
      ];
      if (head.some((line) => /[\r\n]/u.test(line)))
        throw new HubError('header-injection', 'A header of the e-mail would contain a line break.', {
          retry: 'never',
        });
      const raw = `${head.join('\r\n')}\r\n\r\n${part('text/plain', message.text)}${html}--${boundary}--\r\n`;
      try {
        const { MessageId } = await client.send(
          new SendRawEmailCommand({
            Source: from,
            Destinations: [message.to],
            RawMessage: { Data: Buffer.from(raw) },
            Tags: [{ Name: 'notification', Value: message.id.replace(/[^\w-]/gu, '_') }],
          }),
        );
        return MessageId ?? message.id;
      } catch (error) {
        const name = error instanceof Error ? error.name : '';
        throw new HubError(
          'ses-refused',
          `SES refused the e-mail (${name}). Is the sender's domain verified, and is the account out of the SES sandbox?`,
          { retry: permanent.has(name) ? 'never' : 'later', cause: error },
        );
      }
    },
  };
};

const base64Lines = (text: string): string =>
  Buffer.from(text).toString('base64').replace(/.{76}/gu, '$&\r\n');

/** RFC 2047, in words short enough for one line each; plain ASCII stays as it is. */
const encodedWords = (text: string): string => {
  if (/^[\x20-\x7e]*$/u.test(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`).join(' ');
};
