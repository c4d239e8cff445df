import * as z from 'zod';

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
export const providerOf = (one: Case): string => ids[one.provider] ?? one.provider;

/** Which of a case's verification values is which of our secrets. */
const secretNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  twilio: { secret: 'authToken' },
  meta: { secret: 'appSecret', verifyToken: 'verifyToken' },
  sendgrid: { publicKey: 'publicKey' },
};

/** The word that stands in the address of a route whose vendor signs nothing. */
const ADDRESS_KEY = 'conformance-address-key';

export interface Setting {
  readonly url: string;
  /** Epoch milliseconds at which freshness is judged; undefined where it does not matter. */
  readonly now: number | undefined;
  readonly secrets: Readonly<Record<string, readonly string[]>>;
}

/** The request's address, the time and the stored secrets under which a case is to be judged. */
export const settingOf = (one: Case): Setting => {
  const provider = providerOf(one);
  const verification = one.verification ?? {};
  const given = Object.entries(secretNames[provider] ?? {}).flatMap(([key, name]) => {
    const value = verification[key];
    return typeof value === 'string' ? [[name, [value]] as const] : [];
  });
  const url = verification.url ?? one.url ?? `https://hub.example.com/webhooks/${provider}`;
  const unsigned = provider === 'sendgrid' && verification.scheme === 'none';
  return {
    url: unsigned ? `${url}${url.includes('?') ? '&' : '?'}key=${ADDRESS_KEY}` : url,
    now: verification.now === undefined ? undefined : verification.now * 1000,
    secrets: {
      appSecret: ['unused'],
      ...Object.fromEntries(given),
      ...(unsigned && { inboundKey: [ADDRESS_KEY] }),
    },
  };
};

export const bodyOf = (one: Case): Uint8Array => Buffer.from(one.rawBody ?? '', one.rawBodyEncoding);
