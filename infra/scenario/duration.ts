import * as z from 'zod';
import { durationMs } from '../../core/config/duration.ts';

/** A duration as people write it, in milliseconds. */
export const Duration = z.string().transform((text, context) => {
  try {
    return durationMs(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 15m, 4h, 7d or 2w' });
    return z.NEVER;
  }
});
