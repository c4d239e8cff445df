import * as z from 'zod';

/** A message of the jobs queue: run this slice of this job. */
export const JobMessage = z.strictObject({ job: z.string(), slice: z.int().nonnegative() });
export type JobMessage = z.infer<typeof JobMessage>;
