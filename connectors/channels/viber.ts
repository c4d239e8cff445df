// https://developers.viber.com/docs/api/rest-bot-api/#callbacks
// set_webhook fails unless its own signed `webhook` event is answered with 200 at once.

import { missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-viber-content-signature';

export const viber = channel({
  id: 'viber',
  title: 'Viber (bots)',
  docs: 'https://developers.viber.com/docs/api/rest-bot-api/#callbacks',
  secrets: { authToken: { about: 'the authentication token of the bot' } },
  schemes: { hmac: { covers: 'body', time: 'unsigned' } },
  content: {
    // The addresses are signed and expire within the hour.
    hosts: /^(?:[a-z0-9-]+\.)*viber\.com$/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    const missing = missingHeader(request, SIGNATURE);
    if (missing) return missing;
    const signature = (request.headers[SIGNATURE] ?? '').toLowerCase();
    const expected = secrets.authToken.map((token) => hmac('sha256', token, 'hex', request.body));
    return isOneOf(signature, expected)
      ? accepted('hmac', request)
      : refused('the signature does not match; check the authentication token');
  },
});
