import { expect, it } from 'vitest';
import type { SendAll } from '../../../functions/aws/clients/queue-many.ts';
import type { BusEvent } from '../../../functions/contracts/events/catalogue.ts';
import { ProjectionMessage } from '../../../functions/contracts/messages/projections.ts';
import { SyncMessage } from '../../../functions/contracts/messages/sync.ts';
import { publishInBatches } from '../../../functions/record/batches.ts';

const at = '2026-03-02T09:00:00.000Z';
const customer = {
  ...{ id: 'ada', profileId: 'ada', identifiers: ['phone'], tags: [], traits: {}, consent: {} },
  ...{ preferences: {}, firstSeenAt: at, lastSeenAt: at, isNew: false },
};
const recorded = (id: string): BusEvent => ({
  type: 'interaction.recorded',
  at,
  detail: {
    ...{ id, kind: 'message', channel: 'sms', provider: 'twilio', direction: 'inbound', occurredAt: at },
    ...{ identifiers: ['phone:+14155550100'], customer },
  },
});
const created: BusEvent = { type: 'customer.created', at, detail: { customer } };

/** A queue that refuses the given positions of every batch. */
const queue = (refused: readonly number[] = []) => {
  const sent: unknown[] = [];
  const send: SendAll = async (messages) => {
    sent.push(...messages.map((one) => JSON.parse(typeof one === 'string' ? one : one.body)));
    return new Set(refused);
  };
  return { sent, send };
};
const published: BusEvent[] = [];
const publish = async (events: readonly BusEvent[]): Promise<boolean[]> => {
  published.splice(0, Infinity, ...events);
  return events.map(() => true);
};
/** The ids of the interactions that the rules of the queues skip. */
const skipped = (): string[] =>
  published.flatMap((one) =>
    one.type === 'interaction.recorded' && one.detail.batched ? [one.detail.id] : [],
  );

it('hands the interactions of a batch to every queue, and says so in their events', async () => {
  const [projections, sync] = [queue(), queue()];
  const use = publishInBatches({ projections: projections.send, syncs: [sync.send] }, publish);
  expect(await use([recorded('a'), created, recorded('b')])).toEqual([true, true, true]);
  expect(published.map(({ type }) => type)).toEqual([
    'interaction.recorded',
    'customer.created',
    'interaction.recorded',
  ]);
  expect(skipped()).toEqual(['a', 'b']);
  const named = { profileId: 'ada', occurredAt: at };
  expect(projections.sent.map((one) => ProjectionMessage.parse(one))).toEqual(
    ['a', 'b'].map((interaction) => ({ event: 'interaction.recorded', ...named, interaction })),
  );
  expect(sync.sent.map((one) => SyncMessage.parse(one))).toEqual(
    ['a', 'b'].map((interaction) => ({ ...named, interaction })),
  );
});

it('leaves to the rules what one of the queues did not accept', async () => {
  const use = publishInBatches({ projections: queue([1]).send, syncs: [queue([2]).send] }, publish);
  await use([recorded('a'), recorded('b'), recorded('c')]);
  expect(skipped()).toEqual(['a']);
});

it('leaves an interaction to the rules that is alone', async () => {
  const projections = queue();
  await publishInBatches({ projections: projections.send, syncs: [] }, publish)([recorded('a'), created]);
  expect([projections.sent, skipped()]).toEqual([[], []]);
});
