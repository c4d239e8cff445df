import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import * as z from 'zod';

/** An Ed25519 public key, RFC 8037; its `kid` is the thumbprint of RFC 7638. */
export const ReceiptKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  kid: z.string(),
});
export type ReceiptKey = z.infer<typeof ReceiptKey>;

// The head of an Ed25519 private key in PKCS #8; the 32 bytes of the seed follow.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The signing key that belongs to a key of the hub's secret `signing`: nothing more has to be kept. */
const privateKey = (secret: string): KeyObject => {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'tributary erasure receipts', 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
};

export const receiptKey = (secret: string): ReceiptKey => {
  const { x } = z
    .object({ x: z.string() })
    .parse(createPublicKey(privateKey(secret)).export({ format: 'jwk' }));
  return { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x) };
};

const thumbprint = (x: string): string =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');

const base64Json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Something that the hub vouches for, as a compact JWS (RFC 7515), and its key. */
export interface Signature {
  readonly key: ReceiptKey;
  readonly jws: string;
}

/** `type`: what is signed, for the head of the JWS. */
export const signContent = (content: object, type: string, secret: string): Signature => {
  const key = receiptKey(secret);
  const signed = `${base64Json({ alg: 'EdDSA', kid: key.kid, typ: type })}.${base64Json(content)}`;
  const signature = sign(null, Buffer.from(signed), privateKey(secret)).toString('base64url');
  return { key, jws: `${signed}.${signature}` };
};

/** Why a signature is not to be believed; undefined where it is. Whether its key is the hub's is for the reader to compare. */
export const signatureFault = (content: object, { key, jws }: Signature): string | undefined => {
  const [head = '', payload = '', signature = '', ...more] = jws.split('.');
  if (more.length > 0 || key.kid !== thumbprint(key.x)) return 'It is not a signed receipt.';
  if (Buffer.from(payload, 'base64url').toString() !== JSON.stringify(content))
    return 'What can be read in it is not what was signed.';
  const { kty, crv, x } = key;
  const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  const holds = verify(
    null,
    Buffer.from(`${head}.${payload}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  );
  return holds ? undefined : 'The signature does not belong to it.';
};
