import * as z from 'zod';
import { Channel } from '../../../core/interaction/interaction.ts';

/**
 * A message of the notifications queue that somebody sends to try a template. It is no notification: nothing counts it, and
 * no customer's history has it.
 */
export const TestMessage = z.strictObject({
  test: z.strictObject({
    id: z.string(),
    template: z.string(),
    channel: Channel,
    /** The address alone, without its type. */
    to: z.string(),
    text: z.string(),
    html: z.string().optional(),
    subject: z.string().optional(),
    from: z.string().optional(),
  }),
});
export type TestMessage = z.infer<typeof TestMessage>;
