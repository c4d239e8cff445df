import * as z from 'zod';

/**
 * A message of the notifications queue that sends a test message: the key of its row, which belongs to the customer on whom it
 * was tried, if it was one.
 */
export const TestMessage = z.strictObject({ test: z.string(), profileId: z.string().optional() });
export type TestMessage = z.infer<typeof TestMessage>;
