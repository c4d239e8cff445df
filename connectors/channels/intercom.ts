import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// Saving the address in the developer hub calls it with HEAD. An answer of 410 would end the subscription.

const SIGNATURE = 'x-hub-signature';

export const intercom = channel({
  id: 'intercom',
  title: 'Intercom',
  docs: 'https://developers.intercom.com/docs/references/webhooks/webhook-models',
  secrets: {
    clientSecret: { about: 'the Client secret of the app (Basic information)' },
  },
  methods: ['HEAD'],
  content: {
    // The addresses of files are signed and end.
    hosts:
      /(?:[a-z0-9-]+\.)*(?:intercomcdn\.(?:com|eu)|intercom-attachments(?:-\d+)?\.com|intercomusercontent\.com)/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    if (request.method === 'HEAD') return answered({ status: 200 });
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.clientSecret.map(
      (secret) => `sha1=${hmac('sha1', secret, 'hex', request.body)}`,
    );
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the Client secret');
  },
});
