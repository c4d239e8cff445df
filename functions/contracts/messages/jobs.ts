import * as z from 'zod';

/** A message of the jobs queue: run this slice of this job. */
export const JobMessage = z.strictObject({ job: z.string(), slice: z.int().nonnegative() });
export type JobMessage = z.infer<typeof JobMessage>;

/** A message of the jobs queue, sent at regular times: plan the looks at customers that fall due until the next one. */
export const PlanMessage = z.strictObject({ plan: z.literal('looks') });
export type PlanMessage = z.infer<typeof PlanMessage>;
