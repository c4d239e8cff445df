// https://developers.tiktok.com/doc/webhooks-verification
// TikTok retries for 72 hours and signs every attempt anew.

import { timedSchemes, verifyTimedSignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

const TOLERANCE_SECONDS = 300;

export const tiktok = channel({
  id: 'tiktok',
  title: 'TikTok (business messaging, account events)',
  docs: 'https://developers.tiktok.com/doc/webhooks-verification',
  secrets: { clientSecret: { about: 'the Client secret of the app' } },
  schemes: timedSchemes(TOLERANCE_SECONDS),
  verify: (request, { secrets, now }) =>
    verifyTimedSignature(request, {
      header: 'tiktok-signature',
      part: 's',
      secrets: secrets.clientSecret,
      secret: 'the Client secret',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
