// https://developer.vonage.com/en/getting-started/concepts/signing-messages
// The SMS API puts `sig` beside its parameters, over `&name=value` of all others in the order of their names, with _ for
// the & and = of values. The Messages API sends a token that names the digest of the body. How the account signs is one
// of its settings and never read from the request.

import { ifReadable, parseForm, parseJson, parseQuery } from '../../core/formats/payload.ts';
import { acceptFresh, epochSeconds, oversizedBody } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import {
  bearerToken,
  digest,
  hmac,
  isOneOf,
  sha256Hex,
  signJwt,
  verifyHmacJwt,
} from '../../core/webhooks/signature.ts';

/**
 * Vonage retries messages for 24 hours and delivery receipts for 72, and does not document that it signs them anew. One
 * hour more allows for clocks.
 */
const TOLERANCE_SECONDS = 25 * 3600;
const RECEIPT_TOLERANCE_SECONDS = 73 * 3600;

/** The parameters of one SMS; everything else comes with a token. */
const LARGEST_PARAMETERS_BYTES = 65_536;

const methods: Readonly<Record<string, (secret: string, text: string) => string>> = {
  md5hash: (secret, text) => digest('md5', text, secret).toString('hex'),
  md5: (secret, text) => hmac('md5', secret, 'hex', text),
  sha1: (secret, text) => hmac('sha1', secret, 'hex', text),
  sha256: (secret, text) => hmac('sha256', secret, 'hex', text),
  sha512: (secret, text) => hmac('sha512', secret, 'hex', text),
};

export const vonage = channel({
  id: 'vonage',
  title: 'Vonage (SMS API, Messages API)',
  docs: 'https://developer.vonage.com/en/getting-started/concepts/signing-messages',
  secrets: {
    signatureSecret: { about: 'the signature secret of the account (API settings)' },
    signatureMethod: {
      about: 'how the SMS API signs: sha256 by default, else md5hash, md5, sha1 or sha512',
      optional: true,
      isPublic: true,
    },
    applicationId: {
      about: 'the id of the application, to store files if its Secure Inbound Media is on',
      optional: true,
      isPublic: true,
    },
    privateKey: {
      about: 'the private key of the application, in PEM, for the same (line breaks may be typed as \\n)',
      optional: true,
    },
  },
  schemes: {
    token: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } },
    parameters: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } },
    receipt: { covers: 'body', time: { toleranceSeconds: RECEIPT_TOLERANCE_SECONDS } },
  },
  methods: ['GET'],
  content: {
    hosts:
      /^(?:api(?:-[a-z0-9]+)*\.(?:nexmo|vonage)\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9]+){0,6}\.amazonaws\.com)$/u,
    // The address of a file works without credentials for two days, unless the application forbids it.
    authorise(url, { applicationId: [id], privateKey: [key] }, now) {
      if (id === undefined || key === undefined || new URL(url).hostname.endsWith('.amazonaws.com'))
        return { url };
      const seconds = Math.floor(now / 1000);
      const jti = sha256Hex(`${url} ${now}`);
      const claims = { application_id: id, iat: seconds, exp: seconds + 300, jti };
      const token = signJwt(claims, key.replaceAll('\\n', '\n'));
      return { url, headers: { authorization: `Bearer ${token}` } };
    },
  },
  verify(request, { secrets, now }) {
    const token = bearerToken(request.headers['authorization']);
    if (token !== undefined) {
      const rules = { now, issuer: 'Vonage', maxAgeSeconds: TOLERANCE_SECONDS };
      const jwt = verifyHmacJwt(token, secrets.signatureSecret, ['HS256'], rules);
      if ('refused' in jwt) return refused(jwt.refused);
      return isOneOf(String(jwt.claims['payload_hash']), [sha256Hex(request.body)])
        ? accepted('token', request)
        : refused('the body does not have the digest that the token names');
    }
    const tooLarge = oversizedBody(request, LARGEST_PARAMETERS_BYTES);
    if (tooLarge) return tooLarge;
    const { sig, ...parameters } = ifReadable(() => parametersOf(request)) ?? {};
    if (!sig) return refused('the request has neither a bearer token nor the parameter sig');
    const text = Object.keys(parameters)
      .sort()
      .map((name) => `&${name}=${parameters[name]?.replace(/[&=]/gu, '_')}`)
      .join('');
    const stored = secrets.signatureMethod.length > 0 ? secrets.signatureMethod : ['sha256'];
    const expected = stored.flatMap((method) =>
      secrets.signatureSecret.map((secret) => (methods[method] ?? methods['sha256'])?.(secret, text) ?? ''),
    );
    if (!isOneOf(sig.toLowerCase(), expected))
      return refused('the parameter sig does not match; check the signature secret and method');
    const signedAt = epochSeconds(parameters['timestamp'] ?? '');
    return parameters['status']
      ? acceptFresh('receipt', request, { signedAt, now, toleranceSeconds: RECEIPT_TOLERANCE_SECONDS })
      : acceptFresh('parameters', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});

const parametersOf = ({ method, url, headers, body }: WebhookRequest): Readonly<Record<string, string>> => {
  if (method === 'GET') return parseQuery(new URL(url).search);
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true)
    return parseForm(body);
  return Object.fromEntries(
    Object.entries(parseJson(body) ?? {}).map(([name, value]) => [name, String(value)]),
  );
};
