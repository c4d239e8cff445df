import { parseJson } from '../../core/formats/payload.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { sameAsAny } from '../../core/webhooks/signature.ts';

// Telegram signs nothing: it repeats, in a header, the word that was given to setWebhook as `secret_token`. The API wants
// the bot's token in the address: it is put in when a file is asked for, and stands in no message, row or log.

const TOKEN = 'x-telegram-bot-api-secret-token';

export const telegram = channel({
  id: 'telegram',
  title: 'Telegram (Bot API)',
  docs: 'https://core.telegram.org/bots/api#setwebhook',
  secrets: {
    secretToken: {
      about:
        'a word of your own, given to setWebhook as secret_token (1 to 256 letters, digits, underscores and hyphens)',
    },
    botToken: { about: 'the token that BotFather gave (123456:ABC…), to keep files', optional: true },
  },
  content: {
    hosts: /api\.telegram\.org/u,
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
    const given = request.headers[TOKEN];
    if (given === undefined) return refused(`the header ${TOKEN} is missing; give setWebhook a secret_token`);
    return sameAsAny(given, secrets.secretToken)
      ? accepted(request)
      : refused('the secret token is not the stored one; call setWebhook again with it');
  },
});

const memberOf = (read: unknown, name: string): unknown =>
  typeof read === 'object' && read !== null ? Reflect.get(read, name) : undefined;
