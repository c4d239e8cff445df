import type { Publish } from '../aws/clients/bus.ts';
import type { SendAll } from '../aws/clients/queue-many.ts';
import type { BusEvent } from '../contracts/events/catalogue.ts';
import type { ProjectionMessage } from '../contracts/messages/projections.ts';
import type { SyncMessage } from '../contracts/messages/sync.ts';

/** The queues of the functions that work on every interaction. */
interface InteractionQueues {
  readonly projections: SendAll;
  /** One of each CRM. */
  readonly syncs: readonly SendAll[];
}

type Recorded = Extract<BusEvent, { type: 'interaction.recorded' }>;

/**
 * Publishes events, and hands the interactions among them to the hub's own queues first: ten messages are one request there,
 * and ten from a rule. An event says that its interaction was handed over, so that the rules of these queues skip it; what a
 * queue did not accept, and an interaction that is alone, takes the rules. Resolves like `publish`.
 */
export const publishInBatches =
  ({ projections, syncs }: InteractionQueues, publish: Publish): Publish =>
  async (events) => {
    const recorded = events.filter((event) => event.type === 'interaction.recorded');
    if (recorded.length < 2) return publish(events);
    const refused = await Promise.all([
      projections(recorded.map((one) => JSON.stringify(projectionOf(one)))),
      ...syncs.map((send) => send(recorded.map((one) => JSON.stringify(syncOf(one))))),
    ]);
    const batched = new Set<BusEvent>(
      recorded.filter((_, position) => refused.every((positions) => !positions.has(position))),
    );
    return publish(events.map((event) => (batched.has(event) ? asBatched(event) : event)));
  };

const asBatched = (event: BusEvent): BusEvent =>
  event.type === 'interaction.recorded' ? { ...event, detail: { ...event.detail, batched: true } } : event;

/** As the rules of the queues write it: see `infra/stack/functions`. */
const syncOf = ({ detail: { id, occurredAt, customer } }: Recorded): SyncMessage => ({
  profileId: customer.profileId,
  interaction: id,
  occurredAt,
});

const projectionOf = (event: Recorded): ProjectionMessage => ({
  event: event.type,
  profileId: event.detail.customer.profileId,
  interaction: event.detail.id,
  occurredAt: event.detail.occurredAt,
});
