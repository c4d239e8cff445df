// https://core.telegram.org/bots/api#setwebhook
// Telegram signs nothing: a header repeats the word that setWebhook got as `secret_token`. The API expects the bot's
// token in the address: `authorise` adds it for the request alone, so that no message, row or log holds it.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { isOneOf } from '../../core/webhooks/signature.ts';

const TOKEN = 'x-telegram-bot-api-secret-token';

export const telegram = channel({
  id: 'telegram',
  title: 'Telegram (Bot API)',
  docs: 'https://core.telegram.org/bots/api#setwebhook',
  secrets: {
    secretToken: {
      about:
        'a word of your own, passed to setWebhook as secret_token (1 to 256 letters, digits, underscores and hyphens)',
    },
    botToken: { about: 'the token from BotFather (123456:ABC…), to store files', optional: true },
  },
  schemes: { secretToken: { covers: 'nothing', time: 'unsigned' } },
  content: {
    hosts: /^api\.telegram\.org$/u,
    authorise(url, { botToken: [token] }) {
      const [, folder = '', rest] = /^https:\/\/api\.telegram\.org\/(file\/)?(.+)$/u.exec(url) ?? [];
      return token === undefined || rest === undefined
        ? undefined
        : { url: `https://api.telegram.org/${folder}bot${token}/${rest}` };
    },
    follow(url, answer) {
      if (!/^\/bot[^/]+\/getFile$/u.test(new URL(url).pathname)) return undefined;
      const path = memberOf(memberOf(parseJson(Buffer.from(answer)), 'result'), 'file_path');
      return typeof path === 'string'
        ? `https://api.telegram.org/file/${encodeURI(path.toWellFormed())}`
        : undefined;
    },
  },
  verify(request, { secrets }) {
    const token = request.headers[TOKEN];
    if (!token) return refused(`the header ${TOKEN} is missing; call setWebhook with a secret_token`);
    return isOneOf(token, secrets.secretToken)
      ? accepted('secretToken', request)
      : refused('the secret token is not the stored one; call setWebhook again with it');
  },
});
