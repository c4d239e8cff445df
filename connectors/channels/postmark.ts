// https://postmarkapp.com/developer/webhooks/webhooks-overview
// Postmark signs nothing: user and password are part of the address, and arrive as basic authentication.

import { basicSchemes, verifyBasic } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

export const postmark = channel({
  id: 'postmark',
  title: 'Postmark (webhooks, inbound)',
  docs: 'https://postmarkapp.com/developer/webhooks/webhooks-overview',
  secrets: {
    user: { about: 'a user name of your own, for the address of the webhook' },
    password: { about: 'a long password of your own, for the address of the webhook' },
  },
  schemes: basicSchemes,
  setup:
    'Enter the address as https://USER:PASSWORD@… for each message stream and for inbound mail. It takes mails of up to 4.4 MB with their files; receive larger ones through ses, or mailgun with store(notify).',
  verify: (request, { secrets }) => verifyBasic(request, secrets),
});
