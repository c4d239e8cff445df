import * as z from 'zod';

/** One check of a decision and its result, in words and, where they can be compared, in values; times in ISO 8601, durations in milliseconds. */
export const Check = z.strictObject({
  step: z.string(),
  result: z.string(),
  /** Rows of earlier releases have none. */
  values: z.record(z.string(), z.unknown()).optional(),
});
export type Check = z.infer<typeof Check>;

export type RecordCheck = (step: string, result: string, values?: Check['values']) => void;

/** Appends each check to a list. */
export const checkRecorder =
  (steps: Check[]): RecordCheck =>
  (step, result, values) =>
    steps.push({ step, result, ...(values && { values }) });
