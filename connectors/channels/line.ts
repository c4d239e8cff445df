import { accepted, channel, refused } from '../../core/channel.ts';
import { hmac, sameAsAny } from '../../core/signature.ts';

// The console's Verify button sends a signed body without events, which must be answered with 200 like any other.

const SIGNATURE = 'x-line-signature';

export const line = channel({
  id: 'line',
  title: 'LINE (Messaging API)',
  docs: 'https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/',
  secrets: { channelSecret: { about: 'the Channel secret (Basic settings of the Messaging API channel)' } },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.channelSecret.map((secret) => hmac('sha256', secret, 'base64', request.body));
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the Channel secret');
  },
});
