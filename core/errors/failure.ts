import * as z from 'zod';
import { Instant } from '../interaction/interaction.ts';

/** How long failures and their payloads are stored after they failed last, in days. */
export const FAILURE_RETENTION_DAYS = 180;

const Change = z.strictObject({ at: Instant, by: z.string() });

/**
 * One piece of work that a stage could not do. It stays open until a person corrects the cause and replays it, or
 * dismisses it. Stored rows and the API have this shape; the payload is in the bucket.
 */
export const Failure = z.strictObject({
  id: z.string(),
  /** The stage whose queue a replay puts it back on. */
  stage: z.string(),
  /** `refused`: a function gave the reason. `dead-letter`: a queue gave up. `rule`, `schedule`: EventBridge could not deliver it. */
  origin: z.enum(['refused', 'dead-letter', 'rule', 'schedule']),
  /** A code of core/errors/catalogue.ts, or of another release. */
  code: z.string(),
  /** A sentence for the person who must act. */
  reason: z.string(),
  /** Ids of what it is about, by their kind: never an identifier or a text. */
  about: z.record(z.string(), z.string()),
  status: z.enum(['open', 'replaying', 'replayed', 'dismissed']),
  firstFailedAt: Instant,
  /** When it failed last. */
  failedAt: Instant,
  /** How often it has failed: once, and once more for each replay that failed. */
  count: z.int().positive(),
  /** How often it was tried before it failed last. */
  tries: z.int().positive(),
  /** The queue message that failed last: reported twice, it counts once. */
  occurrence: z.string(),
  /** Increases with every change of the row. */
  version: z.int().positive(),
  /** The key of the payload in the hub's bucket. */
  payloadKey: z.string(),
  edited: Change.optional(),
  replayed: Change.optional(),
  dismissed: Change.optional(),
});
export type Failure = z.infer<typeof Failure>;
