import type { Files } from '../../../functions/record/content/files.ts';

/** A bucket in this process, and what it holds by key. */
export const bucket = (): {
  readonly stored: Record<string, string>;
  /** The keys of what would expire. */
  readonly uncommitted: ReadonlySet<string>;
  readonly files: Files;
} => {
  const stored: Record<string, string> = {};
  const uncommitted = new Set<string>();
  const files: Files = {
    async get(key) {
      const text = stored[key];
      return text === undefined ? undefined : Buffer.from(text);
    },
    async putUncommitted(key, body) {
      if (key in stored) return;
      stored[key] = Buffer.from(body).toString();
      uncommitted.add(key);
    },
    async keep(key) {
      uncommitted.delete(key);
    },
    async uploadUncommitted(key, bytes) {
      uncommitted.add(key);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      stored[key] = Buffer.concat(chunks).toString();
    },
    open: async () => new Response(),
    async remove(key) {
      delete stored[key];
    },
  };
  return { stored, uncommitted, files };
};

/** What a function runs in where the time stands still and `fetch` is the vendor. */
export const runtimeWith = (fetch: (url: string, authorization: string | undefined) => Response) => ({
  ...{ env: {}, now: () => 0, newId: () => '', random: () => 0 },
  fetch: async (url: string | URL | Request, init?: RequestInit) =>
    fetch(String(url), new Headers(init?.headers).get('authorization') ?? undefined),
});
