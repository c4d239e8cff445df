import * as z from 'zod';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Presign } from '../../aws/clients/bucket.ts';
import type { Jobs } from '../../aws/operations/jobs.ts';
import type { PublishPorts } from '../../aws/triggers/publish.ts';
import { fileKey, type JobKind, type JobRow, refusedKey, resultKey } from '../../contracts/jobs/job.ts';
import { BacktestParameters, backtestKind } from '../../contracts/jobs/kinds.ts';
import { jobListSortKey } from '../../contracts/keys.ts';
import { problem } from '../../middleware/http.ts';
import {
  type Answer,
  Cursor,
  cursorOf,
  json,
  pathParameter,
  type Route,
  type Routes,
  withBody,
  withQuery,
} from './route.ts';
import { type TriggerPorts, triggerRefusal } from './triggers/triggers.ts';

export interface JobPorts extends Pick<TriggerPorts, 'hub'>, Pick<PublishPorts, 'templateFaults'> {
  readonly jobs: Jobs;
  readonly kinds: Readonly<Record<string, JobKind<unknown>>>;
  /** A signed URL of an object in the hub's bucket. */
  readonly presign: Presign;
  readonly now: () => number;
  readonly newId: () => string;
}

const FILE_SECONDS = 3600;
const RESULT_SECONDS = 300;
const CANCEL_ATTEMPTS = 5;

const JobRequest = z.strictObject({
  kind: z.string(),
  parameters: z.record(z.string(), z.json()).default({}),
  by: z.string().min(1).max(100).default('api'),
});
/** The parameters of the job stand beside `by`. */
const ReplayRequest = z.object({ by: JobRequest.shape.by }).catchall(z.json());
const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: Cursor.optional(),
});

/** A route about the job whose id is in the path; otherwise 404 `unknown-job`. */
const withJob =
  (
    route: (job: JobRow, event: Parameters<Route<JobPorts>>[0], ports: JobPorts) => Promise<Answer>,
  ): Route<JobPorts> =>
  async (event, ports) => {
    const job = await ports.jobs.get(pathParameter(event, 'id'));
    return job === undefined
      ? problem(404, 'unknown-job', 'There is no job with this id.')
      : route(job, event, ports);
  };

/** Jobs: create, start, list, show, cancel. */
export const jobRoutes: Routes<JobPorts> = {
  'POST /jobs': withBody('invalid-job', JobRequest, (request, _event, ports) => createJob(ports, request)),
  'POST /failures/replay': withBody('invalid-job', ReplayRequest, ({ by, ...parameters }, _event, ports) =>
    createJob(ports, { kind: 'replay', parameters, by }),
  ),
  'GET /jobs': withQuery(Page, async ({ limit, cursor }, _event, { jobs }) => {
    const found = await jobs.list(limit, cursor);
    const last = found.length === limit ? found.at(-1) : undefined;
    return json(200, {
      items: found.map(view),
      ...(last && { next: cursorOf(jobListSortKey(last)) }),
    });
  }),
  'GET /jobs/{id}': withJob(async (job, _event, { presign }) => {
    const url = job.result ? await presign('GET', resultKey(job.id), RESULT_SECONDS) : undefined;
    const parts = job.refusedParts ?? 0;
    return json(200, {
      ...view(job),
      ...(url !== undefined && { result: { url } }),
      ...(parts > 0 && { refused: { parts } }),
    });
  }),
  /** The URL of one of the files of refused rows: they are numbered from 0, and concatenated they are one file. */
  'GET /jobs/{id}/refused/{part}': withJob(async (job, event, { presign }) => {
    const part = z.coerce.number().int().min(0).safeParse(pathParameter(event, 'part'));
    if (!part.success || part.data >= (job.refusedParts ?? 0))
      return problem(404, 'unknown-file', `This job has ${job.refusedParts ?? 0} files of refused rows.`);
    return json(200, { url: await presign('GET', refusedKey(job.id, part.data), RESULT_SECONDS) });
  }),
  /** The client has uploaded the file of the job. */
  'POST /jobs/{id}/start': withJob(async (job, _event, { jobs }) => {
    const queued = job.state === 'waiting' ? await jobs.save({ ...job, state: 'queued' }) : job;
    // Also where it was queued before: that answer may have been lost, and a slice runs once.
    if (queued?.state === 'queued') await jobs.enqueue({ job: job.id, slice: job.slice }, 0);
    return json(202, view(queued ?? job));
  }),
  'POST /jobs/{id}/cancel': async (event, { jobs, now }) => {
    // A running slice saves its job in between.
    for (let attempt = 0; attempt < CANCEL_ATTEMPTS; attempt++) {
      const job = await jobs.get(pathParameter(event, 'id'));
      if (job === undefined) return problem(404, 'unknown-job', 'There is no job with this id.');
      if (job.finishedAt !== undefined) return json(200, view(job));
      const { lease: _, ...rest } = job;
      const cancelled = await jobs.save({ ...rest, state: 'cancelled', finishedAt: instant(now()) });
      if (cancelled) return json(200, view(cancelled));
    }
    return problem(409, 'write-conflict', 'The job changed concurrently. Send the request again.');
  },
};

const createJob = async (
  ports: JobPorts,
  { kind: name, parameters, by }: z.output<typeof JobRequest>,
): Promise<Answer> => {
  const { jobs, kinds, presign, now, newId } = ports;
  const kind = kinds[name];
  if (kind === undefined)
    return problem(
      400,
      'unknown-job-kind',
      `There are these kinds of jobs: ${Object.keys(kinds).join(', ')}.`,
    );
  const read = kind.parameters.safeParse(parameters);
  if (!read.success) return problem(400, 'invalid-parameters', z.prettifyError(read.error));
  if (name === backtestKind.kind) {
    const { trigger } = BacktestParameters.parse(parameters);
    const refused = typeof trigger === 'string' ? undefined : await triggerRefusal(trigger, ports);
    if (refused !== undefined) return refused;
  }
  const job: JobRow = {
    ...{ id: newId(), kind: name, parameters, by, createdAt: instant(now()) },
    state: kind.file === undefined ? 'queued' : 'waiting',
    ...{ slice: 0, tries: 0, progress: { done: 0, refused: 0 }, result: false, version: 1 },
  };
  await jobs.create(job);
  if (kind.file === undefined) {
    await jobs.enqueue({ job: job.id, slice: 0 }, 0);
    return json(202, view(job));
  }
  const url = await presign('PUT', fileKey(job.id), FILE_SECONDS);
  return json(202, { ...view(job), upload: { method: 'PUT', url, contentType: kind.file } });
};

const view = ({ id, kind, parameters, by, state, progress, error, ...job }: JobRow): object => ({
  ...{ id, kind, parameters, by, state, progress, createdAt: job.createdAt },
  ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
  ...(job.finishedAt !== undefined && { finishedAt: job.finishedAt }),
  ...(error && { error }),
});
