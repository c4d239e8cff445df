import {
  accepted,
  channel,
  refused,
  type Verdict,
  type WebhookRequest,
} from '../../core/webhooks/channel.ts';
import {
  digest,
  hmac,
  hmacJwt,
  isFresh,
  sameAsAny,
  sameText,
  sha256Hex,
} from '../../core/webhooks/signature.ts';

// The token names the digests of the address and of the body, and lives a minute. The older signature covers the time,
// the sorted query and the digest of the body as bytes.

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
    accessKey: { about: 'a live access key, to keep files where the account protects them', optional: true },
  },
  methods: ['GET'],
  content: {
    hosts: /(?:[a-z0-9-]+\.)*messagebird\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com/u,
    authorise: (url, { accessKey: [key] }) =>
      key === undefined || !new URL(url).hostname.endsWith('messagebird.com')
        ? { url }
        : { url, headers: { authorization: `AccessKey ${key}` } },
  },
  verify(request, { secrets, now }) {
    const token = request.headers[TOKEN];
    return token === undefined
      ? oldSignature(request, secrets.signingKey, now)
      : newSignature(request, token, secrets.signingKey, now);
  },
});

const newSignature = (
  request: WebhookRequest,
  token: string,
  keys: readonly string[],
  now: number,
): Verdict => {
  const { url, body } = request;
  const rules = { now, leewaySeconds: LEEWAY_SECONDS, issuer: 'MessageBird', expires: true } as const;
  const jwt = hmacJwt(token, keys, ['HS256', 'HS384', 'HS512'], rules);
  if ('refused' in jwt) return refused(jwt.refused);
  const { jti, url_hash: address, payload_hash: payload } = jwt.claims;
  if (typeof jti !== 'string' || typeof address !== 'string')
    return refused('the token names no jti or no url_hash');
  if (!sameText(address.toLowerCase(), sha256Hex(url)))
    return refused('the token was made for another address; check the public URL');
  const covered =
    payload === undefined
      ? body.byteLength === 0
      : body.byteLength > 0 && sameText(String(payload).toLowerCase(), sha256Hex(body));
  return covered ? accepted(request) : refused('the body does not have the digest that the token names');
};

const oldSignature = (request: WebhookRequest, keys: readonly string[], now: number): Verdict => {
  const [given, timestamp] = [request.headers[SIGNATURE], request.headers[TIMESTAMP]];
  if (!given || !timestamp) return refused(`the header ${TOKEN} is missing`);
  const query = [...new URL(request.url).searchParams]
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    // The plus of a time zone stands unencoded in some addresses, and was meant.
    .map(([name, value]) => [name, name === 'statusDatetime' ? value.replaceAll(' ', '+') : value] as const)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  const body = digest('sha256', request.body);
  const expected = keys.map((key) => hmac('sha256', key, 'base64', `${timestamp}\n${query}\n`, body));
  if (!sameAsAny(given, expected)) return refused('the signature does not match; check the signing key');
  return /^\d{1,12}$/u.test(timestamp) && isFresh(Number(timestamp) * 1000, now, OLD_TOLERANCE_SECONDS)
    ? accepted(request)
    : refused('the request was signed more than 100 seconds ago, or in the future');
};
