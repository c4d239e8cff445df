// https://docs.bird.com/api/notifications-api/api-reference/webhooks
// The signature covers the time, the address and the digest of the body as bytes, not as hex.

import { acceptFresh, epochSeconds, missingHeader } from '../../core/webhooks/authentication.ts';
import { channel, refused } from '../../core/webhooks/channel.ts';
import { digest, hmac, isOneOf } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'messagebird-signature';
const TIMESTAMP = 'messagebird-request-timestamp';
/** Bird retries "for a period of 8 hours"; one hour more allows for clocks. */
const TOLERANCE_SECONDS = 9 * 3600;

export const bird = channel({
  id: 'bird',
  title: 'Bird (Channels)',
  docs: 'https://docs.bird.com/api/notifications-api/api-reference/webhooks',
  secrets: {
    signingKey: { about: 'the signing key of the webhook subscription' },
    accessKey: {
      about: 'an access key that may read messages of the workspace, to store files',
      optional: true,
    },
  },
  schemes: { hmac: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  content: {
    // With the key the API redirects to a signed address, which refuses the key and expires after 15 minutes.
    hosts:
      /^(?:media\.api\.bird\.com|media\.nest\.messagebird\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9]+){0,6}\.amazonaws\.com)$/u,
    authorise(url, { accessKey: [key] }) {
      const { hostname, searchParams } = new URL(url);
      if (hostname.endsWith('.amazonaws.com') || searchParams.has('X-Amz-Signature')) return { url };
      return key === undefined ? undefined : { url, headers: { authorization: `AccessKey ${key}` } };
    },
  },
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
    const body = digest('sha256', request.body);
    const expected = secrets.signingKey.map((key) =>
      hmac('sha256', key, 'base64', `${timestamp}\n${request.url}\n`, body),
    );
    if (!isOneOf(signature, expected))
      return refused('the signature does not match; check the signing key and the public URL');
    const signedAt = epochSeconds(timestamp);
    return acceptFresh('hmac', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});
