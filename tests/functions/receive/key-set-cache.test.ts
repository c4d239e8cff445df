import { expect, it } from 'vitest';
import { keySetCache } from '../../../functions/receive/key-set-cache.ts';

const LARGEST_BYTES = 65_536;
const url = 'https://keys.example/set.json';

/** A cache whose vendor answers with these bodies in turn, chunk by chunk and without a length. */
const cacheOf = (...bodies: readonly (readonly string[] | number)[]) => {
  const requests: RequestInit[] = [];
  const document = keySetCache({
    ...{ env: {}, now: () => 0, newId: () => '', random: () => 0 },
    fetch: async (_url: unknown, init?: RequestInit) => {
      requests.push(init ?? {});
      const body = bodies[Math.min(requests.length, bodies.length) - 1] ?? [];
      if (typeof body === 'number') return new Response('', { status: body });
      return new Response(ReadableStream.from(body.map((chunk) => Buffer.from(chunk))));
    },
  });
  return { document, requests };
};

it('refuses a document larger than its cap, whatever its headers say, and accepts one of that size', async () => {
  const half = 'x'.repeat(LARGEST_BYTES / 2);
  await expect(cacheOf([half, half, 'x']).document(url)).rejects.toMatchObject({
    ...{ code: 'unreachable-key-set', retry: 'later' },
    message: expect.stringMatching(/keys\.example.*more than 65536 bytes/u),
  });
  expect(await cacheOf([half, half]).document(url)).toHaveLength(LARGEST_BYTES);
});

it('fetches without redirects and with a timeout, and caches no failure', async () => {
  const { document, requests } = cacheOf(500, ['{}']);
  await expect(document(url)).rejects.toMatchObject({ code: 'unreachable-key-set' });
  expect(await document(url)).toBe('{}');
  expect(await document(url)).toBe('{}');
  expect(requests).toHaveLength(2);
  expect(requests[0]).toMatchObject({ redirect: 'error', signal: expect.any(AbortSignal) });
});

it('stores a bounded number of documents, so that requests that name ever new URLs do not fill the memory', async () => {
  const { document, requests } = cacheOf(['{}']);
  for (let n = 0; n <= 100; n++) await document(`${url}?${n}`);
  await document(`${url}?100`);
  expect(requests).toHaveLength(101);
  await document(`${url}?0`);
  expect(requests).toHaveLength(102);
});
