import { NOW, type TestHub } from '../../support/failing-hub.ts';

export const MINUTE = 60_000;

export interface Told {
  readonly key: string;
  readonly minute: number;
  readonly direction?: 'inbound' | 'outbound';
  readonly channel?: string;
  readonly who?: string;
  readonly name?: string;
}

/** A message of somebody, so many minutes from the beginning. */
export const tell = (
  hub: TestHub,
  { key, minute, direction = 'inbound', channel = 'sms', who = 'phone:+14155550100', name }: Told,
): void => {
  const at = new Date(NOW + minute * MINUTE).toISOString();
  hub.send(/^DeliveriesQueue/, {
    type: 'interaction',
    receivedAt: at,
    interaction: {
      ...{ key, provider: 'test', kind: 'message', channel, direction, text: key },
      ...{ occurredAt: at, identifiers: [who] },
      ...(name !== undefined && { profile: { name: { full: name } } }),
    },
  });
};

/** Until the queues are empty, the window of the projections among them. */
export const rest = (hub: TestHub): Promise<void> => hub.clock.runUntil(hub.clock.now() + MINUTE);
