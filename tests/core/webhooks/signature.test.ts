import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  areSameTexts,
  basicCredentials,
  hmac,
  verifyEcdsa,
  verifyEd25519,
  verifyHmacJwt,
  verifyRsa,
  verifyRsaJwt,
} from '../../../core/webhooks/signature.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const seconds = now / 1000;
const secret = Buffer.from('a secret of thirty-two bytes or so');
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one' };

const hs = (claims: Record<string, unknown>, alg = 'HS256', key: Uint8Array = secret) =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
const rs = (claims: Record<string, unknown>, kid = 'one') =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(pair.privateKey);
const unsigned = (header: object, claims: object) =>
  `${[header, claims].map((one) => Buffer.from(JSON.stringify(one)).toString('base64url')).join('.')}.`;

describe('tokens of a shared secret', () => {
  it.each(['HS256', 'HS384', 'HS512'] as const)('accepts what jose signed with %s', async (alg) => {
    const result = verifyHmacJwt(await hs({ sub: 'ada' }, alg), ['another', secret], [alg], { now });
    expect(result).toMatchObject({ claims: { sub: 'ada' } });
  });

  it('accepts only the algorithm that the caller names', async () => {
    expect(verifyHmacJwt(await hs({}, 'HS512'), [secret], ['HS256'], { now })).toHaveProperty('refused');
    for (const alg of ['none', 'None', 'HS256', undefined]) {
      const token = unsigned({ alg }, {});
      expect(verifyHmacJwt(token, [secret], ['HS256'], { now })).toHaveProperty('refused');
      expect(verifyHmacJwt(`${token}AAAA`, [secret], ['HS256'], { now })).toHaveProperty('refused');
    }
  });

  it('refuses the public key as a shared secret', async () => {
    const pem = pair.publicKey.export({ format: 'pem', type: 'spki' });
    const token = await hs({}, 'HS256', Buffer.from(pem));
    expect(verifyRsaJwt(token, [jwk], { now })).toHaveProperty('refused');
  });

  it.each([
    ['an expired one', { exp: seconds - 61 }, {}],
    ['one without an end, where one is asked for', {}, { expires: true }],
    ['one not valid yet', { nbf: seconds + 61 }, {}],
    ['one from the future', { iat: seconds + 61 }, {}],
    ['an old one', { iat: seconds - 400 }, { maxAgeSeconds: 300 }],
    ['one without its time, where age counts', {}, { maxAgeSeconds: 300 }],
    ['one whose end is no time', { exp: 'never' }, {}],
    ['one for another', { aud: ['other'] }, { audience: 'us' }],
    ['one from another', { iss: 'other' }, { issuer: ['us'] }],
  ] as const)('refuses %s', async (_, claims, rules) => {
    const token = `${unsigned({ alg: 'HS256' }, claims).slice(0, -1)}`;
    const signed = `${token}.${hmac('sha256', secret, 'base64url', token)}`;
    expect(verifyHmacJwt(signed, [secret], ['HS256'], { now, ...rules })).toHaveProperty('refused');
  });

  it('allows clocks to differ', async () => {
    const token = await hs({ exp: seconds - 59, nbf: seconds + 59, iat: seconds + 59, aud: ['x', 'us'] });
    expect(verifyHmacJwt(token, [secret], ['HS256'], { now, audience: 'us', expires: true })).toHaveProperty(
      'claims',
    );
  });

  it('refuses every changed character', async () => {
    const token = await hs({ sub: 'ada' });
    for (let at = 0; at < token.length - 1; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      expect(verifyHmacJwt(changed, [secret], ['HS256'], { now })).toHaveProperty('refused');
    }
  });
});

describe('tokens of a key set', () => {
  it('accepts what jose signed, with the key that the header names', async () => {
    expect(verifyRsaJwt(await rs({ sub: 'ada' }), [{ kty: 'EC', kid: 'one' }, jwk], { now })).toMatchObject({
      claims: { sub: 'ada' },
      header: { kid: 'one' },
    });
    expect(verifyRsaJwt(await rs({}, 'two'), [jwk], { now })).toHaveProperty('refused');
    expect(verifyRsaJwt(await rs({}), [{ ...jwk, n: 'AAAA' }], { now })).toHaveProperty('refused');
  });
});

describe('public keys', () => {
  const signed = randomBytes(100);
  const changed = Buffer.concat([signed, Buffer.from('x')]);

  it('reads a raw Ed25519 key in hex or base64', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = sign(undefined, signed, privateKey);
    for (const encoding of ['hex', 'base64'] as const) {
      expect(verifyEd25519(raw.toString(encoding), signed, signature)).toBe(true);
      expect(verifyEd25519(raw.toString(encoding), changed, signature)).toBe(false);
    }
    expect(verifyEd25519('', signed, signature)).toBe(false);
    expect(verifyEd25519('0'.repeat(64), signed, new Uint8Array(64))).toBe(false);
  });

  it('reads ECDSA and RSA keys, and treats an invalid key as a wrong one', () => {
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = curve.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const signature = sign('sha256', signed, curve.privateKey);
    expect(verifyEcdsa(spki, signed, signature)).toBe(true);
    expect(verifyEcdsa(spki, changed, signature)).toBe(false);
    expect(verifyEcdsa('nothing', signed, signature)).toBe(false);
    const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const long = sign('sha1', signed, pair.privateKey);
    expect(verifyRsa(pem, 'sha1', signed, long)).toBe(true);
    expect(verifyRsa(pem, 'sha256', signed, long)).toBe(false);
    expect(verifyRsa('nothing', 'sha1', signed, long)).toBe(false);
  });
});

describe('user and password', () => {
  it('are read as browsers write them, colons in the password included', () => {
    expect(basicCredentials(`Basic ${Buffer.from('hub:a:b').toString('base64')}`)).toEqual(['hub', 'a:b']);
    for (const header of [undefined, '', 'Bearer x', 'Basic', `Basic ${Buffer.from('x').toString('base64')}`])
      expect(basicCredentials(header)).toBeUndefined();
    expect(areSameTexts(['hub', 'a'], ['hub', 'a'])).toBe(true);
    expect(areSameTexts(['hub', 'a'], ['hub', 'b'])).toBe(false);
    expect(areSameTexts([], ['hub'])).toBe(false);
  });
});
