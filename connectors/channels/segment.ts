import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// The destination signs only where a shared secret is typed in; without one it is refused here.

const SIGNATURE = 'x-signature';

export const segment = channel({
  id: 'segment',
  title: 'Segment (webhook destination)',
  docs: 'https://segment.com/docs/connections/destinations/catalog/webhooks/',
  secrets: { sharedSecret: { about: 'the Shared Secret of the webhook destination' } },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing; type in a Shared Secret`);
    const expected = secrets.sharedSecret.map((secret) => hmac('sha1', secret, 'hex', request.body));
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the Shared Secret');
  },
});
