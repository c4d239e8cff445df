import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// The topic stands in a header, outside the signature. An app that does not answer a bad signature with 401 is not listed.

const SIGNATURE = 'x-shopify-hmac-sha256';

export const shopify = channel({
  id: 'shopify',
  title: 'Shopify',
  docs: 'https://shopify.dev/docs/apps/build/webhooks/verify-deliveries',
  secrets: {
    clientSecret: {
      about: 'the Client secret of the app, or the signing secret shown under Notifications, Webhooks',
    },
  },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.clientSecret.map((secret) => hmac('sha256', secret, 'base64', request.body));
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the Client secret');
  },
});
