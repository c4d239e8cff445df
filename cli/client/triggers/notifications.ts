import * as z from 'zod';
import { SignedEvidence } from '../../../core/triggers/why/evidence.ts';
import { type HubConnection, request } from '../request.ts';

const Line = z.looseObject({
  id: z.string(),
  trigger: z.string(),
  version: z.number(),
  status: z.string(),
  at: z.string(),
  /** What became of it and why, in one sentence. */
  summary: z.string(),
});
export type NotificationLine = z.infer<typeof Line>;

const Explained = Line.extend({
  sentences: z.array(z.string()),
  /** What would have decided otherwise, nearest first. */
  nearest: z.array(z.string()),
});

/** The last decisions about a customer, newest first. */
export const listNotifications = async (
  hub: HubConnection,
  customerId: string,
  limit: number,
): Promise<NotificationLine[]> =>
  (
    await request(
      hub,
      { method: 'GET', path: ['customers', customerId, 'notifications'], query: { limit: String(limit) } },
      z.object({ items: z.array(Line) }),
    )
  ).items;

export const explainNotification = (hub: HubConnection, id: string): Promise<z.infer<typeof Explained>> =>
  request(hub, { method: 'GET', path: ['notifications', id] }, Explained);

/** Everything about a decision on one signed sheet. */
export const getEvidence = (hub: HubConnection, id: string): Promise<SignedEvidence> =>
  request(hub, { method: 'GET', path: ['notifications', id, 'evidence'] }, SignedEvidence);
