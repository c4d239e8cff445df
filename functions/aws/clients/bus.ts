import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { clientConfig } from './config.ts';

/** Puts events on the hub's bus. Resolves to one boolean per event, in order: whether the bus accepted it. */
export type Publish = (events: readonly BusEvent[]) => Promise<boolean[]>;

/** The limit of one PutEvents call. */
const ENTRIES_PER_CALL = 10;

/**
 * The hub's bus. PutEvents answers 200 even where it refuses entries: an entry without an `EventId` was not accepted
 * (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html). Rejects with the SDK's error where a
 * whole call fails.
 */
export const bus = (runtime: Runtime): Publish => {
  const name = z
    .string({ error: 'BUS is not set: the stack gives every publishing function the name of its bus' })
    .parse(runtime.env['BUS']);
  const client = new EventBridgeClient(clientConfig(runtime));
  return async (events) => {
    const accepted: boolean[] = [];
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
      accepted.push(...slice.map((_, position) => Entries[position]?.EventId !== undefined));
    }
    return accepted;
  };
};

/**
 * Puts one event on the hub's bus. Rejects with `HubError` `unpublished-events` (later) where the bus refuses it, so that the
 * queue delivers the message again and the event is published then.
 */
export const publisher = (runtime: Runtime): ((event: BusEvent) => Promise<void>) => {
  const publish = bus(runtime);
  return async (event) => {
    const [isAccepted] = await publish([event]);
    if (isAccepted !== true) throw unpublished(event.type);
  };
};

const unpublished = (type: string): HubError =>
  new HubError(
    'unpublished-events',
    `EventBridge refused the event ${type}. The message is retried automatically, and the event is published then.`,
    { retry: 'later' },
  );
