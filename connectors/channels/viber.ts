import { accepted, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// set_webhook fails unless its own signed `webhook` event is answered with 200 at once.

const SIGNATURE = 'x-viber-content-signature';

export const viber = channel({
  id: 'viber',
  title: 'Viber (bots)',
  docs: 'https://developers.viber.com/docs/api/rest-bot-api/#callbacks',
  secrets: { authToken: { about: 'the authentication token of the bot' } },
  content: {
    // The addresses are signed and end within the hour.
    hosts: /(?:[a-z0-9-]+\.)*viber\.com/u,
    authorise: (url) => ({ url }),
  },
  verify(request, { secrets }) {
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.authToken.map((token) => hmac('sha256', token, 'hex', request.body));
    return sameAsAny(given.toLowerCase(), expected)
      ? accepted(request)
      : refused('the signature does not match; check the authentication token');
  },
});
