import * as z from 'zod';
import { Connection } from '../../../core/crm/connection.ts';
import { RateLimit } from '../../../core/crm/rate-limit.ts';
import { Instant } from '../../../core/interaction/interaction.ts';
import { Pace } from '../../../core/triggers/sending/pace.ts';
import { rowReader } from './row.ts';

export const connectionOf = rowReader(Connection);

/** A message of a sync queue that waits for a parked object. */
export const ParkedMessage = z.object({
  body: z.string(),
  /** Its message attributes. */
  attributes: z.record(z.string(), z.string()).default({}),
  parkedAt: Instant,
});
export type ParkedMessage = z.infer<typeof ParkedMessage>;
export const parkedMessageOf = rowReader(ParkedMessage);

/** How far the changes of an object of a CRM have been read. */
const PollState = z.object({
  version: z.int().nonnegative(),
  /** The hub asked first for what changed since then. */
  from: Instant,
  /** The connector's cursor; absent until something has changed. */
  cursor: z.string().optional(),
});
export type PollState = z.infer<typeof PollState>;
export const pollStateOf = rowReader(PollState);
/** The pace of a sender, which says also whether it works. */
export const paceOf = rowReader(Pace);
export const rateLimitOf = rowReader(RateLimit);
