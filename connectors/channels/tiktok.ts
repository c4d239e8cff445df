import { accepted, channel, refused } from '../../core/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/signature.ts';

// TikTok repeats for 72 hours, each time signed anew.

const SIGNATURE = 'tiktok-signature';
const TOLERANCE_SECONDS = 300;

export const tiktok = channel({
  id: 'tiktok',
  title: 'TikTok (business messaging, account events)',
  docs: 'https://developers.tiktok.com/doc/webhooks-verification',
  secrets: { clientSecret: { about: 'the Client secret of the app' } },
  verify(request, { secrets, now }) {
    const header = request.headers[SIGNATURE];
    if (header === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const [, timestamp = '', given = ''] = /^t=(\d+),\s*s=([0-9a-f]+)$/iu.exec(header.trim()) ?? [];
    const expected = secrets.clientSecret.map((secret) =>
      hmac('sha256', secret, 'hex', `${timestamp}.`, request.body),
    );
    if (!sameAsAny(given.toLowerCase(), expected))
      return refused('the signature does not match; check the Client secret');
    return isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS)
      ? accepted(request)
      : refused('the request is stale');
  },
});
