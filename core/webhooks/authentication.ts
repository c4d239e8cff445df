import {
  accepted,
  type HttpAnswer,
  type Nonce,
  type Refused,
  refused,
  type SchemeDeclaration,
  type Verdict,
  type WebhookRequest,
} from './channel.ts';
import { areSameTexts, basicCredentials, hmac, isFresh, isOneOf } from './signature.ts';

/** Checks and schemes that several providers share. */

/**
 * A refusal of a body that is larger than any of the provider's: for schemes whose signature stands in the body, which has
 * to be read before anybody is known to have signed it.
 */
export const oversizedBody = (request: WebhookRequest, mostBytes: number): Refused | undefined =>
  request.body.byteLength > mostBytes ? refused(`the body has more than ${mostBytes} bytes`, 413) : undefined;

/** A refusal that names the first of these headers that the request lacks; undefined if it has all of them. */
export const missingHeader = (request: WebhookRequest, ...names: readonly string[]): Refused | undefined => {
  const missing = names.find((name) => !request.headers[name]);
  return missing === undefined ? undefined : refused(`the header ${missing} is missing`);
};

interface HeaderSignature {
  readonly header: string;
  /** The signature by each stored secret, in the form of the header. */
  readonly expected: readonly string[];
  /** The secret that the admin has to compare with the provider's, in the provider's words. */
  readonly secret: string;
}

/** Verifies a scheme whose only signature is in one header. */
export const verifySignature = <const Scheme extends string>(
  scheme: Scheme,
  request: WebhookRequest,
  { header, expected, secret }: HeaderSignature,
): Verdict<Scheme> => {
  const signature = request.headers[header];
  if (!signature) return refused(`the header ${header} is missing`);
  return isOneOf(signature, expected)
    ? accepted(scheme, request)
    : refused(`the signature does not match; check ${secret}`);
};

interface SignedTime {
  /** Epoch milliseconds; NaN if the request names no readable time. */
  readonly signedAt: number;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly toleranceSeconds: number;
  readonly answer?: HttpAnswer;
  readonly nonce?: Nonce;
}

/** Accepts a request whose signature has matched, if it was signed within the tolerance. */
export const acceptFresh = <const Scheme extends string>(
  scheme: Scheme,
  request: WebhookRequest,
  { signedAt, now, toleranceSeconds, ...more }: SignedTime,
): Verdict<Scheme> =>
  isFresh(signedAt, now, toleranceSeconds)
    ? accepted(scheme, request, more)
    : refused(`the request was signed more than ${toleranceSeconds} seconds ago, or in the future`);

/** Epoch milliseconds of a time that a provider signs in seconds; NaN if the text is something else. */
export const epochSeconds = (text: string): number =>
  /^\d{1,12}$/u.test(text) ? Number(text) * 1000 : Number.NaN;

/** The declaration of `verifyTimedSignature`. */
export const timedSchemes = <const Seconds extends number>(toleranceSeconds: Seconds) => ({
  timed: { covers: 'body', time: { toleranceSeconds } } satisfies SchemeDeclaration,
});

interface TimedSignature {
  /** Its value is `t=<epoch seconds>,<part>=<hex HMAC-SHA256 of "<t>.<body>">`; the part may occur several times. */
  readonly header: string;
  readonly part: string;
  readonly secrets: readonly string[];
  /** The secret that the admin has to compare with the provider's, in the provider's words. */
  readonly secret: string;
  readonly toleranceSeconds: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Verifies a scheme whose header holds the time and the signatures. One signature by one of the secrets is enough. */
export const verifyTimedSignature = (
  request: WebhookRequest,
  { header: name, part, secrets, secret, toleranceSeconds, now }: TimedSignature,
): Verdict<'timed'> => {
  const header = request.headers[name];
  if (header === undefined) return refused(`the header ${name} is missing`);
  const parts = header.split(',').map((one) => one.trim());
  const timestamp = parts.find((one) => one.startsWith('t='))?.slice(2) ?? '';
  const signatures = parts
    .filter((one) => one.startsWith(`${part}=`))
    .map((one) => one.slice(part.length + 1).toLowerCase());
  const expected = secrets.map((key) => hmac('sha256', key, 'hex', `${timestamp}.`, request.body));
  if (!signatures.map((one) => isOneOf(one, expected)).includes(true))
    return refused(`no signature ${part} matches; check ${secret}`);
  return acceptFresh('timed', request, { signedAt: epochSeconds(timestamp), now, toleranceSeconds });
};

const STANDARD_TOLERANCE_SECONDS = 300;
/** A rotation has two signatures; the limit bounds the cost of a long header. */
const MAX_SIGNATURES = 20;

/** The declaration of `verifyStandard`. */
export const standardSchemes = {
  standard: { covers: 'body', time: { toleranceSeconds: STANDARD_TOLERANCE_SECONDS } },
} as const satisfies Readonly<Record<string, SchemeDeclaration>>;

/**
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md in its symmetric version v1.
 * The key is the base64 after `whsec_`, decoded; the header of signatures is a list, other versions in it are skipped.
 * `prefix`: how the names of the three headers begin. `now`: epoch milliseconds.
 */
export const verifyStandard = (
  request: WebhookRequest,
  prefix: 'webhook' | 'svix',
  secrets: readonly string[],
  now: number,
): Verdict<'standard'> => {
  const names = [`${prefix}-id`, `${prefix}-timestamp`, `${prefix}-signature`];
  const missing = missingHeader(request, ...names);
  if (missing) return missing;
  const [id, timestamp = '', signatures = ''] = names.map((name) => request.headers[name]);
  const expected = secrets
    .map((secret) => Buffer.from(secret.replace(/^whsec_/u, ''), 'base64'))
    .filter((key) => key.byteLength > 0)
    .map((key) => `v1,${hmac('sha256', key, 'base64', `${id}.${timestamp}.`, request.body)}`);
  const matches = signatures
    .split(' ')
    .slice(0, MAX_SIGNATURES)
    .map((one) => isOneOf(one, expected));
  if (!matches.includes(true)) return refused('the signature does not match; check the signing secret');
  return acceptFresh('standard', request, {
    signedAt: epochSeconds(timestamp),
    now,
    toleranceSeconds: STANDARD_TOLERANCE_SECONDS,
  });
};

/** The declaration of `verifyBasic`. */
export const basicSchemes = {
  basic: { covers: 'nothing', time: 'unsigned' },
} as const satisfies Readonly<Record<string, SchemeDeclaration>>;

/** HTTP basic authentication, for vendors without signatures. */
export const verifyBasic = (
  request: WebhookRequest,
  secrets: { readonly user: readonly string[]; readonly password: readonly string[] },
): Verdict<'basic'> => {
  const credentials = basicCredentials(request.headers['authorization']);
  if (credentials === undefined) return refused('the request has no basic authentication');
  const matches = secrets.user.flatMap((user) =>
    secrets.password.map((password) => areSameTexts(credentials, [user, password])),
  );
  return matches.includes(true)
    ? accepted('basic', request)
    : refused('the user or the password is not the stored one');
};

/** Whether the URL contains one of the stored keys as `?key=…`, for vendors without signatures. */
export const hasAddressKey = (request: WebhookRequest, keys: readonly string[]): boolean => {
  const key = new URL(request.url).searchParams.get('key') ?? '';
  return key !== '' && isOneOf(key, keys);
};
