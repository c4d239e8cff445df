import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const ResponseTimes = z.looseObject({ count: z.number(), medianSeconds: z.number().optional() });

/** Counters of one channel, of one day, or of all. */
const FigureSet = z.looseObject({
  inbound: z.number(),
  outbound: z.number(),
  events: z.number(),
  notifications: z.object({ sent: z.number(), failed: z.number(), suppressed: z.number() }),
  bounced: z.number(),
  complained: z.number(),
  undelivered: z.number(),
  /** From 0 to 1. */
  failureShare: z.number(),
  response: ResponseTimes,
  firstResponse: ResponseTimes,
});
export type FigureSet = z.infer<typeof FigureSet>;

const Figures = z.object({
  /** The first and the last day, in `timeZone`. */
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
  items: z.array(FigureSet.extend({ day: z.string(), channel: z.string() })),
  channels: z.record(z.string(), FigureSet),
  total: FigureSet,
});
export type Figures = z.infer<typeof Figures>;

/** Dates like 2026-03-02. Default: the last seven days. */
interface FigureDays {
  readonly days: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export const getFigures = (hub: HubConnection, { days, from, to }: FigureDays): Promise<Figures> =>
  request(hub, { method: 'GET', path: ['figures'], query: { days, from, to } }, Figures);
