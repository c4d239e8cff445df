// https://core.telegram.org/bots/api#sendmessage
// The token is part of the address. A bot can write only to people who have started it; the id of a message counts within its
// chat. Errors have no codes but descriptions. There is no idempotency key.

import * as z from 'zod';
import { memberOf } from '../../core/formats/payload.ts';
import { httpSender, type VendorErrors } from '../../core/triggers/sending/http-sender.ts';

const Id = z.union([z.string(), z.number()]);
const Sent = z.looseObject({
  result: z.looseObject({ message_id: Id, chat: z.looseObject({ id: Id }) }),
});
const Bot = z.looseObject({ result: z.looseObject({ username: z.string() }) });

const errors: readonly VendorErrors[] = [
  // A token that is none makes an address that does not exist.
  { means: 'account', codes: ['Unauthorized', 'Not Found'] },
  {
    means: 'never',
    codes: [
      'Forbidden: bot was blocked by the user',
      'Forbidden: user is deactivated',
      "Forbidden: bot can't initiate conversation with a user",
      'Bad Request: chat not found',
    ],
    advice: 'The person has stopped or never started the bot, or is gone.',
  },
];

export const telegram = httpSender({
  id: 'telegram',
  title: 'Telegram (Bot API)',
  docs: 'https://core.telegram.org/bots/api#sendmessage',
  provider: 'telegram',
  channels: ['telegram'],
  vendor: 'Telegram',
  secrets: { botToken: { about: 'the token from BotFather (123456:ABC…)' } },
  // https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
  usual: { rate: { count: 30, windowMs: 1000 } },
  codeOf: ({ body }) => z.string().optional().catch(undefined).parse(memberOf(body, 'description')),
  errors,
  retryAfterOf: ({ body }) =>
    z
      .number()
      .optional()
      .catch(undefined)
      .parse(memberOf(memberOf(body, 'parameters'), 'retry_after')),
  async send(message, { secret: { botToken }, request }) {
    const json = {
      chat_id: message.to,
      text: message.text,
      link_preview_options: { is_disabled: true },
    };
    const url = `https://api.telegram.org/bot${encodeURI(botToken)}/sendMessage`;
    const { message_id, chat } = (await request({ url, json }, Sent)).body.result;
    return `${chat.id}:${message_id}`;
  },
  async check({ secret: { botToken }, request }) {
    const url = `https://api.telegram.org/bot${encodeURI(botToken)}/getMe`;
    return `the bot @${(await request({ url }, Bot)).body.result.username}`;
  },
});
