import {
  accepted,
  channel,
  refused,
  type Verdict,
  type WebhookRequest,
} from '../../core/webhooks/channel.ts';
import { hmac, sameAsAny } from '../../core/webhooks/signature.ts';

// Three schemes, of which a request may carry several: the newest that is there must hold. V3 covers the address, the
// sorted query and the sorted fields; V2 the address alone, so that its nonce is remembered with the body; V1 the address
// and the fields. Main and sub account may both have signed.

/** Far beyond its retries, for which Plivo names no limit. */
const REMEMBERED_SECONDS = 7 * 24 * 3600;

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
    authId: { about: 'the Auth ID, to fetch media where the account protects them', optional: true },
  },
  methods: ['GET'],
  content: {
    // An address of Plivo may lead on to one of a bucket, which is told no token.
    hosts: /(?:[a-z0-9-]+\.)*plivo\.com|(?:[a-z0-9-]+\.)*s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com/u,
    authorise(url, { authId: [id], authToken: [token] }) {
      if (id === undefined || token === undefined || !new URL(url).hostname.endsWith('plivo.com'))
        return { url };
      const credentials = Buffer.from(`${id}:${token}`).toString('base64');
      return { url, headers: { authorization: `Basic ${credentials}` } };
    },
  },
  verify(request, { secrets }) {
    const { headers, url } = request;
    const v3 = [headers['x-plivo-signature-v3'], headers['x-plivo-signature-ma-v3']];
    if (v3.some((one) => one !== undefined)) {
      const nonce = headers['x-plivo-signature-v3-nonce'];
      if (!nonce) return refused('the header x-plivo-signature-v3-nonce is missing');
      return judge(request, v3, secrets.authToken, 'sha256', `${baseOfV3(request)}.${nonce}`);
    }
    const v2 = [headers['x-plivo-signature-v2'], headers['x-plivo-signature-ma-v2']];
    if (v2.some((one) => one !== undefined)) {
      const nonce = headers['x-plivo-signature-v2-nonce'];
      if (!nonce) return refused('the header x-plivo-signature-v2-nonce is missing');
      const once = { token: nonce, seconds: REMEMBERED_SECONDS };
      return judge(request, v2, secrets.authToken, 'sha256', `${withoutQuery(url)}${nonce}`, once);
    }
    const v1 = headers['x-plivo-signature'];
    if (v1 === undefined) return refused('the header x-plivo-signature-v3 is missing');
    const fields = sorted(fieldsOf(request))
      .map(([name, value]) => name + value)
      .join('');
    return judge(request, [v1], secrets.authToken, 'sha1', `${url}${fields}`);
  },
});

const judge = (
  request: WebhookRequest,
  headers: readonly (string | undefined)[],
  tokens: readonly string[],
  algorithm: 'sha1' | 'sha256',
  signed: string,
  once?: { readonly token: string; readonly seconds: number },
): Verdict => {
  const expected = tokens.map((token) => hmac(algorithm, token, 'base64', signed));
  const given = headers.flatMap((one) => one?.split(',').map((part) => part.trim()) ?? []);
  return given.map((one) => sameAsAny(one, expected)).includes(true)
    ? accepted(request, answer, once)
    : refused('the signature does not match; check the Auth Token and the public URL');
};

type Fields = readonly (readonly [string, string])[];

const fieldsOf = ({ method, headers, body }: WebhookRequest): Fields =>
  method === 'POST' && headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
    ? [...new URLSearchParams(Buffer.from(body).toString())]
    : [];

const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const sorted = (fields: Fields): Fields =>
  fields.toSorted((one, other) => order(one[0], other[0]) || order(one[1], other[1]));

const withoutQuery = (url: string): string => url.replace(/[?#].*$/su, '');

const baseOfV3 = (request: WebhookRequest): string => {
  const query = sorted([...new URL(request.url).searchParams])
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const fields = sorted(fieldsOf(request))
    .map(([name, value]) => name + value)
    .join('');
  const mark = query !== '' || fields !== '' ? '?' : '';
  return `${withoutQuery(request.url)}${mark}${query}${query !== '' && fields !== '' ? '.' : ''}${fields}`;
};
