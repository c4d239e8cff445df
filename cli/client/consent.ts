import * as z from 'zod';
import { ConsentStatus } from '../../core/consent/consent.ts';
import { Evidence, RecordedAnswer } from '../../core/consent/evidence.ts';
import { Channel, Instant } from '../../core/interaction/interaction.ts';
import { type HubConnection, request } from './request.ts';

/** `evidence`: null where the interaction that proved it has expired. */
const Proven = z.looseObject({ evidence: Evidence.nullable() });
const CustomerConsent = z.object({
  channels: z.array(
    Proven.extend({
      channel: Channel,
      status: ConsentStatus,
      since: Instant,
      addresses: z.array(z.object({ address: z.string(), open: z.boolean() })),
    }),
  ),
  closed: z.array(Proven.extend({ address: z.string(), reason: z.string(), since: Instant })),
  muted: z.array(z.looseObject({ address: z.string(), channel: Channel, since: Instant })),
  preferences: z.looseObject({ channel: Channel.optional() }),
  history: z.array(RecordedAnswer),
});

export const getConsent = (
  hub: HubConnection,
  customerId: string,
): Promise<z.infer<typeof CustomerConsent>> =>
  request(hub, { method: 'GET', path: ['customers', customerId, 'consent'] }, CustomerConsent);
