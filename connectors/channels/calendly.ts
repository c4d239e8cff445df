import { judgeTimed } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

// Calendly signs each try anew and its own samples allow three minutes.

const HEADER = 'calendly-webhook-signature';
const TOLERANCE_SECONDS = 180;

export const calendly = channel({
  id: 'calendly',
  title: 'Calendly',
  docs: 'https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures',
  secrets: { signingKey: { about: 'the signing key given when the webhook subscription was made' } },
  verify: (request, { secrets, now }) =>
    judgeTimed(request, {
      header: HEADER,
      part: 'v1',
      secrets: secrets.signingKey,
      secret: 'the signing key',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
