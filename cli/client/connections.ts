import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const stop = { since: z.string(), code: z.string(), reason: z.string(), nextProbeAt: z.string() };

const Connection = z.looseObject({
  crm: z.string(),
  status: z.string(),
  /** The account of the CRM in which people are linked to records. */
  account: z.string().optional(),
  /** Messages that wait in the queue of the CRM. */
  waiting: z.number(),
  /** When the CRM last answered a call, as far as the hub recorded it. */
  answeredAt: z.string().optional(),
  ...z.object(stop).partial().shape,
  parked: z.array(z.looseObject({ object: z.string(), waiting: z.number(), ...stop })),
});
export type Connection = z.infer<typeof Connection>;

const SenderState = z.looseObject({
  sender: z.string(),
  status: z.string(),
  ...z.object({ since: z.string(), reason: z.string(), until: z.string() }).partial().shape,
});
export type SenderState = z.infer<typeof SenderState>;

const Page = z.object({ items: z.array(Connection), senders: z.array(SenderState).default([]) });

/** The connections to the CRMs and the senders. */
export const readConnections = (hub: HubConnection): Promise<z.output<typeof Page>> =>
  request(hub, { method: 'GET', path: ['connections'] }, Page);

/** Lets the hub find out at once whether a CRM works. `account`: the one in which it is to go on. */
export const probeConnection = async (hub: HubConnection, crm: string, account?: string): Promise<void> => {
  const body = account === undefined ? {} : { body: { account } };
  await request(hub, { method: 'POST', path: ['connections', crm, 'probe'], ...body }, z.looseObject({}));
};
