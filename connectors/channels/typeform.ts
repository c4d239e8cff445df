import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// The signature is in base64 behind `sha256=`, unlike most others of this form.

const SIGNATURE = 'typeform-signature';

export const typeform = channel({
  id: 'typeform',
  title: 'Typeform',
  docs: 'https://www.typeform.com/developers/webhooks/secure-your-webhooks/',
  secrets: { secret: { about: 'the secret typed into the webhook of the form' } },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.secret.map(
      (secret) => `sha256=${hmac('sha256', secret, 'base64', request.body)}`,
    );
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the secret of the webhook');
  },
});
