import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

export const Job = z.looseObject({
  id: z.string(),
  kind: z.string(),
  state: z.string(),
  by: z.string(),
  createdAt: z.string(),
  /** In rows or other items. */
  progress: z.object({
    ...{ done: z.number(), refused: z.number(), total: z.number().optional() },
    /** Rows of an import that are done, but not with all their values. */
    incomplete: z.number().optional(),
    /** What the job has found so far, by words of its kind. */
    counts: z.record(z.string(), z.number()).optional(),
    /** What an import has refused or taken only in part: how many rows by reason, and the first lines. */
    reported: z
      .array(z.object({ reason: z.string(), rows: z.number(), lines: z.array(z.number()) }))
      .optional(),
  }),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
  /** In how many files the reported rows of an import are stored. */
  refused: z.object({ parts: z.number() }).optional(),
  /** A presigned address of the file that the job produced. */
  result: z.object({ url: z.string() }).optional(),
});
export type Job = z.infer<typeof Job>;

/** `upload`: a presigned address to which the file is sent with PUT. */
const FileJob = Job.extend({ upload: z.object({ url: z.string() }) });

const JobList = z.object({ items: z.array(Job) });
const SignedAddress = z.object({ url: z.string() });

interface JobRequest {
  readonly kind: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Who asks. */
  readonly by: string;
}

/** Creates and starts a job. */
export const createJob = (hub: HubConnection, body: JobRequest): Promise<Job> =>
  request(hub, { method: 'POST', path: ['jobs'], body }, Job);

/** Creates a job that reads a file. Upload the file, then call `startJob`. */
export const createFileJob = (hub: HubConnection, body: JobRequest): Promise<z.infer<typeof FileJob>> =>
  request(hub, { method: 'POST', path: ['jobs'], body }, FileJob);

/** Starts a job whose file was uploaded. */
export const startJob = (hub: HubConnection, id: string): Promise<Job> =>
  request(hub, { method: 'POST', path: ['jobs', id, 'start'] }, Job);

export const cancelJob = (hub: HubConnection, id: string): Promise<Job> =>
  request(hub, { method: 'POST', path: ['jobs', id, 'cancel'] }, Job);

export const getJob = (hub: HubConnection, id: string): Promise<Job> =>
  request(hub, { method: 'GET', path: ['jobs', id] }, Job);

/** Newest first. */
export const listJobs = (hub: HubConnection): Promise<z.infer<typeof JobList>> =>
  request(hub, { method: 'GET', path: ['jobs'] }, JobList);

/** A presigned address of one file of refused rows; `part` counts from 0. */
export const refusedRowsAddress = async (hub: HubConnection, id: string, part: number): Promise<string> =>
  (await request(hub, { method: 'GET', path: ['jobs', id, 'refused', String(part)] }, SignedAddress)).url;
