import { parseForm, parseJson, parseMultipart } from '../../core/formats/payload.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { hmac, isFresh, sameAsAny } from '../../core/webhooks/signature.ts';

// The signature covers the timestamp and the token, never the body: the token is remembered, so that it cannot stand over
// another body. Events carry the three in `signature`, routes as fields of the form.

/** Mailgun tries "during 8 hours"; an hour is for the clocks. */
const TOLERANCE_SECONDS = 9 * 3600;

export const mailgun = channel({
  id: 'mailgun',
  title: 'Mailgun (webhooks, routes)',
  docs: 'https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks',
  secrets: {
    signingKey: { about: 'the HTTP webhook signing key (API security)' },
    apiKey: { about: 'an API key, to fetch mails that a route stored', optional: true },
  },
  setup:
    'Mail that comes in: a route with the action store(notify="…") and this address takes mails of any size that Mailgun takes, and needs the apiKey; one with forward("…") only those of up to 4.4 MB with their files, the most that the hub can be sent.',
  content: {
    hosts: /(?:[a-z0-9-]+\.)*mailgun\.(?:net|org)/u,
    authorise(url, { apiKey: [key] }) {
      if (key === undefined) return undefined;
      return {
        url,
        headers: { authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}` },
      };
    },
  },
  verify(request, { secrets, now }) {
    const { timestamp, token, signature } = signed(request) ?? {};
    if (!timestamp || !token || !signature)
      return refused('the body holds no timestamp, token and signature');
    const expected = secrets.signingKey.map((key) => hmac('sha256', key, 'hex', timestamp, token));
    if (!sameAsAny(signature, expected))
      return refused('the signature does not match; check the webhook signing key');
    if (!/^\d{1,12}$/u.test(timestamp) || !isFresh(Number(timestamp) * 1000, now, TOLERANCE_SECONDS))
      return refused('the request was signed more than nine hours ago, or in the future');
    return accepted(request, undefined, { token, seconds: 2 * TOLERANCE_SECONDS });
  },
});

type Signed = Readonly<Partial<Record<'timestamp' | 'token' | 'signature', string>>>;

const signed = ({ headers, body }: WebhookRequest): Signed | undefined => {
  const contentType = headers['content-type'] ?? '';
  try {
    if (contentType.startsWith('multipart/form-data'))
      return Object.fromEntries(
        parseMultipart(contentType, body)
          .filter(({ name, bytes }) => isSigned(name) && bytes.byteLength < 1000)
          .map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
      );
    if (contentType.startsWith('application/x-www-form-urlencoded')) return parseForm(body);
    const read = parseJson(body);
    const inner = typeof read === 'object' && read !== null && 'signature' in read ? read.signature : null;
    return Object.fromEntries(
      Object.entries(inner ?? {}).flatMap(([name, value]) => (isSigned(name) ? [[name, String(value)]] : [])),
    );
  } catch {
    return undefined;
  }
};

const isSigned = (name: string): boolean => ['timestamp', 'token', 'signature'].includes(name);
