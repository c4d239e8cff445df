import { judgeTimed } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

// TikTok repeats for 72 hours, each time signed anew.

const HEADER = 'tiktok-signature';
const TOLERANCE_SECONDS = 300;

export const tiktok = channel({
  id: 'tiktok',
  title: 'TikTok (business messaging, account events)',
  docs: 'https://developers.tiktok.com/doc/webhooks-verification',
  secrets: { clientSecret: { about: 'the Client secret of the app' } },
  verify: (request, { secrets, now }) =>
    judgeTimed(request, {
      header: HEADER,
      part: 's',
      secrets: secrets.clientSecret,
      secret: 'the Client secret',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
