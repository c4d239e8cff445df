// https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
// The signature covers the timestamp and the token, never the body: the token is stored with the body's digest, so that
// it cannot authenticate another body. Events hold the three in `signature`, routes as fields of the form.

import { ifReadable, parseMultipart, unverifiedField, unverifiedMember } from '../../core/formats/payload.ts';
import { acceptFresh, epochSeconds } from '../../core/webhooks/authentication.ts';
import { channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

/** Mailgun retries "during 8 hours"; one hour more allows for clocks. */
const TOLERANCE_SECONDS = 9 * 3600;

export const mailgun = channel({
  id: 'mailgun',
  title: 'Mailgun (webhooks, routes)',
  docs: 'https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks',
  secrets: {
    signingKey: { about: 'the HTTP webhook signing key (API security)' },
    apiKey: { about: 'an API key, to fetch mails that a route stored', optional: true },
  },
  schemes: { hmac: { covers: 'token', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
  content: {
    hosts: /^(?:[a-z0-9-]+\.)*mailgun\.(?:net|org)$/u,
    authorise(url, { apiKey: [key] }) {
      if (key === undefined) return undefined;
      return {
        url,
        headers: { authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}` },
      };
    },
  },
  verify(request, { secrets, now }) {
    const { timestamp, token, signature } = ifReadable(() => signedFields(request)) ?? {};
    if (!timestamp || !token || !signature) return refused('the body has no timestamp, token and signature');
    const expected = secrets.signingKey.map((key) => hmac('sha256', key, 'hex', timestamp, token));
    if (!isOneOf(signature, expected))
      return refused('the signature does not match; check the webhook signing key');
    return acceptFresh('hmac', request, {
      signedAt: epochSeconds(timestamp),
      now,
      toleranceSeconds: TOLERANCE_SECONDS,
      nonce: { token, seconds: 2 * TOLERANCE_SECONDS },
    });
  },
});

type SignedFields = Readonly<Partial<Record<'timestamp' | 'token' | 'signature', string>>>;

const signedFields = ({ headers, body }: WebhookRequest): SignedFields => {
  const contentType = headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data'))
    return Object.fromEntries(
      parseMultipart(contentType, body)
        .filter(({ name, bytes }) => isSigned(name) && bytes.byteLength < 1000)
        .map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
    );
  if (contentType.startsWith('application/x-www-form-urlencoded'))
    return Object.fromEntries(
      SIGNED.flatMap((name) => {
        const value = unverifiedField(body, name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  if (body.byteLength > LARGEST_EVENT_BYTES) return {};
  return Object.fromEntries(
    Object.entries(unverifiedMember(body, 'signature') ?? {}).flatMap(([name, value]) =>
      isSigned(name) ? [[name, String(value)]] : [],
    ),
  );
};

const SIGNED = ['timestamp', 'token', 'signature'] as const;
const isSigned = (name: string): boolean => SIGNED.some((one) => one === name);
/** An event is a few kilobytes: its user variables have at most 4 KB. */
const LARGEST_EVENT_BYTES = 262_144;
