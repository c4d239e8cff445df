// https://developers.intercom.com/docs/references/webhooks/webhook-models
// Saving the address in the developer hub sends HEAD to it. An answer of 410 would end the subscription.

import { verifySignature } from '../../core/webhooks/authentication.ts';
import { answered, channel } from '../../core/webhooks/channel.ts';
import { hmac } from '../../core/webhooks/signature.ts';

export const intercom = channel({
  id: 'intercom',
  title: 'Intercom',
  docs: 'https://developers.intercom.com/docs/references/webhooks/webhook-models',
  secrets: {
    clientSecret: { about: 'the Client secret of the app (Basic information)' },
  },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  methods: ['HEAD'],
  content: {
    // The addresses of files are signed and expire.
    hosts:
      /^(?:[a-z0-9-]+\.)*(?:intercomcdn\.(?:com|eu)|intercom-attachments(?:-\d+)?\.com|intercomusercontent\.com)$/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    if (request.method === 'HEAD') return answered('open', { status: 200 });
    return verifySignature('hmac', request, {
      header: 'x-hub-signature',
      expected: secrets.clientSecret.map((secret) => `sha1=${hmac('sha1', secret, 'hex', request.body)}`),
      secret: 'the Client secret',
    });
  },
});
