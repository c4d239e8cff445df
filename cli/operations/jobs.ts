import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import { cancelJob, getJob, listJobs } from '../client/jobs.ts';
import { CONNECTION_HELP } from '../command.ts';
import { sanitizeJson } from '../terminal/sanitize.ts';
import { jobLine, saveRefusedRows, waitForJob } from './watch-job.ts';

export const usage = `Usage: hub jobs SUBCOMMAND …

  list           list the jobs, newest first
  show ID        print a job as JSON
  watch ID       show the progress of a job until it has ended
  cancel ID      cancel a job
  refused ID     print the rows that an import refused, with their lines and reasons

${CONNECTION_HELP}`;

/** `hub jobs …` */
export const run = async (args: readonly string[]): Promise<number> => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [verb, id] = positionals;
  if (verb === 'list') {
    const { items } = await listJobs(hubOfEnvironment());
    for (const job of items)
      console.log(`${job.id}  ${job.createdAt}  ${job.kind.padEnd(10)} ${jobLine(job)}`);
    return 0;
  }
  if (id === undefined || !['show', 'cancel', 'watch', 'refused'].includes(verb ?? '')) {
    console.error(usage);
    return 2;
  }
  const hub = hubOfEnvironment();
  if (verb === 'watch') return waitForJob(hub, id);
  if (verb === 'refused') {
    await saveRefusedRows(hub, await getJob(hub, id), process.stdout).catch((error: unknown) => {
      // A reader such as `head` has closed the pipe.
      if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
    });
    return 0;
  }
  console.log(sanitizeJson(verb === 'show' ? await getJob(hub, id) : await cancelJob(hub, id), 2));
  return 0;
};
