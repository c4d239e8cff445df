import {
  createHash,
  createHmac,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';

type Bytes = Uint8Array | string;
/** MD5 and SHA-1 are here for vendors that offer nothing stronger. */
type HashAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** An HMAC as text. */
export const hmac = (
  algorithm: HashAlgorithm,
  secret: Bytes,
  encoding: 'hex' | 'base64' | 'base64url',
  ...parts: readonly Bytes[]
): string => {
  const mac = createHmac(algorithm, secret);
  for (const part of parts) mac.update(part);
  return mac.digest(encoding);
};

/** A hash as bytes. */
export const digest = (algorithm: HashAlgorithm, ...parts: readonly Bytes[]): Buffer => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const sha256Hex = (bytes: Bytes): string => digest('sha256', bytes).toString('hex');

/** Compares two texts in constant time. A different length returns early, which reveals the length only. */
export const isSameText = (one: string, other: string): boolean => {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
};

/** Whether a text is one of the expected ones. Compares all of them, so the time does not depend on which one matches. */
export const isOneOf = (text: string, expected: readonly string[]): boolean =>
  expected.map((one) => isSameText(text, one)).includes(true);

/** Whether each text is the expected one, such as a user and a password. Compares all of them. */
export const areSameTexts = (texts: readonly string[], expected: readonly string[]): boolean =>
  texts.length === expected.length &&
  !texts.map((one, position) => isSameText(one, expected[position] ?? '')).includes(false);

/** User and password of HTTP basic authentication. */
export const basicCredentials = (header: string | undefined): readonly [string, string] | undefined => {
  const [, encoded] = /^basic\s+([a-z0-9+/=_-]+)$/iu.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
};

/** The token of an `Authorization: Bearer` header. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^bearer\s+(\S+)$/iu.exec(header ?? '')?.[1];

/** Whether a signed time is within the tolerance, before or after now. */
export const isFresh = (signedAtMs: number, now: number, toleranceSeconds: number): boolean =>
  Number.isFinite(signedAtMs) && Math.abs(now - signedAtMs) <= toleranceSeconds * 1000;

/** Whether a signature is valid; false, without an error, if the public key is not readable. */
const isVerified = (
  key: () => KeyObject,
  algorithm: 'sha1' | 'sha256' | undefined,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean => {
  try {
    return verify(algorithm, signed, key(), signature);
  } catch {
    return false;
  }
};

const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** Verifies an Ed25519 signature with a raw 32-byte key, in hex or base64. */
export const verifyEd25519 = (publicKey: string, signed: Uint8Array, signature: Uint8Array): boolean => {
  const raw = Buffer.from(publicKey, /^[0-9a-f]{64}$/iu.test(publicKey) ? 'hex' : 'base64');
  if (raw.byteLength !== 32 || signature.byteLength !== 64) return false;
  const key = Buffer.concat([ED25519_SPKI, raw]);
  return isVerified(
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    undefined,
    signed,
    signature,
  );
};

/** Verifies a DER-encoded ECDSA signature over SHA-256 with an SPKI key in base64. */
export const verifyEcdsa = (publicKey: string, signed: Uint8Array, signature: Uint8Array): boolean => {
  const key = Buffer.from(publicKey, 'base64');
  return isVerified(() => createPublicKey({ key, format: 'der', type: 'spki' }), 'sha256', signed, signature);
};

/** Verifies an RSA signature (PKCS #1 v1.5) with the key of a PEM certificate or a PEM public key. */
export const verifyRsa = (
  pem: string,
  algorithm: 'sha1' | 'sha256',
  signed: Uint8Array,
  signature: Uint8Array,
): boolean => isVerified(() => createPublicKey(pem), algorithm, signed, signature);

interface JwtRules {
  /** Epoch milliseconds. */
  readonly now: number;
  /** The tolerated difference of clocks; default 60. */
  readonly leewaySeconds?: number;
  /** The highest age by `iat`, for tokens that never expire or expire late. */
  readonly maxAgeSeconds?: number;
  /** Set if a token without `exp` is refused. */
  readonly expires?: true;
  readonly issuer?: string | readonly string[];
  readonly audience?: string | readonly string[];
}

type Jwt =
  | { readonly claims: Readonly<Record<string, unknown>>; readonly header: Readonly<Record<string, unknown>> }
  /** The reason of the refusal; contains no secret. */
  | { readonly refused: string };

const hashes = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const;

/** Verifies a token that is signed with one of the shared secrets by one of the algorithms. */
export const verifyHmacJwt = (
  token: string,
  secrets: readonly Bytes[],
  algorithms: readonly (keyof typeof hashes)[],
  rules: JwtRules,
): Jwt =>
  verifyJwt(token, rules, (header, signed, signature) => {
    const algorithm = algorithms.find((one) => one === header['alg']);
    if (algorithm === undefined) return false;
    const expected = secrets.map((secret) => hmac(hashes[algorithm], secret, 'base64url', signed));
    return isOneOf(signature, expected);
  });

/** A key of a JSON Web Key Set; vendors add members of their own. */
export type PublicJwk = Readonly<Record<string, unknown>>;

/** Verifies an RS256 token with the key of the set that its header names by `kid`. */
export const verifyRsaJwt = (token: string, keys: readonly PublicJwk[], rules: JwtRules): Jwt =>
  verifyJwt(token, rules, (header, signed, signature) => {
    const key = keys.find(({ kid, kty }) => kty === 'RSA' && kid === header['kid']);
    if (key === undefined || header['alg'] !== 'RS256') return false;
    const jwk: JsonWebKey = { kty: 'RSA', n: String(key['n']), e: String(key['e']) };
    const publicKey = () => createPublicKey({ key: jwk, format: 'jwk' });
    return isVerified(publicKey, 'sha256', Buffer.from(signed), Buffer.from(signature, 'base64url'));
  });

const LONGEST_TOKEN = 16_384;

/** Signs claims as an RS256 token with an RSA key in PEM. Throws if the key is not readable. */
export const signJwt = (claims: Readonly<Record<string, unknown>>, privateKey: string): string => {
  const signed = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
};

const verifyJwt = (
  token: string,
  rules: JwtRules,
  isSigned: (header: Readonly<Record<string, unknown>>, signed: string, signature: string) => boolean,
): Jwt => {
  const [, head, body, signature] =
    /^([\w-]+)\.([\w-]+)\.([\w-]+)$/u.exec(token.slice(0, LONGEST_TOKEN)) ?? [];
  const [header, claims] = [decodeObject(head), decodeObject(body)];
  if (header === undefined || claims === undefined || signature === undefined)
    return { refused: 'the token is not a signed JWT' };
  if (header['crit'] !== undefined) return { refused: 'the token requires an unsupported extension (crit)' };
  if (!isSigned(header, `${head}.${body}`, signature))
    return { refused: 'the signature of the token does not match' };
  const fault = claimsFault(claims, rules);
  return fault === undefined ? { claims, header } : { refused: fault };
};

const decodeObject = (part: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
};

const claimsFault = (
  { exp, nbf, iat, iss, aud }: Readonly<Record<string, unknown>>,
  { now, leewaySeconds = 60, maxAgeSeconds, expires, issuer, audience }: JwtRules,
): string | undefined => {
  const seconds = now / 1000;
  for (const [name, value] of Object.entries({ exp, nbf, iat }))
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value)))
      return `the token's ${name} is not a time`;
  if (exp === undefined ? expires === true : seconds >= Number(exp) + leewaySeconds)
    return 'the token has expired';
  if (nbf !== undefined && seconds < Number(nbf) - leewaySeconds) return 'the token is not valid yet';
  if (iat !== undefined && seconds < Number(iat) - leewaySeconds) return 'the token was issued in the future';
  if (maxAgeSeconds !== undefined && !(seconds - Number(iat) <= maxAgeSeconds + leewaySeconds))
    return 'the token is too old';
  if (issuer !== undefined && ![issuer].flat().some((one) => one === iss))
    return 'the token has another issuer';
  if (audience !== undefined && ![audience].flat().some((one) => [aud].flat().includes(one)))
    return 'the token has another audience';
  return undefined;
};
