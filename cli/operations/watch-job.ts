import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '../../core/errors.ts';
import { getJob, type Job, refusedRowsAddress } from '../client/jobs.ts';
import type { HubConnection } from '../client/request.ts';
import { progressBar, progressLine } from '../terminal/progress.ts';
import { sanitize } from '../terminal/sanitize.ts';

const POLL_MS = 500;
/** How many polls in a row may fail before the command gives up: the job runs on without it. */
const MAX_FAILED_POLLS = 20;

/** The progress and the state of a job on one line; with a bar where its total is known. */
export const jobLine = ({ state, progress: { done, refused, total } }: Job): string => {
  const share =
    total === undefined
      ? ''
      : `${progressBar(total === 0 ? (state === 'succeeded' ? 1 : 0) : (done + refused) / total)} `;
  const of = total === undefined ? `${done}` : `${done}/${total}`;
  return `${share}${of} done${refused > 0 ? `, ${refused} refused` : ''}  ${state}`;
};

/** Shows the progress of a job, as `lineOf` words it, until it has ended, and returns it. Ctrl-C ends the command but not the job. */
export const watchJob = async (
  hub: HubConnection,
  id: string,
  lineOf: (job: Job) => string = jobLine,
): Promise<Job> => {
  const shown = progressLine();
  const leave = (): void => {
    shown.end(`The job continues. Watch it again with: hub jobs watch ${id}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  try {
    for (let failed = 0; ; ) {
      const job = await getJob(hub, id).catch((error: unknown) => {
        if (!(error instanceof TypeError) || ++failed > MAX_FAILED_POLLS) throw error;
        return undefined;
      });
      if (job) {
        failed = 0;
        if (['succeeded', 'failed', 'cancelled'].includes(job.state)) {
          shown.end(lineOf(job));
          return job;
        }
        shown.show(lineOf(job));
      }
      await delay(POLL_MS);
    }
  } finally {
    process.off('SIGINT', leave);
  }
};

export const printFailure = ({ error }: Job): void => {
  if (error) console.error(`${error.code}: ${sanitize(error.reason)}`);
};

/** Shows the progress of a job until it has ended. Returns the exit code: 0 where it succeeded. */
export const waitForJob = async (hub: HubConnection, id: string): Promise<number> => {
  const job = await watchJob(hub, id);
  printFailure(job);
  return job.state === 'succeeded' ? 0 : 1;
};

/** Writes the rows that an import refused to `target`, as one file. Throws `HubError` `download-failure`. */
export const saveRefusedRows = (
  hub: HubConnection,
  { id, refused }: Job,
  target: NodeJS.WritableStream,
): Promise<void> =>
  pipeline(async function* () {
    for (let part = 0; part < (refused?.parts ?? 0); part++) {
      const response = await fetch(await refusedRowsAddress(hub, id, part));
      if (!response.ok || response.body === null)
        throw new HubError(
          'download-failure',
          `The refused rows cannot be downloaded: the bucket answered ${response.status}. They are stored for 30 days. Try again with: hub jobs refused ${id}`,
          { retry: 'never' },
        );
      yield* response.body;
    }
  }, target);
