import { verifySignature } from '@vonage/jwt';
import { describe, expect, it } from 'vitest';
import { goodCases, sendCase } from '../../support/cases.ts';

const tokens = goodCases.filter(
  ({ provider, one }) => provider === 'vonage' && one.verification?.scheme === 'vonage-jwt-hs256',
);

describe("Vonage's own library agrees", () => {
  it.each(tokens.map((one) => [one.name, one] as const))('%s', async (_, fixture) => {
    const token = String(fixture.one.headers['Authorization']).replace('Bearer ', '');
    const secret = String(fixture.one.verification?.['secret']);
    expect([verifySignature(token, secret), verifySignature(token, `${secret}.`)]).toEqual([true, false]);
    // The library leaves the digest of the body to the caller.
    const { answer } = await sendCase(fixture, {
      request: (same) => ({ ...same, body: Buffer.from('{"message_uuid":"another"}') }),
    });
    expect(answer.status).toBe(401);
  });
});
