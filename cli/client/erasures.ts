import * as z from 'zod';
import { SignedReceipt } from '../../core/privacy/receipt.ts';
import { type HubConnection, request } from './request.ts';

const Erasure = z.looseObject({
  id: z.string(),
  state: z.string(),
  /** In steps. */
  progress: z.object({ done: z.number(), total: z.number().optional() }).optional(),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
  receipt: SignedReceipt.optional(),
});
export type Erasure = z.infer<typeof Erasure>;

const ErasureList = z.object({
  items: z.array(
    z.looseObject({ id: z.string(), askedAt: z.string(), by: z.string(), finishedAt: z.string().optional() }),
  ),
});

interface ErasureRequest {
  /** Any identifier of the person. */
  readonly customer: string;
  readonly by: string;
  readonly reason?: string;
}

export const requestErasure = (hub: HubConnection, body: ErasureRequest): Promise<Erasure> =>
  request(hub, { method: 'POST', path: ['erasures'], body }, Erasure);

export const getErasure = (hub: HubConnection, id: string): Promise<Erasure> =>
  request(hub, { method: 'GET', path: ['erasures', id] }, Erasure);

/** Starts a new job for an erasure whose job failed or was cancelled. */
export const resumeErasure = (hub: HubConnection, id: string): Promise<Erasure> =>
  request(hub, { method: 'POST', path: ['erasures', id, 'resume'] }, Erasure);

/** Newest first; with `identifier` those of one person. */
export const listErasures = (hub: HubConnection, identifier?: string): Promise<z.infer<typeof ErasureList>> =>
  request(hub, { method: 'GET', path: ['erasures'], query: { identifier } }, ErasureList);
