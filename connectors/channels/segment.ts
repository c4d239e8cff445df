// https://segment.com/docs/connections/destinations/catalog/webhooks/
// The destination signs only if it has a Shared Secret; without one its requests are refused here.

import { verifySignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const segment = channel({
  id: 'segment',
  title: 'Segment (webhook destination)',
  docs: 'https://segment.com/docs/connections/destinations/catalog/webhooks/',
  secrets: { sharedSecret: { about: 'the Shared Secret of the webhook destination' } },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  verify: (request, { secrets }) =>
    verifySignature('hmac', request, {
      header: 'x-signature',
      expected: secrets.sharedSecret.map((secret) => hmac('sha1', secret, 'hex', request.body)),
      secret: 'the Shared Secret',
    }),
});
