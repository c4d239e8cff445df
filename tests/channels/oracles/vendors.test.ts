import { Signature } from '@hubspot/api-client/lib/src/utils/signature.js';
import { validateSignature } from '@line/bot-sdk';
import { verifySlackRequest } from '@slack/bolt';
import { verifyKey } from 'discord-interactions';
import { validateV3Signature } from 'plivo';
import Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GoodCase, goodCases, sendCase } from '../../support/cases.ts';

/** Fixtures of a provider, with what its library needs of them. */
const of = (provider: string) =>
  goodCases
    .filter((one) => one.provider === provider)
    .map((fixture) => {
      const headers = new Map(
        Object.entries(fixture.one.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      return {
        name: fixture.name,
        fixture,
        body: fixture.one.rawBody ?? '',
        header: (name: string): string => headers.get(name) ?? '',
        secret: String(fixture.one.verification?.['secret'] ?? fixture.one.verification?.['publicKey']),
      };
    });
const nowOf = ({ one }: GoodCase): number => Number(one.verification?.now) * 1000;

/** The libraries read the clock themselves. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe.each(of('line'))('$name', ({ body, secret, header }) => {
  it('is what the SDK of LINE takes', () => {
    expect(validateSignature(body, secret, header('x-line-signature'))).toBe(true);
    expect(validateSignature(`${body} `, secret, header('x-line-signature'))).toBe(false);
  });
});

describe.each(of('slack'))('$name', ({ body, secret, header, fixture }) => {
  const verify = (text: string) => () =>
    verifySlackRequest({
      signingSecret: secret,
      body: text,
      headers: {
        'x-slack-signature': header('x-slack-signature'),
        'x-slack-request-timestamp': Number(header('x-slack-request-timestamp')),
      },
    });
  it('is what Bolt takes', () => {
    vi.setSystemTime(nowOf(fixture));
    expect(verify(body)).not.toThrow();
    expect(verify(`${body} `)).toThrow();
  });
});

describe.each(of('discord'))('$name', ({ body, secret, header }) => {
  it('is what the library of Discord takes', async () => {
    const [signature, timestamp] = [header('x-signature-ed25519'), header('x-signature-timestamp')];
    expect(await verifyKey(body, signature, timestamp, secret)).toBe(true);
    expect(await verifyKey(`${body} `, signature, timestamp, secret)).toBe(false);
  });
});

describe.each(of('stripe'))('$name', ({ body, secret, header, fixture }) => {
  const { webhooks } = new Stripe('sk_test_unused');
  it('is what the SDK of Stripe takes', () => {
    vi.setSystemTime(nowOf(fixture));
    expect(() => webhooks.constructEvent(body, header('stripe-signature'), secret)).not.toThrow();
    expect(() => webhooks.constructEvent(`${body} `, header('stripe-signature'), secret)).toThrow(
      /signature/u,
    );
  });

  it('is taken as the SDK of Stripe signs it', async () => {
    const timestamp = nowOf(fixture) / 1000;
    const signature = webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
    const { answer } = await sendCase(fixture, {
      request: (same) => ({ ...same, headers: { ...same.headers, 'stripe-signature': signature } }),
    });
    expect(answer.status).toBe(200);
  });
});

describe.each(of('plivo').filter(({ header }) => header('x-plivo-signature-v3') !== ''))('$name', (given) => {
  it('is what the SDK of Plivo takes', () => {
    const { fixture, body, header, secret } = given;
    const verify = (text: string) =>
      validateV3Signature(
        'POST',
        fixture.one.url ?? '',
        header('x-plivo-signature-v3-nonce'),
        secret,
        header('x-plivo-signature-v3'),
        Object.fromEntries(new URLSearchParams(text)),
      );
    expect(verify(body)).toBe(true);
    expect(verify(`${body}&Other=1`)).toBe(false);
  });
});

describe.each(of('hubspot'))('$name', ({ fixture, body, header, secret }) => {
  const version = header('x-hubspot-signature-v3') === '' ? header('x-hubspot-signature-version') : 'v3';
  it('is signed as the client library of HubSpot signs', () => {
    const told = Signature.getSignature('POST', version, {
      signatureVersion: version,
      signature: '',
      clientSecret: secret,
      requestBody: body,
      url: fixture.one.url ?? '',
      method: 'POST',
      timestamp: Number(header('x-hubspot-request-timestamp')),
    });
    expect(told).toBe(header(version === 'v3' ? 'x-hubspot-signature-v3' : 'x-hubspot-signature'));
  });
});
