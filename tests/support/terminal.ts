import { vi } from 'vitest';
import { API_KEY } from './open-test-hub.ts';

/** Asks a hub's API; a path with its query. */
export type Ask = (
  method: string,
  target: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: unknown }>;

const HUB_URL = 'https://acme.example';

/** A terminal at which commands ask this hub. Returns the lines that are printed. */
export const terminal = (ask: Ask): string[] => {
  const printed: string[] = [];
  const { fetch } = globalThis;
  vi.stubEnv('HUB_URL', HUB_URL);
  vi.stubEnv('HUB_KEY', API_KEY);
  vi.stubGlobal('fetch', async (url: URL | string, init: RequestInit & { method: string; body?: string }) => {
    // The functions of the hub talk to their CRMs.
    if (!(url instanceof URL) || url.origin !== HUB_URL) return fetch(url, init);
    const sent: unknown = init.body === undefined ? undefined : JSON.parse(init.body);
    const { status, body } = await ask(init.method, `${url.pathname}${url.search}`, sent);
    return new Response(JSON.stringify(body), { status });
  });
  for (const way of ['log', 'error'] as const)
    vi.spyOn(console, way).mockImplementation((line: string) => printed.push(line));
  return printed;
};

export const closeTerminal = (): void => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
};
