// https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
// The topic is in a header that the signature does not cover. An app that does not answer a bad signature with 401 is not listed.

import { verifySignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const shopify = channel({
  id: 'shopify',
  title: 'Shopify',
  docs: 'https://shopify.dev/docs/apps/build/webhooks/verify-deliveries',
  secrets: {
    clientSecret: {
      about: 'the Client secret of the app, or the signing secret shown under Notifications, Webhooks',
    },
  },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  verify: (request, { secrets }) =>
    verifySignature('hmac', request, {
      header: 'x-shopify-hmac-sha256',
      expected: secrets.clientSecret.map((secret) => hmac('sha256', secret, 'base64', request.body)),
      secret: 'the Client secret',
    }),
});
