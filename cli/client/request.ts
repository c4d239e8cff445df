import * as z from 'zod';
import { HubError } from '../../core/errors.ts';

/** Where a running hub answers, and with which API key. */
export interface HubConnection {
  /** The base of its API, without a path. */
  readonly url: string;
  readonly key: string;
}

interface HubRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The segments of the path; each is percent-encoded. */
  readonly path: readonly string[];
  /** Parameters whose value is undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

const TIMEOUT_MS = 15_000;
const Problem = z.looseObject({ detail: z.string() });

/**
 * Sends one request to the API of a hub and validates the answer. Throws `HubError` `api-refusal` with the hub's own
 * sentence, or `unexpected-answer` where the answer does not have the shape of `schema`; rejects as `fetch` does where the
 * hub is not reachable.
 */
export const request = async <Schema extends z.ZodType>(
  { url, key }: HubConnection,
  { method, path, query = {}, body }: HubRequest,
  schema: Schema,
): Promise<z.output<Schema>> => {
  const target = new URL(`/${path.map(encodeURIComponent).join('/')}`, url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) target.searchParams.set(name, value);
  const response = await fetch(target, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = parseJson(await response.text());
  if (!response.ok || answer === undefined) {
    const problem = Problem.safeParse(answer);
    throw new HubError(
      'api-refusal',
      problem.success
        ? problem.data.detail
        : `${url} answered ${response.status}, but not in the format of a hub. Set HUB_URL to the address of the API, without a path.`,
      { retry: 'never' },
    );
  }
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  throw new HubError(
    'unexpected-answer',
    `The answer to ${method} ${target.pathname} has an unexpected shape:\n${z.prettifyError(read.error)}\nUse the hub command of the release that is deployed.`,
    { retry: 'never' },
  );
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
