import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { clientConfig } from './config.ts';

/** An event for the bus; the source is always `tributary`. */
export interface Publication {
  readonly type: string;
  readonly detail: object;
  /** ISO 8601. */
  readonly at: string;
}

export type Publish = (events: readonly Publication[]) => Promise<boolean[]>;

const ENTRIES_PER_CALL = 10;

/** Puts events on the hub's bus, ten a call; true for each one that the bus has taken. */
export const bus = (runtime: Runtime): Publish => {
  const name = z
    .string({ error: 'BUS is not set: the stack gives every publishing function the name of its bus' })
    .parse(runtime.env['BUS']);
  const client = new EventBridgeClient(clientConfig(runtime));
  return async (events) => {
    const taken: boolean[] = [];
    for (let start = 0; start < events.length; start += ENTRIES_PER_CALL) {
      const slice = events.slice(start, start + ENTRIES_PER_CALL);
      const { Entries = [] } = await client.send(
        new PutEventsCommand({
          Entries: slice.map(({ type, detail, at }) => ({
            EventBusName: name,
            Source: 'tributary',
            DetailType: type,
            Detail: JSON.stringify(detail),
            Time: new Date(at),
          })),
        }),
      );
      taken.push(...slice.map((_, position) => Entries[position]?.EventId !== undefined));
    }
    return taken;
  };
};
