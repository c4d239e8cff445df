import { accepted, answered, channel, refused } from '../../core/channel.ts';
import { hmac, sameAsAny } from '../../core/signature.ts';

// One app secret signs Messenger, Instagram, WhatsApp and Lead Ads alike. The bytes are the body with Meta's own escapes
// (\u05e9, \/): parsing and writing it again gives another signature.

const SIGNATURE = 'x-hub-signature-256';

export const meta = channel({
  id: 'meta',
  title: 'Meta (Messenger, Instagram, WhatsApp Cloud, Lead Ads)',
  docs: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  secrets: {
    appSecret: { about: 'the App Secret (App settings, Basic)' },
    verifyToken: {
      about: 'a token of your own choice, typed into the webhook form of the app',
      optional: true,
    },
  },
  methods: ['GET'],
  verify(request, { secrets }) {
    if (request.method === 'GET') {
      const query = new URL(request.url).searchParams;
      const token = query.get('hub.verify_token') ?? '';
      const right =
        query.get('hub.mode') === 'subscribe' && token !== '' && sameAsAny(token, secrets.verifyToken);
      if (!right) return refused('the verify token is not the stored one', 403);
      return answered({
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
        body: query.get('hub.challenge') ?? '',
      });
    }
    const given = request.headers[SIGNATURE];
    if (given === undefined) return refused(`the header ${SIGNATURE} is missing`);
    const expected = secrets.appSecret.map(
      (secret) => `sha256=${hmac('sha256', secret, 'hex', request.body)}`,
    );
    return sameAsAny(given, expected)
      ? accepted(request)
      : refused('the signature does not match; check the App Secret');
  },
});
