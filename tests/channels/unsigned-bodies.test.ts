import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectorOf, providerIds } from '../../connectors/registry.ts';

const LARGE = 4_400_000;
const bodies = {
  'application/json': `{"a":[${'[],'.repeat(LARGE / 3)}[]]}`,
  'application/x-www-form-urlencoded': 'k=1&'.repeat(LARGE / 4),
};
/** More than the largest body that a scheme has to read before it knows who sent it. */
const MOST_READ = 1_000_000;

afterEach(() => vi.restoreAllMocks());

/** The sizes of what a provider's verification parsed of a large body without a signature, and its verdict. */
const readOf = async (provider: string, type: string, body: string) => {
  const sizes: number[] = [];
  const { parse } = JSON;
  vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
    sizes.push(text.length);
    return parse(text, reviver);
  });
  const entries = vi.spyOn(URLSearchParams.prototype, Symbol.iterator);
  const connector = connectorOf(provider);
  const { verdict } = (await connector?.verify(
    {
      method: 'POST',
      url: `https://hub.example/webhooks/${provider}`,
      headers: { 'content-type': type },
      body: Buffer.from(body),
    },
    {
      secrets: Object.fromEntries(Object.keys(connector.secrets).map((name) => [name, ['a-secret-0123456']])),
      now: 0,
      document: async () => Promise.reject(new Error('nothing is fetched for a stranger')),
    },
  )) ?? { verdict: 'none' };
  return { verdict, largest: Math.max(0, ...sizes), readsForm: entries.mock.calls.length > 0 };
};

describe.each(Object.entries(bodies))('a large %s body that nobody has signed', (type, body) => {
  it.each(providerIds)('is refused by %s without being parsed', async (provider) => {
    const { verdict, largest, readsForm } = await readOf(provider, type, body);
    expect(verdict).toBe('refused');
    expect(largest).toBeLessThan(MOST_READ);
    expect(readsForm).toBe(false);
  });
});
