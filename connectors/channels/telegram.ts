import { accepted, channel, refused } from '../../core/channel.ts';
import { sameAsAny } from '../../core/signature.ts';

// Telegram signs nothing: it repeats, in a header, the word that was given to setWebhook as `secret_token`.

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
  },
  verify(request, { secrets }) {
    const given = request.headers[TOKEN];
    if (given === undefined) return refused(`the header ${TOKEN} is missing; give setWebhook a secret_token`);
    return sameAsAny(given, secrets.secretToken)
      ? accepted(request)
      : refused('the secret token is not the stored one; call setWebhook again with it');
  },
});
