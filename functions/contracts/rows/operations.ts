import * as z from 'zod';
import { Failure } from '../../../core/errors/failure.ts';
import { tolerant } from '../../../core/formats/tolerant.ts';
import { JobRow } from '../jobs/job.ts';
import { rowReader } from './row.ts';

export const failureOf = rowReader(Failure);
export const jobOf = rowReader(JobRow);

/** A row of a list that only names another row. */
export const Pointer = tolerant(z.object({ id: z.string() }));

/** Why the last try of a queue message failed. */
export const Attempt = tolerant(z.object({ code: z.string(), reason: z.string() }));
export type Attempt = z.infer<typeof Attempt>;

/** Why a command was refused. */
export const RefusedCommand = z.looseObject({ code: z.string(), reason: z.string() });

export const ConfigRow = tolerant(z.object({ body: z.unknown() }));
