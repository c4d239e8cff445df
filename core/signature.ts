import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

type Bytes = Uint8Array | string;

/** An HMAC as text. */
export const hmac = (
  algorithm: 'sha1' | 'sha256' | 'sha512',
  secret: Bytes,
  encoding: 'hex' | 'base64',
  ...parts: readonly Bytes[]
): string => {
  const mac = createHmac(algorithm, secret);
  for (const part of parts) mac.update(part);
  return mac.digest(encoding);
};

export const sha256Hex = (bytes: Bytes): string => createHash('sha256').update(bytes).digest('hex');

/** Constant-time comparison of two texts; of what differs in length only that is told. */
export const sameText = (one: string, other: string): boolean => {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
};

/** Whether a given text is one of those expected. Every one is compared, whichever is right. */
export const sameAsAny = (given: string, expected: readonly string[]): boolean =>
  expected.map((one) => sameText(given, one)).includes(true);
