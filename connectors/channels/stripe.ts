// https://docs.stripe.com/webhooks#verify-manually
// The header has several v1 while a secret is rolled. v0 is for test tools and proves nothing.

import { timedSchemes, verifyTimedSignature } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

const TOLERANCE_SECONDS = 300;

export const stripe = channel({
  id: 'stripe',
  title: 'Stripe',
  docs: 'https://docs.stripe.com/webhooks#verify-manually',
  secrets: { signingSecret: { about: 'the signing secret of the endpoint (whsec_…)' } },
  schemes: timedSchemes(TOLERANCE_SECONDS),
  verify: (request, { secrets, now }) =>
    verifyTimedSignature(request, {
      header: 'stripe-signature',
      part: 'v1',
      secrets: secrets.signingSecret,
      secret: 'the signing secret',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
