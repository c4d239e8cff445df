// https://developers.messagebird.com/api/#verifying-http-requests
// The token names the digests of the address and of the body, and lives a minute. The older signature covers the time,
// the sorted query and the digest of the body as bytes.

import { acceptFresh, epochSeconds, missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import {
  digest,
  hmac,
  isOneOf,
  isSameText,
  sha256Hex,
  verifyHmacJwt,
} from '../../core/webhooks/signature.ts';

const TOKEN = 'messagebird-signature-jwt';
const SIGNATURE = 'messagebird-signature';
const TIMESTAMP = 'messagebird-request-timestamp';
const LEEWAY_SECONDS = 5;
const OLD_TOLERANCE_SECONDS = 100;

export const messagebird = channel({
  id: 'messagebird',
  title: 'MessageBird (SMS, Conversations)',
  docs: 'https://developers.messagebird.com/api/#verifying-http-requests',
  secrets: {
    signingKey: { about: 'the signing key of the account (Developers, API settings)' },
    accessKey: { about: 'a live access key, to store files if the account protects them', optional: true },
  },
  schemes: {
    token: { covers: 'body', time: 'expires' },
    hmac: { covers: 'body', time: { toleranceSeconds: OLD_TOLERANCE_SECONDS } },
  },
  methods: ['GET'],
  content: {
    hosts:
      /^(?:(?:[a-z0-9-]+\.)*messagebird\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9]+){0,6}\.amazonaws\.com)$/u,
    authorise: (url, { accessKey: [key] }) =>
      key === undefined || !new URL(url).hostname.endsWith('messagebird.com')
        ? { url }
        : { url, headers: { authorization: `AccessKey ${key}` } },
  },
  verify(request, { secrets, now }) {
    const token = request.headers[TOKEN];
    return token === undefined
      ? verifyOldSignature(request, secrets.signingKey, now)
      : verifyToken(request, token, secrets.signingKey, now);
  },
});

const verifyToken = (request: WebhookRequest, token: string, keys: readonly string[], now: number) => {
  const { url, body } = request;
  const rules = { now, leewaySeconds: LEEWAY_SECONDS, issuer: 'MessageBird', expires: true } as const;
  const jwt = verifyHmacJwt(token, keys, ['HS256', 'HS384', 'HS512'], rules);
  if ('refused' in jwt) return refused(jwt.refused);
  const { jti, url_hash: address, payload_hash: payload } = jwt.claims;
  if (typeof jti !== 'string' || typeof address !== 'string')
    return refused('the token names no jti or no url_hash');
  if (!isSameText(address.toLowerCase(), sha256Hex(url)))
    return refused('the token was made for another address; check the public URL');
  const isCovered =
    payload === undefined
      ? body.byteLength === 0
      : body.byteLength > 0 && isSameText(String(payload).toLowerCase(), sha256Hex(body));
  return isCovered
    ? accepted('token', request)
    : refused('the body does not have the digest that the token names');
};

const verifyOldSignature = (request: WebhookRequest, keys: readonly string[], now: number) => {
  if (missingHeader(request, SIGNATURE, TIMESTAMP)) return refused(`the header ${TOKEN} is missing`);
  const { [SIGNATURE]: signature = '', [TIMESTAMP]: timestamp = '' } = request.headers;
  const query = [...new URL(request.url).searchParams]
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    // Some addresses hold the plus of a time zone unencoded; MessageBird signs it as a plus.
    .map(([name, value]) => [name, name === 'statusDatetime' ? value.replaceAll(' ', '+') : value] as const)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const body = digest('sha256', request.body);
  const expected = keys.map((key) => hmac('sha256', key, 'base64', `${timestamp}\n${query}\n`, body));
  if (!isOneOf(signature, expected)) return refused('the signature does not match; check the signing key');
  const signedAt = epochSeconds(timestamp);
  return acceptFresh('hmac', request, { signedAt, now, toleranceSeconds: OLD_TOLERANCE_SECONDS });
};
