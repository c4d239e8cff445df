import { judgeTimed } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

// Several v1 stand there while a secret is rolled. v0 is for test tools and proves nothing.

const HEADER = 'stripe-signature';
const TOLERANCE_SECONDS = 300;

export const stripe = channel({
  id: 'stripe',
  title: 'Stripe',
  docs: 'https://docs.stripe.com/webhooks#verify-manually',
  secrets: { signingSecret: { about: 'the signing secret of the endpoint (whsec_…)' } },
  verify: (request, { secrets, now }) =>
    judgeTimed(request, {
      header: HEADER,
      part: 'v1',
      secrets: secrets.signingSecret,
      secret: 'the signing secret',
      toleranceSeconds: TOLERANCE_SECONDS,
      now,
    }),
});
