// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
// One app secret signs Messenger, Instagram, WhatsApp and Lead Ads alike, over the body with Meta's own escapes
// (\u05e9, \/): parsing and serialising the body changes the signature.

import { memberOf, parseJson } from '../../core/formats/payload.ts';
import { verifySignature } from '../../core/webhooks/authentication.ts';
import { answered, channel, refused } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

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
  schemes: {
    hmac: { covers: 'body', time: 'unsigned' },
    verifyToken: { covers: 'nothing', time: 'unsigned' },
  },
  methods: ['GET'],
  content: {
    hosts: /^(?:graph\.facebook\.com|(?:[a-z0-9-]+\.)*(?:fbsbx\.com|fbcdn\.net|cdninstagram\.com))$/u,
    authorise(url, { accessToken: [token], appSecret: [secret] }) {
      const address = new URL(url);
      const isGraph = address.hostname === 'graph.facebook.com';
      // Files of Messenger and Instagram have signed addresses; those of WhatsApp need the access token.
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
      const file = memberOf(parseJson(Buffer.from(answer)), 'url');
      return file === undefined ? undefined : String(file);
    },
  },
  verify(request, { secrets }) {
    if (request.method === 'GET') {
      const query = new URL(request.url).searchParams;
      const token = query.get('hub.verify_token') ?? '';
      const isSubscription = query.get('hub.mode') === 'subscribe';
      if (!isSubscription || token === '' || !isOneOf(token, secrets.verifyToken))
        return refused('hub.mode is not subscribe, or the verify token is not the stored one', 403);
      return answered('verifyToken', {
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
        body: query.get('hub.challenge') ?? '',
      });
    }
    return verifySignature('hmac', request, {
      header: 'x-hub-signature-256',
      expected: secrets.appSecret.map((secret) => `sha256=${hmac('sha256', secret, 'hex', request.body)}`),
      secret: 'the App Secret',
    });
  },
});

const isWhatsAppFile = ({ hostname, pathname }: URL): boolean =>
  hostname === 'lookaside.fbsbx.com' && pathname.startsWith('/whatsapp_business/');
