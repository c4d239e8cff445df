import { accepted, channel, refused } from '../../core/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/signature.ts';

// Calendly signs each try anew and its own samples allow three minutes.

const SIGNATURE = 'calendly-webhook-signature';
const TOLERANCE_SECONDS = 180;

export const calendly = channel({
  id: 'calendly',
  title: 'Calendly',
  docs: 'https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures',
  secrets: { signingKey: { about: 'the signing key given when the webhook subscription was made' } },
  verify(request, { secrets, now }) {
    const header = request.headers[SIGNATURE];
    if (header === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const parts = header.split(',').map((part) => part.trim());
    const timestamp = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
    const given = parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3));
    const expected = secrets.signingKey.map((secret) =>
      hmac('sha256', secret, 'hex', `${timestamp}.`, request.body),
    );
    if (!given.map((one) => sameAsAny(one, expected)).includes(true))
      return refused('no v1 signature matches; check the signing key');
    return isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request is stale');
  },
});
