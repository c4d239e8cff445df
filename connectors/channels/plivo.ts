// https://www.plivo.com/docs/messaging/concepts/signature-validation
// A request may carry several of three schemes, of which the newest decides. V3 covers the address, the sorted query and
// the sorted fields; V2 the address alone, so that its nonce is stored with the body's digest; V1 the address and the
// fields. The main account and the subaccount may both have signed.

import { missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../core/webhooks/signature.ts';

const V3 = ['x-plivo-signature-v3', 'x-plivo-signature-ma-v3'] as const;
const V2 = ['x-plivo-signature-v2', 'x-plivo-signature-ma-v2'] as const;
const V1 = 'x-plivo-signature';
/** Far longer than Plivo retries; it documents no limit. */
const NONCE_SECONDS = 7 * 24 * 3600;

const answer = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
};

export const plivo = channel({
  id: 'plivo',
  title: 'Plivo (SMS, MMS, WhatsApp, voice)',
  docs: 'https://www.plivo.com/docs/messaging/concepts/signature-validation',
  secrets: {
    authToken: { about: 'the Auth Token of the Plivo account' },
    authId: {
      about: 'the Auth ID, to fetch media if the account protects them',
      optional: true,
      isPublic: true,
    },
  },
  schemes: {
    v3: { covers: 'body', time: 'unsigned', optionalHeaders: V3 },
    v2: { covers: 'token', time: 'unsigned', optionalHeaders: V2 },
    v1: { covers: 'body', time: 'unsigned' },
  },
  methods: ['GET'],
  content: {
    // An address of Plivo may redirect to one of a bucket, which must not get the token.
    hosts: /^(?:(?:[a-z0-9-]+\.)*plivo\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9]+){0,6}\.amazonaws\.com)$/u,
    authorise(url, { authId: [id], authToken: [token] }) {
      if (id === undefined || token === undefined || !new URL(url).hostname.endsWith('plivo.com'))
        return { url };
      const credentials = Buffer.from(`${id}:${token}`).toString('base64');
      return { url, headers: { authorization: `Basic ${credentials}` } };
    },
  },
  verify(request, { secrets: { authToken: tokens } }) {
    const { headers, url } = request;
    if (V3.some((name) => headers[name] !== undefined)) {
      const missing = missingHeader(request, `${V3[0]}-nonce`);
      if (missing) return missing;
      const text = `${signedTextOfV3(request)}.${headers[`${V3[0]}-nonce`]}`;
      return isSigned(request, V3, hmacs('sha256', tokens, text))
        ? accepted('v3', request, { answer })
        : refused(MISMATCH);
    }
    if (V2.some((name) => headers[name] !== undefined)) {
      const missing = missingHeader(request, `${V2[0]}-nonce`);
      if (missing) return missing;
      const token = headers[`${V2[0]}-nonce`] ?? '';
      return isSigned(request, V2, hmacs('sha256', tokens, `${withoutQuery(url)}${token}`))
        ? accepted('v2', request, { answer, nonce: { token, seconds: NONCE_SECONDS } })
        : refused(MISMATCH);
    }
    if (headers[V1] === undefined) return refused(`the header ${V3[0]} is missing`);
    const text = `${url}${concatenated(fieldsOf(request))}`;
    return isSigned(request, [V1], hmacs('sha1', tokens, text))
      ? accepted('v1', request, { answer })
      : refused(MISMATCH);
  },
});

const MISMATCH = 'the signature does not match; check the Auth Token and the public URL';

const hmacs = (algorithm: 'sha1' | 'sha256', tokens: readonly string[], text: string): string[] =>
  tokens.map((token) => hmac(algorithm, token, 'base64', text));

/** Whether one of the signatures in some headers, each a comma-separated list, is one of those expected. */
const isSigned = (
  { headers }: WebhookRequest,
  names: readonly string[],
  expected: readonly string[],
): boolean =>
  names
    .flatMap((name) => headers[name]?.split(',').map((part) => part.trim()) ?? [])
    .map((signature) => isOneOf(signature, expected))
    .includes(true);

type Fields = readonly (readonly [string, string])[];

const fieldsOf = ({ method, headers, body }: WebhookRequest): Fields =>
  method === 'POST' && headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
    ? [...new URLSearchParams(Buffer.from(body).toString())]
    : [];

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const sorted = (fields: Fields): Fields =>
  fields.toSorted((one, other) => compare(one[0], other[0]) || compare(one[1], other[1]));
const concatenated = (fields: Fields): string =>
  sorted(fields)
    .map(([name, value]) => name + value)
    .join('');

const withoutQuery = (url: string): string => url.replace(/[?#].*$/su, '');

const signedTextOfV3 = (request: WebhookRequest): string => {
  const query = sorted([...new URL(request.url).searchParams])
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const fields = concatenated(fieldsOf(request));
  const mark = query !== '' || fields !== '' ? '?' : '';
  return `${withoutQuery(request.url)}${mark}${query}${query !== '' && fields !== '' ? '.' : ''}${fields}`;
};
