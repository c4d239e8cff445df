// https://www.twilio.com/docs/usage/webhooks/webhooks-security
// The signature covers the public URL and the form fields, not the raw body; a JSON body is covered by its digest in the
// query. Twilio signs the URL as it was entered, with or without the default port, or as a URL library writes it, so every
// form is tried. A webhook signed with a SharedKey names its algorithm in a header of its own.

import { urlPart } from '../../core/formats/payload.ts';
import { missingHeader } from '../../core/webhooks/authentication.ts';
import { accepted, channel, refused, type WebhookRequest } from '../../core/webhooks/channel.ts';
import { hmac, isOneOf, isSameText, sha256Hex } from '../../core/webhooks/signature.ts';

const SIGNATURE = 'x-twilio-signature';
/** `key=webhooks_sharedkey_…,algorithm=HMAC_SHA256` */
const SETTINGS = 'x-twilio-webhooks-signature-settings';

export const twilio = channel({
  id: 'twilio',
  title: 'Twilio (SMS, voice, WhatsApp)',
  docs: 'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
  secrets: {
    authToken: { about: 'the Auth Token of the Twilio account' },
    sharedKey: { about: 'the secret of the SharedKey, if webhooks are signed with one', optional: true },
  },
  schemes: { hmac: { covers: 'body', time: 'unsigned', optionalHeaders: [SETTINGS] } },
  methods: ['GET'],
  content: {
    // The API redirects to a public bucket, or for protected files to an address that expires after some hours.
    hosts:
      /^(?:api(?:\.[a-z0-9-]+){0,2}\.twilio\.com|(?:media|mms)\.twiliocdn\.com|s3(?:-external-1)?\.amazonaws\.com)$/u,
    authorise(url, { authToken: [token] }) {
      const { hostname, pathname } = new URL(url);
      if (!hostname.endsWith('.twilio.com')) return { url };
      const [, account] = /^\/2010-04-01\/Accounts\/(AC\w+)\//u.exec(pathname) ?? [];
      if (account === undefined || token === undefined) return undefined;
      const credentials = Buffer.from(`${account}:${token}`).toString('base64');
      return { url, headers: { authorization: `Basic ${credentials}` } };
    },
  },
  verify(request, { secrets }) {
    const missing = missingHeader(request, SIGNATURE);
    if (missing) return missing;
    const signed = signedTextOfBody(request);
    if (signed === undefined) return refused('the body does not have the digest that the URL names');
    const hash = hashOf(request.headers[SETTINGS]);
    if (hash === undefined) return refused(`the header ${SETTINGS} names an algorithm that is not supported`);
    // Without the header only the Auth Token signs; a SharedKey may also be stored in its place.
    const keys = request.headers[SETTINGS] ? [...secrets.sharedKey, ...secrets.authToken] : secrets.authToken;
    const expected = keys.flatMap((key) =>
      urlForms(request.url).map((url) => hmac(hash, key, 'base64', url, signed)),
    );
    if (!isOneOf(request.headers[SIGNATURE] ?? '', expected))
      return refused('the signature does not match; check the Auth Token or SharedKey, and the public URL');
    return accepted('hmac', request, {
      answer: {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
      },
    });
  },
});

/**
 * The part of the body in the signed text: the sorted fields of a form, each name with its distinct values; nothing of
 * JSON. Undefined if the URL names a digest that the body does not have.
 */
const signedTextOfBody = ({ url, headers, body }: WebhookRequest): string | undefined => {
  const digest = new URL(url).searchParams.get('bodySHA256');
  if (digest !== null) return isSameText(digest.toLowerCase(), sha256Hex(body)) ? '' : undefined;
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) return '';
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString())) {
    values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  return [...values.keys()]
    .sort()
    .map((name) =>
      [...(values.get(name) ?? [])]
        .sort()
        .map((value) => name + value)
        .join(''),
    )
    .join('');
};

/** The hash of the algorithm that the settings name; the one of the Auth Token where they name none. */
const hashOf = (settings = ''): 'sha1' | 'sha256' | undefined => {
  const named = settings.split(',').map((part) => part.split('=').map((word) => word.trim()));
  const algorithm = named.find(([name, value]) => name === 'algorithm' && value)?.[1]?.toUpperCase();
  if (algorithm === undefined || algorithm === 'HMAC_SHA1') return 'sha1';
  return algorithm === 'HMAC_SHA256' ? 'sha256' : undefined;
};

const defaultPort: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** The URL as it is and without any port, and with the default port. */
const portForms = (url: string): string[] => {
  const [, head = '', host = '', port, tail = ''] =
    /^(https?:\/\/(?:[^/?#@]*@)?)([^/?#:]+)(?::(\d+))?(.*)$/su.exec(url) ?? [];
  const standard = defaultPort[new URL(url).protocol] ?? '443';
  return [url, `${head}${host}${tail}`, `${head}${host}:${port ?? standard}${tail}`];
};

/** The query as an older library writes it, which some of Twilio's servers sign: with `'` and `%20` for `%27` and `+`. */
const withLegacyQuery = (url: string): string => {
  const [path, query = ''] = url.split(/\?(.*)/su);
  if (query === '') return url;
  const fields = new URLSearchParams(query);
  const written = [...new Set(fields.keys())].flatMap((name) =>
    fields.getAll(name).map((value) => `${urlPart(name)}=${urlPart(value)}`),
  );
  return `${path}?${written.join('&')}`;
};

/** Every form of the URL that Twilio's own library accepts. */
const urlForms = (url: string): string[] => {
  const normal = portForms(new URL(url).href);
  return [...new Set([...portForms(url), ...normal, ...normal.map(withLegacyQuery)])];
};
