import * as z from 'zod';
import { Failure } from '../../../core/errors/failure.ts';
import { JobRow } from '../jobs/job.ts';
import { rowReader } from './row.ts';

export const failureOf = rowReader(Failure);
export const jobOf = rowReader(JobRow);

/** A row of a list that only names another row. */
export const Pointer = z.object({ id: z.string() });
export const pointerOf = rowReader(Pointer);

/** Why the last try of a queue message failed. */
export const Attempt = z.object({ code: z.string(), reason: z.string() });
export type Attempt = z.infer<typeof Attempt>;
export const attemptRowOf = rowReader(Attempt);

/** Why a command was refused. */
export const RefusedCommand = z.looseObject({ code: z.string(), reason: z.string() });

export const ConfigRow = z.object({ body: z.unknown() });
export const configOf = rowReader(ConfigRow);
