import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// Only newer versions sign. For the others a secret word in the address (`?key=…`) is all that there is.

const SIGNATURE = 'x-chatwoot-signature';
const TIMESTAMP = 'x-chatwoot-timestamp';
const TOLERANCE_SECONDS = 300;

export const chatwoot = channel({
  id: 'chatwoot',
  title: 'Chatwoot',
  docs: 'https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks',
  secrets: {
    secret: { about: 'the secret of the webhook (versions that sign)', optional: true },
    addressKey: {
      about: 'a long word of your own, appended to the address as ?key=… (versions that do not sign)',
      optional: true,
    },
  },
  verify(request, { secrets, now }) {
    const [signature, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
    if (signature === undefined && timestamp === undefined) {
      const key = new URL(request.url).searchParams.get('key') ?? '';
      return key !== '' && sameAsAny(key, secrets.addressKey)
        ? accepted(request)
        : refused(`the header ${SIGNATURE} is missing, and the address has no ?key=, or not the stored one`);
    }
    if (signature === undefined || timestamp === undefined)
      return refused(`the header ${signature === undefined ? SIGNATURE : TIMESTAMP} is missing`);
    const expected = secrets.secret.map(
      (secret) => `sha256=${hmac('sha256', secret, 'hex', `${timestamp}.`, request.body)}`,
    );
    if (!sameAsAny(signature, expected)) return refused('the signature does not match; check the secret');
    return isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request is stale');
  },
});
