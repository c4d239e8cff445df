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
  const answer = answered(await response.text());
  if (response.ok && answer !== undefined) return answer;
  const problem = z.object({ detail: z.string() }).safeParse(answer);
  throw new HubError(
    'refused',
    problem.success
      ? problem.data.detail
      : `${base} answered ${response.status}, but not as a hub does. HUB_URL must be the address of the API, without a path behind it.`,
    { retry: 'never' },
  );
};

const answered = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
