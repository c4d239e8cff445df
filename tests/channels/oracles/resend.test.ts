import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook } from 'svix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GoodCase, goodCases, sendCase } from '../../support/cases.ts';

const good = goodCases.filter(({ provider }) => provider === 'resend');
const secretOf = ({ one }: GoodCase): string => String(one.verification?.['secret']);
const nowOf = ({ one }: GoodCase): Date => new Date(Number(one.verification?.now) * 1000);
const named = good.map((one) => [one.name, one] as const);

/** The libraries read the clock themselves. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe.each(named)('%s', (_, fixture) => {
  const body = fixture.one.rawBody ?? '';
  const headers = Object.fromEntries(
    Object.entries(fixture.one.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );

  it('is what svix takes', () => {
    vi.setSystemTime(nowOf(fixture));
    expect(() => new Webhook(secretOf(fixture)).verify(body, headers)).not.toThrow();
    expect(() => new Webhook(secretOf(fixture)).verify(`${body} `, headers)).toThrow(/signature/u);
  });

  it('is taken as svix and standardwebhooks sign it', async () => {
    vi.setSystemTime(nowOf(fixture));
    for (const library of [new Webhook(secretOf(fixture)), new StandardWebhook(secretOf(fixture))]) {
      const signature = library.sign('msg_other', nowOf(fixture), body);
      const { answer } = await sendCase(fixture, {
        request: (same) => ({
          ...same,
          headers: {
            ...same.headers,
            'svix-id': 'msg_other',
            'svix-signature': signature,
            'svix-timestamp': String(Math.floor(nowOf(fixture).getTime() / 1000)),
          },
        }),
      });
      expect(answer.status).toBe(200);
    }
  });
});
