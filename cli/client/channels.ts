import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const Refusals = z.looseObject({
  since: z.string(),
  lastAt: z.string(),
  /** It may lack those of the last minute. */
  count: z.number(),
  status: z.number(),
  /** Why the last was refused. */
  reason: z.string(),
  /** The provider, or the provider and the account, of the last. */
  route: z.string(),
  source: z.string(),
});
export type Refusals = z.infer<typeof Refusals>;

const Channel = z.looseObject({
  channel: z.string(),
  firstDeliveryAt: z.string().optional(),
  lastDeliveryAt: z.string().optional(),
  refused: Refusals.optional(),
});
export type Channel = z.infer<typeof Channel>;

const Channels = z.object({ items: z.array(Channel), unknown: Refusals.nullable() });

/** What has come of each provider's webhooks, and of those that belong to no provider that is switched on. */
export const listChannels = (hub: HubConnection): Promise<z.infer<typeof Channels>> =>
  request(hub, { method: 'GET', path: ['channels'] }, Channels);
