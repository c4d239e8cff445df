import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Presign } from '../../aws/clients/signed.ts';
import type { Jobs } from '../../aws/operations/jobs.ts';
import { fileKey, type JobKind, type JobRow, refusedKey, resultKey } from '../../contracts/jobs/job.ts';
import { jobListSortKey } from '../../contracts/keys.ts';
import { problem } from '../../middleware/http.ts';
import { json, parsed, type Routes } from './route.ts';

export interface JobPorts {
  readonly jobs: Jobs;
  readonly kinds: Readonly<Record<string, JobKind<unknown>>>;
  /** An address in the hub's bucket that works for a while without a key. */
  readonly presign: Presign;
  readonly now: () => number;
  readonly newId: () => string;
}

const FILE_SECONDS = 3600;
const RESULT_SECONDS = 300;

const Asked = z.strictObject({
  kind: z.string(),
  parameters: z.record(z.string(), z.json()).default({}),
  by: z.string().min(1).max(100).default('api'),
});
const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .transform((text) => Buffer.from(text, 'base64url').toString())
    .optional(),
});

/** Long work: asked for, watched, cancelled. */
export const jobRoutes: Routes<JobPorts> = {
  'POST /jobs': async (event, ports) => {
    const asked = Asked.safeParse(parsed(event));
    if (!asked.success) return problem(400, 'invalid-job', z.prettifyError(asked.error));
    return begin(ports, asked.data);
  },
  'POST /failures/replay': async (event, ports) => {
    const body = z.looseObject({ by: Asked.shape.by }).safeParse(parsed(event));
    if (!body.success) return problem(400, 'invalid-job', z.prettifyError(body.error));
    const { by, ...parameters } = body.data;
    const asked = Asked.safeParse({ kind: 'replay', parameters, by });
    if (!asked.success) return problem(400, 'invalid-job', z.prettifyError(asked.error));
    return begin(ports, asked.data);
  },
  'GET /jobs': async (event, { jobs }) => {
    const asked = Page.safeParse(event.queryStringParameters ?? {});
    if (!asked.success) return problem(400, 'invalid-query', z.prettifyError(asked.error));
    const { limit, cursor } = asked.data;
    const found = await jobs.list(limit, cursor);
    const last = found.length === limit ? found.at(-1) : undefined;
    return json(200, {
      items: found.map(view),
      ...(last && { next: Buffer.from(jobListSortKey(last)).toString('base64url') }),
    });
  },
  'GET /jobs/{id}': async (event, { jobs, presign }) => {
    const job = await jobs.get(event.pathParameters?.['id'] ?? '');
    if (job === undefined) return unknownJob();
    const url = job.result ? await presign('GET', resultKey(job.id), RESULT_SECONDS) : undefined;
    const parts = job.refusedParts ?? 0;
    return json(200, {
      ...view(job),
      ...(url !== undefined && { result: { url } }),
      ...(parts > 0 && { refused: { parts } }),
    });
  },
  /** Where one of the files of refused rows lies; they begin at 0 and together are one file. */
  'GET /jobs/{id}/refused/{part}': async (event, { jobs, presign }) => {
    const job = await jobs.get(event.pathParameters?.['id'] ?? '');
    if (job === undefined) return unknownJob();
    const part = z.coerce.number().int().min(0).safeParse(event.pathParameters?.['part']);
    if (!part.success || part.data >= (job.refusedParts ?? 0))
      return problem(404, 'unknown-file', `This job has ${job.refusedParts ?? 0} files of refused rows.`);
    return json(200, { url: await presign('GET', refusedKey(job.id, part.data), RESULT_SECONDS) });
  },
  /** Its file has arrived. */
  'POST /jobs/{id}/start': async (event, { jobs }) => {
    const job = await jobs.get(event.pathParameters?.['id'] ?? '');
    if (job === undefined) return unknownJob();
    const queued = job.state === 'waiting' ? await jobs.save({ ...job, state: 'queued' }) : job;
    // Sent also where it was queued before: the answer to that may have been lost, and a slice is done once.
    if (queued?.state === 'queued') await jobs.enqueue({ job: job.id, slice: job.slice }, 0);
    return json(202, view(queued ?? job));
  },
  'POST /jobs/{id}/cancel': async (event, { jobs, now }) => {
    // A running slice saves in between; a cancellation goes before it.
    for (let attempt = 0; attempt < 5; attempt++) {
      const job = await jobs.get(event.pathParameters?.['id'] ?? '');
      if (job === undefined) return unknownJob();
      if (job.finishedAt !== undefined) return json(200, view(job));
      const { lease: _, ...rest } = job;
      const cancelled = await jobs.save({ ...rest, state: 'cancelled', finishedAt: instant(now()) });
      if (cancelled) return json(200, view(cancelled));
    }
    return problem(409, 'write-conflict', 'The job changed each time this was tried. Send it again.');
  },
};

const begin = async (
  { jobs, kinds, presign, now, newId }: JobPorts,
  { kind: name, parameters, by }: z.output<typeof Asked>,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const kind = kinds[name];
  if (kind === undefined)
    return problem(
      400,
      'unknown-job-kind',
      `There are these kinds of jobs: ${Object.keys(kinds).join(', ')}.`,
    );
  const read = kind.parameters.safeParse(parameters);
  if (!read.success) return problem(400, 'invalid-parameters', z.prettifyError(read.error));
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

const unknownJob = (): APIGatewayProxyStructuredResultV2 =>
  problem(404, 'unknown-job', 'There is no job with this id.');

const view = ({ id, kind, parameters, by, state, progress, error, ...job }: JobRow): object => ({
  ...{ id, kind, parameters, by, state, progress, createdAt: job.createdAt },
  ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
  ...(job.finishedAt !== undefined && { finishedAt: job.finishedAt }),
  ...(error && { error }),
});
