import * as z from 'zod';
import type { TestHub } from '../../support/open-test-hub.ts';

const HOUR = 3_600_000;
const Started = z.object({ id: z.string(), upload: z.object({ url: z.string() }) });
const Ended = z.looseObject({
  state: z.string(),
  progress: z.object({ done: z.number(), refused: z.number(), total: z.number().optional() }),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
  refused: z.object({ parts: z.number() }).optional(),
});

/** Asks the bucket of a hub by an address that the API has signed. */
const bucket = async (hub: TestHub, method: 'GET' | 'PUT', address: string, body: Uint8Array) => {
  const url = new URL(address);
  const headers = { host: url.host };
  const { pathname: path, search } = url;
  return hub.cloud.aws({ method, path, query: search.slice(1), headers, body });
};

/** Uploads a file and starts its job. Resolves to the job's id. */
export const begin = async (
  hub: TestHub,
  kind: 'customers' | 'interactions',
  text: string | Uint8Array,
  parameters: object = {},
): Promise<string> => {
  const asked = { kind: `import-${kind}`, parameters: { format: 'csv', ...parameters }, by: 'ada' };
  const answer = await hub.api('POST', '/jobs', asked);
  if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  const { id, upload } = Started.parse(answer.body);
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const { status } = await bucket(hub, 'PUT', upload.url, bytes);
  if (status !== 200) throw new Error(`The upload was answered with ${status}.`);
  await hub.api('POST', `/jobs/${id}/start`);
  return id;
};

/** Lets time run until the job has ended. Resolves to how it ended, and to the file of refused rows. */
export const end = async (hub: TestHub, id: string) => {
  await hub.clock.runUntil(hub.clock.now() + HOUR);
  const job = Ended.parse((await hub.api('GET', `/jobs/${id}`)).body);
  const parts = Array.from({ length: job.refused?.parts ?? 0 }, async (_, part) => {
    const { url } = (await hub.api('GET', `/jobs/${id}/refused/${part}`)).body;
    return Buffer.from((await bucket(hub, 'GET', url, Buffer.alloc(0))).body).toString();
  });
  return { ...job, refusedFile: (await Promise.all(parts)).join('') };
};

export const importFile = async (...asked: Parameters<typeof begin>) => end(asked[0], await begin(...asked));
