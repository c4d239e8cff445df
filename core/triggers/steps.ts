import * as z from 'zod';

/** One check of a decision and its result, in words and, where they can be compared, in values; times in ISO 8601, durations in milliseconds. */
export const Step = z.strictObject({
  step: z.string(),
  result: z.string(),
  /** Rows of earlier releases have none. */
  values: z.record(z.string(), z.unknown()).optional(),
});
export type Step = z.infer<typeof Step>;

export type RecordStep = (step: string, result: string, values?: Step['values']) => void;

/** Appends each step to a list. */
export const stepRecorder =
  (steps: Step[]): RecordStep =>
  (step, result, values) =>
    steps.push({ step, result, ...(values && { values }) });
