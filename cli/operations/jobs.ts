import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { call } from '../client/call.ts';
import { bar, progress } from '../terminal/progress.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';

const Job = z.looseObject({
  id: z.string(),
  kind: z.string(),
  state: z.string(),
  by: z.string(),
  createdAt: z.string(),
  progress: z.object({ done: z.number(), refused: z.number(), total: z.number().optional() }),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
  refused: z.object({ parts: z.number() }).optional(),
});
export type Job = z.infer<typeof Job>;

const usage = `hub jobs list
hub jobs show ID
hub jobs cancel ID
hub jobs watch ID
hub jobs refused ID      the rows of an import that were refused

HUB_URL and HUB_KEY say which hub, and its API key.`;

/** `hub jobs …` against a running hub. */
export const jobsCommand = async (args: readonly string[]): Promise<number> => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [verb, id] = positionals;
  if (verb === 'list') {
    const { items } = z.object({ items: z.array(Job) }).parse(await call('GET', '/jobs'));
    for (const job of items) console.log(`${job.id}  ${job.createdAt}  ${job.kind.padEnd(10)} ${line(job)}`);
    return 0;
  }
  if (id === undefined || !['show', 'cancel', 'watch', 'refused'].includes(verb ?? '')) {
    console.error(usage);
    return 2;
  }
  if (verb === 'watch') return waitFor(id);
  if (verb === 'refused') {
    await saveRefused(await jobOf(id), process.stdout).catch((error: unknown) => {
      // Whoever reads has seen enough.
      if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
    });
    return 0;
  }
  const path = `/jobs/${encodeURIComponent(id)}`;
  const job = verb === 'show' ? await call('GET', path) : await call('POST', `${path}/cancel`);
  console.log(sanitizeJson(job, 2));
  return 0;
};

const POLL_MS = 500;
/** A poll that fails is no news of the job; only many in a row are. */
const FAILED_POLLS = 20;

/** One line of how far a job is: a bar where its total is known. */
export const line = ({ state, progress: { done, refused, total } }: Job): string => {
  const share = total === undefined ? '' : `${bar(total === 0 ? 1 : (done + refused) / total)} `;
  const of = total === undefined ? `${done}` : `${done}/${total}`;
  return `${share}${of} done${refused > 0 ? `, ${refused} refused` : ''}  ${state}`;
};

const jobOf = async (id: string): Promise<Job> =>
  Job.parse(await call('GET', `/jobs/${encodeURIComponent(id)}`));

/** Shows a job's progress until it has ended. Ctrl-C ends the watching; the job goes on. */
export const watch = async (id: string): Promise<Job> => {
  const shown = progress();
  const leave = (): void => {
    shown.end(`The job goes on. Watch it again with: hub jobs watch ${id}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    for (let failed = 0; ; ) {
      const job = await jobOf(id).catch((error: unknown) => {
        if (!(error instanceof TypeError) || ++failed > FAILED_POLLS) throw error;
        return undefined;
      });
      if (job) {
        failed = 0;
        if (['succeeded', 'failed', 'cancelled'].includes(job.state)) {
          shown.end(line(job));
          return job;
        }
        shown.show(line(job));
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    process.off('SIGINT', leave);
  }
};

/** Shows a job's progress until it has ended. Resolves to the exit code: 0 where it succeeded. */
export const waitFor = async (id: string): Promise<number> => {
  const { state, error } = await watch(id);
  if (error) console.error(`${error.code}: ${sanitize(error.reason)}`);
  return state === 'succeeded' ? 0 : 1;
};

/** Writes the rows that a job has refused, as one file. */
export const saveRefused = ({ id, refused }: Job, target: NodeJS.WritableStream): Promise<void> =>
  pipeline(async function* () {
    for (let part = 0; part < (refused?.parts ?? 0); part++) {
      const answer = await call('GET', `/jobs/${encodeURIComponent(id)}/refused/${part}`);
      const response = await fetch(z.object({ url: z.string() }).parse(answer).url);
      if (!response.ok || response.body === null)
        throw new HubError(
          'not-saved',
          `The refused rows cannot be read: the bucket answered ${response.status}. They are kept for 30 days.`,
          { retry: 'never' },
        );
      yield* response.body;
    }
  }, target);
