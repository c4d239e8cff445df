import { createSecretKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { messagebird } from '../../../connectors/channels/messagebird.ts';
import { goodCases } from '../../support/cases.ts';

const require = createRequire(import.meta.url);

interface Library {
  readonly VerifyOptions: new (url: boolean, payload: boolean, jwt: object) => object;
  verify(url: string, payload: Buffer, jwt: string, key: object, options: object): Promise<boolean>;
}
const library: Library = require('messagebird/lib/webhook-signature-jwt');

/** The reference that MessageBird made for all its libraries. */
const Vectors = z.array(
  z.looseObject({
    name: z.string(),
    method: z.string(),
    url: z.string(),
    secret: z.string().optional(),
    payload: z.string().optional(),
    timestamp: z.string(),
    token: z.string(),
    valid: z.boolean(),
  }),
);
const vectors = Vectors.parse(require('messagebird/lib/testdata/webhook-signature-jwt-reference.json'));

describe('the reference of MessageBird', () => {
  it.each(vectors.map((one) => [one.name, one] as const))('%s', async (_, vector) => {
    const { method, url, token, payload = '', secret = 'any' } = vector;
    const verdict = await messagebird.verify(
      { method, url, headers: { 'messagebird-signature-jwt': token }, body: Buffer.from(payload) },
      {
        secrets: { signingKey: [secret] },
        now: Date.parse(vector.timestamp),
        document: async () => '',
      },
    );
    expect(verdict.verdict).toBe(vector.valid ? 'accepted' : 'refused');
  });
});

const tokens = goodCases.filter(
  ({ provider, one }) => provider === 'messagebird' && one.verification?.scheme === 'messagebird-jwt',
);

describe("MessageBird's own library agrees", () => {
  it.each(tokens.map((one) => [one.name, one] as const))('%s', async (_, { one }) => {
    const key = createSecretKey(Buffer.from(String(one.verification?.['secret'])));
    const options = new library.VerifyOptions(true, true, {
      issuer: 'MessageBird',
      algorithms: ['HS256', 'HS384', 'HS512'],
      currentDate: new Date(Number(one.verification?.now) * 1000),
    });
    const token = String(one.headers['MessageBird-Signature-JWT']);
    const judge = (body: string) => library.verify(one.url ?? '', Buffer.from(body), token, key, options);
    await expect(judge(one.rawBody ?? '')).resolves.toBe(true);
    await expect(judge(`${one.rawBody} `)).rejects.toThrow(/payload_hash/u);
  });
});
