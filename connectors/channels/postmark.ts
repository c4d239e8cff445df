import { judgeBasic } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

// Postmark signs nothing: user and password stand in the address, and come as basic authentication.

export const postmark = channel({
  id: 'postmark',
  title: 'Postmark (webhooks, inbound)',
  docs: 'https://postmarkapp.com/developer/webhooks/webhooks-overview',
  secrets: {
    user: { about: 'a user name of your own, for the address of the webhook' },
    password: { about: 'a long password of your own, for the address of the webhook' },
  },
  setup:
    'Enter the address as https://USER:PASSWORD@… for each message stream and for inbound mail. Mails of up to 4.4 MB with their files come in this way; larger ones through ses, or mailgun with store(notify).',
  verify: (request, { secrets }) => judgeBasic(request, secrets),
});
