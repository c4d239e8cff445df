import { parseArgs } from 'node:util';
import * as z from 'zod';
import { call } from './call.ts';

const Job = z.looseObject({
  id: z.string(),
  kind: z.string(),
  state: z.string(),
  by: z.string(),
  createdAt: z.string(),
  progress: z.object({ done: z.number(), refused: z.number(), total: z.number().optional() }),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
});
export type Job = z.infer<typeof Job>;

const usage = `hub jobs list
hub jobs show ID
hub jobs cancel ID
hub jobs wait ID

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
  if (id === undefined || !['show', 'cancel', 'wait'].includes(verb ?? '')) {
    console.error(usage);
    return 2;
  }
  if (verb === 'wait') return waitFor(id);
  const path = `/jobs/${encodeURIComponent(id)}`;
  const job = verb === 'show' ? await call('GET', path) : await call('POST', `${path}/cancel`);
  console.log(JSON.stringify(job, null, 2));
  return 0;
};

const POLL_MS = 500;
const WIDTH = 24;

/** One line of how far a job is: a bar where its total is known. */
export const line = ({ state, progress: { done, refused, total } }: Job): string => {
  const filled = total === undefined || total === 0 ? 0 : Math.floor((Math.min(done, total) / total) * WIDTH);
  const bar = total === undefined ? '' : `[${'█'.repeat(filled).padEnd(WIDTH)}] `;
  const of = total === undefined ? `${done}` : `${done}/${total}`;
  return `${bar}${of} done${refused > 0 ? `, ${refused} refused` : ''}  ${state}`;
};

/** Shows a job's progress until it has ended. Resolves to the exit code: 0 where it succeeded. */
export const waitFor = async (id: string): Promise<number> => {
  for (;;) {
    const job = Job.parse(await call('GET', `/jobs/${encodeURIComponent(id)}`));
    const ended = ['succeeded', 'failed', 'cancelled'].includes(job.state);
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line(job)}${ended ? '\n' : ''}`);
    else if (ended) console.error(line(job));
    if (ended) {
      if (job.error) console.error(`${job.error.code}: ${job.error.reason}`);
      return job.state === 'succeeded' ? 0 : 1;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};
