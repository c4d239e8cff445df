import * as z from 'zod';
import { readTime } from '../../core/formats/payload.ts';
import type { ChannelConnector } from '../../core/webhooks/channel.ts';
import { secretNames } from './case-secrets.ts';

const Identifier = z.looseObject({
  type: z.string(),
  value: z.union([z.string(), z.number()]).transform(String),
});

const ExpectedEvent = z.looseObject({
  kind: z.string(),
  channel: z.string().nullish(),
  direction: z.string().nullish(),
  externalMessageId: z.string().nullish(),
  dedupeKey: z.string().nullish(),
  contactIdentifiers: z.array(Identifier).nullish(),
  text: z.string().nullish(),
  timestamp: z.string().nullish(),
  status: z.string().nullish(),
  optional: z.boolean().optional(),
  duplicate: z.boolean().optional(),
});
export type ExpectedEvent = z.infer<typeof ExpectedEvent>;

const ExpectedAnswer = z.looseObject({
  status: z.union([z.number(), z.array(z.number())]).optional(),
  body: z.string().optional(),
  bodyOneOf: z.array(z.string()).optional(),
  bodyContains: z.union([z.string(), z.array(z.string())]).optional(),
  json: z.json().optional(),
});
export type ExpectedAnswer = z.infer<typeof ExpectedAnswer>;

/** One recorded webhook and what must become of it. */
export const Case = z.looseObject({
  provider: z.string(),
  case: z.string(),
  method: z.string(),
  url: z.string().nullish(),
  headers: z.record(z.string(), z.string()).default({}),
  rawBody: z.string().nullish(),
  rawBodyEncoding: z.enum(['utf8', 'base64']).default('utf8'),
  verification: z
    .looseObject({ scheme: z.string().optional(), url: z.string().optional(), now: z.number().optional() })
    .nullish(),
  expected: z.looseObject({
    accept: z.boolean(),
    signatureOnly: z.boolean().optional(),
    ignored: z.boolean().optional(),
    httpResponse: ExpectedAnswer.nullish(),
    events: z.array(ExpectedEvent).nullish(),
  }),
});
export type Case = z.infer<typeof Case>;

const ids: Readonly<Record<string, string>> = {
  'twilio-whatsapp': 'twilio',
  'twilio-voice': 'twilio',
  'meta-messenger': 'meta',
  'meta-instagram': 'meta',
  'whatsapp-cloud': 'meta',
  'facebook-lead-ads': 'meta',
  'amazon-ses-sns': 'ses',
  'aws-eum-sms': 'aws-sms',
  'google-rbm': 'rbm',
  'ms-teams': 'teams',
  'x-twitter': 'x',
  'apple-messages': 'apple',
};

/** Our id of a case's provider. */
export const caseProvider = (one: Case): string => ids[one.provider] ?? one.provider;

/** The word that stands in the address of a route whose vendor signs nothing. */
const ADDRESS_KEY = 'conformance-address-key';

export interface CaseContext {
  readonly url: string;
  /** Epoch milliseconds at which freshness is judged; undefined where nothing in the request is a time. */
  readonly now: number | undefined;
  readonly secrets: Readonly<Record<string, readonly string[]>>;
}

/** The request's address, the time and the stored secrets under which a case is to be judged. */
export const caseContext = (
  one: Case,
  { secrets: declared }: Pick<ChannelConnector, 'secrets'>,
): CaseContext => {
  const provider = caseProvider(one);
  const verification = one.verification ?? {};
  const values: Readonly<Record<string, unknown>> = {
    topicArn: /"TopicArn"\s*:\s*"([^"]+)"/u.exec(Buffer.from(caseBody(one)).toString())?.[1],
    method: verification.scheme?.split('-').at(-1),
    addressKey: /^(?:none|salesforce-.*)$/u.test(verification.scheme ?? '') ? ADDRESS_KEY : undefined,
    ...verification,
  };
  const given = Object.entries(secretNames[provider] ?? {}).flatMap(([key, name]) => {
    const value = values[key];
    return typeof value === 'string' ? [[name, [value]] as const] : [];
  });
  // A secret that the case has no use for is stored all the same, as it would be in a hub.
  const unused = Object.entries(declared).flatMap(([name, { optional }]) =>
    optional === true ? [] : [[name, ['unused']] as const],
  );
  const url = verification.url ?? one.url ?? `https://hub.example.com/webhooks/${provider}`;
  const keyed = values['addressKey'] !== undefined && secretNames[provider]?.['addressKey'] !== undefined;
  return {
    url: keyed ? `${url}${url.includes('?') ? '&' : '?'}key=${ADDRESS_KEY}` : url,
    now: verification.now === undefined ? signedAt(one) : verification.now * 1000,
    secrets: { ...Object.fromEntries(unused), ...Object.fromEntries(given) },
  };
};

/** Where a case names no time, freshness does not matter: it is judged at the moment that the request itself names. */
const signedAt = (one: Case): number | undefined => {
  const headers = Object.values(one.headers);
  const claims = headers.flatMap((value) => /\.(eyJ[\w-]+)\./u.exec(value)?.[1] ?? []).map(claimsOf);
  const told = /["&?]timestamp"?\s*[:=]\s*"?([^"&,}\n]+)/iu.exec(
    `${one.url ?? ''}\n${Buffer.from(caseBody(one)).toString()}`,
  )?.[1];
  const instants = [
    ...claims.map(({ iat, nbf }) => iat ?? nbf),
    ...headers.flatMap((value) => /(?<!\d)1\d{9}(?:\d{3})?(?!\d)/u.exec(value)?.[0] ?? []),
    ...headers.filter((value) => /^\d{4}-\d\d-\d\dT/u.test(value)),
    told === undefined ? undefined : decodeURIComponent(told.replaceAll('+', ' ')),
  ].flatMap((value) => readTime(value) ?? []);
  return instants[0] === undefined ? undefined : Date.parse(instants[0]);
};

const Claims = z.looseObject({ iat: z.number().optional(), nbf: z.number().optional() });
const claimsOf = (part: string): z.infer<typeof Claims> =>
  Claims.parse(JSON.parse(Buffer.from(part, 'base64url').toString()));

/** Where a case's OpenID configuration says that its key set is. */
const KEYS_PATH = '/conformance-keys';

/**
 * The public documents of a case: its certificate, its key set, an OpenID configuration that leads to the latter, and what
 * SNS answers to the confirmation of a subscription, which nobody reads.
 */
export const caseDocument = (one: Case, url: string): string => {
  const { certificatePem, jwks, issuer } = one.verification ?? {};
  const { origin, pathname, searchParams } = new URL(url);
  if (pathname.endsWith('.pem') && typeof certificatePem === 'string') return certificatePem;
  if (/openid-?configuration$/u.test(pathname))
    return JSON.stringify({ issuer, jwks_uri: `${origin}${KEYS_PATH}` });
  if (jwks !== undefined) return JSON.stringify(jwks);
  if (searchParams.get('Action') === 'ConfirmSubscription') return '';
  throw new Error(`the case has no document for ${url}`);
};

export const caseBody = (one: Case): Uint8Array => Buffer.from(one.rawBody ?? '', one.rawBodyEncoding);
