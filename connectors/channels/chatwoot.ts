// https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks
// Only newer versions sign. For the others a secret word in the address (`?key=…`) is the only proof.

import {
  acceptFresh,
  epochSeconds,
  hasAddressKey,
  missingHeader,
} from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

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
  schemes: {
    hmac: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } },
    addressKey: { covers: 'nothing', time: 'unsigned' },
  },
  verify(request, { secrets, now }) {
    const { [SIGNATURE]: signature, [TIMESTAMP]: timestamp } = request.headers;
    if (signature === undefined && timestamp === undefined)
      return hasAddressKey(request, secrets.addressKey)
        ? accepted('addressKey', request)
        : refused(`the header ${SIGNATURE} is missing, and the address has no ?key=, or not the stored one`);
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const expected = secrets.secret.map(
      (secret) => `sha256=${hmac('sha256', secret, 'hex', `${timestamp}.`, request.body)}`,
    );
    if (!isOneOf(signature ?? '', expected)) return refused('the signature does not match; check the secret');
    const signedAt = epochSeconds(timestamp ?? '');
    return acceptFresh('hmac', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});
