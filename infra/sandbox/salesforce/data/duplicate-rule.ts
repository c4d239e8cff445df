import * as z from 'zod';

/** An active duplicate rule: records are duplicates when all fields of one of the lists in `match` are equal and not empty. */
export const DuplicateRule = z.object({
  name: z.string(),
  object: z.string(),
  match: z.array(z.array(z.string()).min(1).readonly()).min(1).readonly(),
  /** `alert` lets a caller save all the same who asks for it. */
  action: z.enum(['block', 'alert']).default('alert'),
});
export type DuplicateRule = z.output<typeof DuplicateRule>;
