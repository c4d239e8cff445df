import { parseForm, parseJson, parseQuery } from '../../core/formats/payload.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import {
  digest,
  hmac,
  hmacJwt,
  isFresh,
  sameAsAny,
  sha256Hex,
  signedJwt,
} from '../../core/webhooks/signature.ts';

// The SMS API puts `sig` beside its parameters, over `&name=value` of all others in the order of their names, with _ for
// the & and = of values. The Messages API sends a token that names the digest of the body. How the account signs is a
// setting of it, never taken from the request.

/** Vonage tries messages for 24 hours and delivery receipts for 72, and does not tell that it signs them anew. */
const TOLERANCE_SECONDS = 25 * 3600;
const RECEIPT_TOLERANCE_SECONDS = 73 * 3600;

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
      about: 'how the SMS API signs: sha256 where nothing is stored, else md5hash, md5, sha1 or sha512',
      optional: true,
    },
    applicationId: {
      about: 'the id of the application, to keep files where its Secure Inbound Media is on',
      optional: true,
    },
    privateKey: {
      about: 'the private key of the application, in PEM, for the same (line breaks may be typed as \\n)',
      optional: true,
    },
  },
  methods: ['GET'],
  content: {
    hosts:
      /api(?:-[a-z0-9]+)*\.(?:nexmo|vonage)\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com/u,
    // A file's address is open to whoever knows it, for two days, unless the application says otherwise.
    authorise(url, { applicationId: [id], privateKey: [key] }, now) {
      if (id === undefined || key === undefined || new URL(url).hostname.endsWith('.amazonaws.com'))
        return { url };
      const seconds = Math.floor(now / 1000);
      const jti = sha256Hex(`${url} ${now}`);
      const claims = { application_id: id, iat: seconds, exp: seconds + 300, jti };
      const token = signedJwt(claims, key.replaceAll('\\n', '\n'));
      return { url, headers: { authorization: `Bearer ${token}` } };
    },
  },
  setup: 'Ask Vonage to sign the webhooks of the SMS API; those of the Messages API are signed already.',
  verify(request, { secrets, now }) {
    const [, token] = /^bearer\s+(\S+)$/iu.exec(request.headers['authorization'] ?? '') ?? [];
    if (token !== undefined) {
      const rules = { now, issuer: 'Vonage', maxAgeSeconds: TOLERANCE_SECONDS };
      const jwt = hmacJwt(token, secrets.signatureSecret, ['HS256'], rules);
      if ('refused' in jwt) return refused(jwt.refused);
      return sameAsAny(String(jwt.claims['payload_hash']), [sha256Hex(request.body)])
        ? accepted(request)
        : refused('the body does not have the digest that the token names');
    }
    const { sig, ...parameters } = parametersOf(request);
    if (!sig) return refused('the request has neither a bearer token nor the parameter sig');
    const text = Object.keys(parameters)
      .sort()
      .map((name) => `&${name}=${parameters[name]?.replace(/[&=]/gu, '_')}`)
      .join('');
    const ways = secrets.signatureMethod.length > 0 ? secrets.signatureMethod : ['sha256'];
    const expected = ways.flatMap((way) =>
      secrets.signatureSecret.map((secret) => (methods[way] ?? methods['sha256'])?.(secret, text) ?? ''),
    );
    if (!sameAsAny(sig.toLowerCase(), expected))
      return refused('the parameter sig does not match; check the signature secret and method');
    const tolerance = parameters['status'] ? RECEIPT_TOLERANCE_SECONDS : TOLERANCE_SECONDS;
    return isFresh(Number(parameters['timestamp'] || Number.NaN) * 1000, now, tolerance)
      ? accepted(request)
      : refused(`the request was signed more than ${tolerance / 3600} hours ago, or in the future`);
  },
});

const parametersOf = ({ method, url, headers, body }: WebhookRequest): Readonly<Record<string, string>> => {
  if (method === 'GET') return parseQuery(new URL(url).search);
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true)
    return parseForm(body);
  try {
    const read = parseJson(body);
    if (typeof read !== 'object' || read === null) return {};
    return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
};
