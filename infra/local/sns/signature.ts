import { createHash, createPrivateKey, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/** The fields that SNS signs, in this order; which of them a message has depends on its type. */
const SIGNED = ['Message', 'MessageId', 'SubscribeURL', 'Subject', 'Timestamp', 'Token', 'TopicArn', 'Type'];

export interface Signer {
  /** The signature of a message, its version and the URL of the certificate. Version 1 is SHA-1, version 2 SHA-256. */
  sign(
    message: Readonly<Record<string, unknown>>,
    version: '1' | '2',
  ): { readonly Signature: string; readonly SignatureVersion: string; readonly SigningCertURL: string };
  /** The certificate, where `path` is its path. */
  certificate(path: string): string | undefined;
}

/** Signs as SNS does, with a key and a certificate that are generated when they are first used. */
export const signer = (db: DatabaseSync, endpoint: string): Signer => {
  db.exec('CREATE TABLE IF NOT EXISTS sns_keys (pem TEXT NOT NULL, certificate TEXT NOT NULL) STRICT');
  let known: { readonly key: KeyObject; readonly certificate: string } | undefined;
  const keys = (): NonNullable<typeof known> => {
    if (known) return known;
    const row = db.prepare('SELECT pem, certificate FROM sns_keys').get();
    if (row) {
      known = { key: createPrivateKey(String(row['pem'])), certificate: String(row['certificate']) };
      return known;
    }
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    known = {
      key: privateKey,
      certificate: selfSigned(privateKey, publicKey.export({ format: 'der', type: 'spki' })),
    };
    db.prepare('INSERT INTO sns_keys VALUES (?, ?)').run(
      String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
      known.certificate,
    );
    return known;
  };
  const pathOf = (certificate: string): string =>
    `/SimpleNotificationService-${createHash('sha256').update(certificate).digest('hex').slice(0, 32)}.pem`;
  return {
    sign(message, version) {
      const { key, certificate } = keys();
      const text = SIGNED.flatMap((name) =>
        message[name] === undefined || message[name] === null ? [] : [`${name}\n${message[name]}\n`],
      );
      const signature = createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256').update(text.join(''));
      return {
        SignatureVersion: version,
        Signature: signature.sign(key, 'base64'),
        SigningCertURL: `${endpoint}${pathOf(certificate)}`,
      };
    },
    certificate(path) {
      const { certificate } = keys();
      return path === pathOf(certificate) ? certificate : undefined;
    },
  };
};

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  if (content.length < 128) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.from(content.length.toString(16).padStart(4, '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, content]);
};
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTF8 = 0x0c;
const TIME = 0x18;
/** sha256WithRSAEncryption with its empty parameters. */
const ALGORITHM = Buffer.from('300d06092a864886f70d01010b0500', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** A self-signed certificate for `sns.amazonaws.com`, valid from 2000 to 2199 because tests set the clock. */
const selfSigned = (key: KeyObject, publicKey: Uint8Array): string => {
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from('sns.amazonaws.com')))),
  );
  const validity = der(
    SEQUENCE,
    der(TIME, Buffer.from('20000101000000Z')),
    der(TIME, Buffer.from('21991231235959Z')),
  );
  const version = der(0xa0, der(INTEGER, Buffer.of(2)));
  const serial = der(INTEGER, Buffer.of(1));
  const body = der(SEQUENCE, version, serial, ALGORITHM, name, validity, name, publicKey);
  const signature = createSign('RSA-SHA256').update(body).sign(key);
  const whole = der(SEQUENCE, body, ALGORITHM, der(BIT_STRING, Buffer.of(0), signature));
  const lines = whole.toString('base64').match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};
