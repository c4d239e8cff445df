import { accepted, channel, refused } from '../../core/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/signature.ts';

// Several v1 stand there while a secret is rolled. v0 is for test tools and proves nothing.

const SIGNATURE = 'stripe-signature';
const TOLERANCE_SECONDS = 300;

export const stripe = channel({
  id: 'stripe',
  title: 'Stripe',
  docs: 'https://docs.stripe.com/webhooks#verify-manually',
  secrets: { signingSecret: { about: 'the signing secret of the endpoint (whsec_…)' } },
  verify(request, { secrets, now }) {
    const header = request.headers[SIGNATURE];
    if (header === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const parts = header.split(',').map((part) => part.trim());
    const timestamp = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
    const given = parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3));
    const expected = secrets.signingSecret.map((secret) =>
      hmac('sha256', secret, 'hex', `${timestamp}.`, request.body),
    );
    if (!given.map((one) => sameAsAny(one, expected)).includes(true))
      return refused('no v1 signature matches; check the signing secret');
    return isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request is stale');
  },
});
