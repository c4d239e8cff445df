// https://www.typeform.com/developers/webhooks/secure-your-webhooks/
// The signature is in base64 behind `sha256=`, where most other vendors have hex.

import { verifySignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const typeform = channel({
  id: 'typeform',
  title: 'Typeform',
  docs: 'https://www.typeform.com/developers/webhooks/secure-your-webhooks/',
  secrets: { secret: { about: 'the secret typed into the webhook of the form' } },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  verify: (request, { secrets }) =>
    verifySignature('hmac', request, {
      header: 'typeform-signature',
      expected: secrets.secret.map((secret) => `sha256=${hmac('sha256', secret, 'base64', request.body)}`),
      secret: 'the secret of the webhook',
    }),
});
