import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { digest, hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// What is signed is the time, the address and the digest of the body as bytes, not as hex.

const SIGNATURE = 'messagebird-signature';
const TIMESTAMP = 'messagebird-request-timestamp';
/** Bird tries "for a period of 8 hours"; an hour is for the clocks. */
const TOLERANCE_SECONDS = 9 * 3600;

export const bird = channel({
  id: 'bird',
  title: 'Bird (Channels)',
  docs: 'https://docs.bird.com/api/notifications-api/api-reference/webhooks',
  secrets: {
    signingKey: { about: 'the signing key that the webhook subscription was made with' },
    accessKey: {
      about: 'an access key that may read messages of the workspace, to keep files',
      optional: true,
    },
  },
  content: {
    // The key opens a redirect to a signed address, which would refuse the key and ends after a quarter of an hour.
    hosts:
      /media\.api\.bird\.com|media\.nest\.messagebird\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com/u,
    authorise(url, { accessKey: [key] }) {
      const { hostname, searchParams } = new URL(url);
      if (hostname.endsWith('.amazonaws.com') || searchParams.has('X-Amz-Signature')) return { url };
      return key === undefined ? undefined : { url, headers: { authorization: `AccessKey ${key}` } };
    },
  },
  verify(request, { secrets, now }) {
    const [given, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (!given || !timestamp) return refused(`the header ${given ? TIMESTAMP : SIGNATURE} is missing`);
    const body = digest('sha256', request.body);
    const expected = secrets.signingKey.map((key) =>
      hmac('sha256', key, 'base64', `${timestamp}\n${request.url}\n`, body),
    );
    if (!sameAsAny(given, expected))
      return refused('the signature does not match; check the signing key and the public URL');
    return /^\d{1,12}$/u.test(timestamp) && isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request was signed more than nine hours ago, or in the future');
  },
});
