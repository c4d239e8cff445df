import * as z from 'zod';
import { HubError } from '../../core/errors.ts';

/** Asks a running hub, which HUB_URL and HUB_KEY name. Throws `HubError` with the sentence that the hub answers. */
export const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const { HUB_URL: base, HUB_KEY: key } = process.env;
  if (base === undefined || key === undefined) {
    throw new HubError(
      'which-hub',
      'Set HUB_URL and HUB_KEY to the address and an API key of the hub. `npm start` prints both; for a deployed hub see docs/admin.md.',
      { retry: 'never' },
    );
  }
  const response = await fetch(new URL(path, base), {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const problem = z.object({ detail: z.string() }).safeParse(answer);
  throw new HubError(
    'refused',
    problem.success ? problem.data.detail : `The hub answered ${response.status}.`,
    { retry: 'never' },
  );
};
