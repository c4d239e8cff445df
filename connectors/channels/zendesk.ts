// https://developer.zendesk.com/documentation/webhooks/verifying/
// The time is signed as text. Zendesk prescribes no tolerance; it retries for minutes, so an old request is a replay.

import { readTime } from '../../core/formats/payload.ts';
import { acceptFresh, missingHeader } from '../../core/webhooks/authentication.ts';
import { channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-zendesk-webhook-signature';
const TIMESTAMP = 'x-zendesk-webhook-signature-timestamp';
const TOLERANCE_SECONDS = 3600;

export const zendesk = channel({
  id: 'zendesk',
  title: 'Zendesk (event subscriptions, trigger webhooks)',
  docs: 'https://developer.zendesk.com/documentation/webhooks/verifying/',
  secrets: { signingSecret: { about: 'the signing secret of the webhook' } },
  schemes: { hmac: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SIGNATURE, TIMESTAMP);
    if (missing) return missing;
    const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
    const expected = secrets.signingSecret.map((secret) =>
      hmac('sha256', secret, 'base64', timestamp, request.body),
    );
    if (!isOneOf(signature, expected))
      return refused('the signature does not match; check the signing secret');
    const signedAt = Date.parse(readTime(timestamp) ?? '');
    return acceptFresh('hmac', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});
