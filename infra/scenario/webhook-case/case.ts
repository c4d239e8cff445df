import * as z from 'zod';
import { readTime } from '../../../core/formats/payload.ts';
import type { ChannelConnector } from '../../../core/webhooks/channel.ts';
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
  claimedIdentifiers: z.array(Identifier).nullish(),
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

/** A recorded webhook and its expected result: the format of tests/fixtures. */
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

/** Provider names of cases that differ from ours. */
const providerIds: Readonly<Record<string, string>> = {
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

/** The id of the provider in this repository. */
export const caseProvider = (one: Case): string => providerIds[one.provider] ?? one.provider;

/** The value of `?key=…` for providers that sign nothing. */
const ADDRESS_KEY = 'conformance-address-key';

/** What `receive` needs to verify a case. */
interface CaseContext {
  readonly url: string;
  /** Epoch milliseconds of arrival; undefined where the request contains no time. */
  readonly now: number | undefined;
  readonly secrets: Readonly<Record<string, readonly string[]>>;
}

/** The address of the request, the time of its arrival, and the secrets that the hub has stored. */
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
  const used = Object.entries(secretNames[provider] ?? {}).flatMap(([key, name]) => {
    const value = values[key];
    return typeof value === 'string' ? [[name, [value]] as const] : [];
  });
  // A hub stores every declared secret, also those that the case does not use.
  const unused = Object.entries(declared).flatMap(([name, { optional }]) =>
    optional === true ? [] : [[name, ['unused']] as const],
  );
  const url = verification.url ?? one.url ?? `https://hub.example.com/webhooks/${provider}`;
  const hasAddressKey =
    values['addressKey'] !== undefined && secretNames[provider]?.['addressKey'] !== undefined;
  return {
    url: hasAddressKey ? `${url}${url.includes('?') ? '&' : '?'}key=${ADDRESS_KEY}` : url,
    now: verification.now === undefined ? signedAt(one) : verification.now * 1000,
    secrets: { ...Object.fromEntries(unused), ...Object.fromEntries(used) },
  };
};

/** The time inside the request itself: the arrival of a case that states none. */
const signedAt = (one: Case): number | undefined => {
  const headers = Object.values(one.headers);
  const claims = headers.flatMap((value) => /\.(eyJ[\w-]+)\./u.exec(value)?.[1] ?? []).map(claimsOf);
  const timestamp = /["&?]timestamp"?\s*[:=]\s*"?([^"&,}\n]+)/iu.exec(
    `${one.url ?? ''}\n${Buffer.from(caseBody(one)).toString()}`,
  )?.[1];
  const instants = [
    ...claims.map(({ iat, nbf }) => iat ?? nbf),
    ...headers.flatMap((value) => /(?<!\d)1\d{9}(?:\d{3})?(?!\d)/u.exec(value)?.[0] ?? []),
    ...headers.filter((value) => /^\d{4}-\d\d-\d\dT/u.test(value)),
    timestamp === undefined ? undefined : decodeURIComponent(timestamp.replaceAll('+', ' ')),
  ].flatMap((value) => readTime(value) ?? []);
  return instants[0] === undefined ? undefined : Date.parse(instants[0]);
};

const Claims = z.looseObject({ iat: z.number().optional(), nbf: z.number().optional() });
const claimsOf = (part: string): z.infer<typeof Claims> =>
  Claims.parse(JSON.parse(Buffer.from(part, 'base64url').toString()));

/** The path of the key set in the OpenID configuration of a case. */
const KEYS_PATH = '/conformance-keys';

/**
 * A public document of a case: its certificate, its key set, an OpenID configuration that names the key set, or the empty
 * answer of SNS to the confirmation of a subscription. Throws where the case has none for `url`.
 */
export const caseDocument = (one: Case, url: string): string => {
  const { certificatePem, jwks, issuer } = one.verification ?? {};
  const { origin, pathname, searchParams } = new URL(url);
  if (pathname.endsWith('.pem') && typeof certificatePem === 'string') return certificatePem;
  if (/openid-?configuration$/u.test(pathname))
    return JSON.stringify({ issuer, jwks_uri: `${origin}${KEYS_PATH}` });
  if (jwks !== undefined) return JSON.stringify(jwks);
  if (searchParams.get('Action') === 'ConfirmSubscription') return '';
  throw new Error(`The case has no document for ${url}.`);
};

export const caseBody = (one: Case): Uint8Array => Buffer.from(one.rawBody ?? '', one.rawBodyEncoding);
