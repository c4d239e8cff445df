import { vi } from 'vitest';
import { API_KEY } from './open-test-hub.ts';

/** Asks a hub's API; a path with its query. */
export type Ask = (
  method: string,
  target: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** A terminal at which commands ask this hub. Returns the lines that are printed. */
export const terminal = (ask: Ask): string[] => {
  const printed: string[] = [];
  vi.stubEnv('HUB_URL', 'https://acme.example');
  vi.stubEnv('HUB_KEY', API_KEY);
  vi.stubGlobal('fetch', async (url: URL, init: { method: string; body?: string }) => {
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
