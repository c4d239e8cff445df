import * as z from 'zod';

/** A message of the notifications queue that sends a test message: the key of its row. */
export const TestMessage = z.strictObject({ test: z.string(), profileId: z.string() });
export type TestMessage = z.infer<typeof TestMessage>;
