import { HubError } from '../../core/errors.ts';
import { cache } from '../aws/clients/cache.ts';
import type { Runtime } from '../contracts/runtime.ts';

const FRESH_MS = 3_600_000;
const TIMEOUT_MS = 3000;
const LARGEST_BYTES = 65_536;
const MOST_DOCUMENTS = 100;

/**
 * Small public documents (certificates, key sets) by URL, cached for an hour; concurrent requests for one share a fetch.
 * Redirects are errors. Throws `HubError` `unreachable-key-set` (later) where a document cannot be fetched or is too large.
 */
export const keySetCache = (runtime: Runtime): ((url: string) => Promise<string>) =>
  cache((url) => fetchText(url, runtime.fetch ?? fetch), {
    ttlMs: FRESH_MS,
    most: MOST_DOCUMENTS,
    now: runtime.now,
  }).get;

const fetchText = async (url: string, ask: typeof fetch): Promise<string> => {
  try {
    const response = await ask(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > LARGEST_BYTES) throw new Error(`it has more than ${LARGEST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  } catch (error) {
    throw new HubError(
      'unreachable-key-set',
      `The key set that authenticates a webhook could not be fetched from ${new URL(url).host}: ${error instanceof Error ? error.message : 'unknown'}. The answer asks the provider to send the webhook again.`,
      { retry: 'later', cause: error },
    );
  }
};
