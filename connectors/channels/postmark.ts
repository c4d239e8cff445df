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
  verify: (request, { secrets }) => verifyBasic(request, secrets),
});
