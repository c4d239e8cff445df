// https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures
// Calendly signs every attempt anew, and its own samples allow three minutes.

import { timedSchemes, verifyTimedSignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

const TOLERANCE_SECONDS = 180;

export const calendly = channel({
  id: 'calendly',
  title: 'Calendly',
  docs: 'https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures',
  secrets: {
    signingKey: { about: 'the signing key that was set when the webhook subscription was created' },
  },
  schemes: timedSchemes(TOLERANCE_SECONDS),
  verify: (request, { secrets, now }) =>
    verifyTimedSignature(request, {
      header: 'calendly-webhook-signature',
      part: 'v1',
      secrets: secrets.signingKey,
      secret: 'the signing key',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
