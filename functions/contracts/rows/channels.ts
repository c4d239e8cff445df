import * as z from 'zod';
import { Instant } from '../../../core/interaction/interaction.ts';
import { rowReader } from './row.ts';

/** When authentic deliveries of a provider came: the first, and the last to within five minutes. */
const ChannelDeliveries = z.object({ firstAt: Instant, lastAt: Instant });
export const channelDeliveriesOf = rowReader(ChannelDeliveries);

/** The refused webhooks of a provider on one day, and the last of them to within a minute. */
const ChannelRefusals = z.object({
  since: Instant,
  lastAt: Instant,
  count: z.int().positive(),
  status: z.int(),
  reason: z.string(),
  /** The provider, or the provider and the account. */
  route: z.string(),
  /** The address from which the last came. */
  source: z.string(),
});
export type ChannelRefusals = z.infer<typeof ChannelRefusals>;
export const channelRefusalsOf = rowReader(ChannelRefusals);
