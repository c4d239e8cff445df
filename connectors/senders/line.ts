// https://developers.line.biz/en/reference/messaging-api/#send-push-message
// X-Line-Retry-Key makes a repeated request within 24 hours safe: LINE answers 409 with the ids of the message that it has
// accepted. A message to somebody who has blocked the account is accepted, and not delivered.

import * as z from 'zod';
import { memberOf } from '../../core/formats/payload.ts';
import { httpSender, type VendorErrors } from '../../core/triggers/sending/http-sender.ts';
import { sha256Hex } from '../../core/webhooks/signature.ts';

const API = 'https://api.line.me/v2/bot';
const Sent = z.looseObject({ sentMessages: z.array(z.looseObject({ id: z.string() })).default([]) });
const Bot = z.looseObject({ displayName: z.string(), basicId: z.string() });

/** https://developers.line.biz/en/reference/messaging-api/#error-messages */
const errors: readonly VendorErrors[] = [
  {
    means: 'account',
    codes: ['You have reached your monthly limit.', 'Access to this API is not available for your account'],
    advice: 'Change the plan in the LINE Official Account Manager, or wait for the next month.',
  },
  {
    means: 'never',
    codes: [
      'Failed to send messages',
      "The property, 'to', in the request body is invalid (line: -, column: -)",
    ],
    advice: 'The person is unknown to this account: only its friends get its messages.',
  },
];

/** Hexadecimal digits in the form of a UUID: the same for the same notification. */
const retryKey = (notification: string): string =>
  sha256Hex(notification).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5');

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export const line = httpSender({
  id: 'line',
  title: 'LINE (Messaging API)',
  docs: 'https://developers.line.biz/en/reference/messaging-api/#send-push-message',
  provider: 'line',
  channels: ['line'],
  vendor: 'LINE',
  secrets: {
    accessToken: { about: 'a long-lived channel access token (Messaging API settings)' },
  },
  // https://developers.line.biz/en/reference/messaging-api/#rate-limits
  usual: { rate: { count: 2000, windowMs: 1000 } },
  codeOf: ({ body }) => z.string().optional().catch(undefined).parse(memberOf(body, 'message')),
  errors,
  accepts: ({ status, headers }) =>
    status === 200 || (status === 409 && headers.has('x-line-accepted-request-id')),
  async send(message, { secret: { accessToken }, request }) {
    const json = { to: message.to, messages: [{ type: 'text', text: message.text }] };
    const headers = { ...bearer(accessToken), 'x-line-retry-key': retryKey(message.id) };
    const { body } = await request({ url: `${API}/message/push`, headers, json }, Sent);
    return body.sentMessages[0]?.id ?? message.id;
  },
  async check({ secret: { accessToken }, request }) {
    const { body } = await request({ url: `${API}/info`, headers: bearer(accessToken) }, Bot);
    return `the account ${body.displayName} (${body.basicId})`;
  },
});
