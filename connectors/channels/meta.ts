import { parseJson } from '../../core/formats/payload.ts';
import { accepted, answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// One app secret signs Messenger, Instagram, WhatsApp and Lead Ads alike. The bytes are the body with Meta's own escapes
// (\u05e9, \/): parsing and writing it again gives another signature.

const SIGNATURE = 'x-hub-signature-256';
/** Meta answers a version for about two years. */
const GRAPH_VERSION = 'v23.0';

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
    accessToken: {
      about:
        'a lasting access token of the same app (a system user with leads_retrieval, pages_read_engagement and whatsapp_business_messaging), to fetch the answers of lead forms and the files of WhatsApp',
      optional: true,
    },
  },
  methods: ['GET'],
  content: {
    hosts: /graph\.facebook\.com|(?:[a-z0-9-]+\.)*(?:fbsbx\.com|fbcdn\.net|cdninstagram\.com)/u,
    authorise(url, { accessToken: [token], appSecret: [secret] }) {
      const address = new URL(url);
      const isGraph = address.hostname === 'graph.facebook.com';
      // Files of Messenger and Instagram have signed addresses; those of WhatsApp are given to the token alone.
      if (!isGraph && !isWhatsAppFile(address)) return { url };
      if (token === undefined) return undefined;
      if (isGraph) {
        address.pathname = `/${GRAPH_VERSION}${address.pathname}`;
        if (secret !== undefined)
          address.searchParams.set('appsecret_proof', hmac('sha256', secret, 'hex', token));
      }
      return { url: address.href, headers: { authorization: `Bearer ${token}` } };
    },
    follow(url, answer) {
      if (new URL(url).hostname !== 'graph.facebook.com') return undefined;
      const read = parseJson(Buffer.from(answer));
      return typeof read === 'object' && read !== null && 'url' in read ? String(read.url) : undefined;
    },
  },
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

const isWhatsAppFile = ({ hostname, pathname }: URL): boolean =>
  hostname === 'lookaside.fbsbx.com' && pathname.startsWith('/whatsapp_business/');
