import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { messageStatuses } from '../../../functions/aws/customers/message-status.ts';
import {
  identifierKey,
  interactionKey,
  messageKey,
  messageStatusKey,
} from '../../../functions/contracts/keys.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import {
  interactionOf,
  messagePointerOf,
  messageStatusOf,
} from '../../../functions/contracts/rows/interactions.ts';
import { ownerOf } from '../../../functions/contracts/rows/people.ts';
import { noPause } from '../../support/no-pause.ts';
import { openTestTable } from '../../support/open-test-table.ts';
import { person } from '../../support/triggers/situations.ts';
import { at, type Conversation, openConversation } from './conversation.ts';

let hub: Conversation;
beforeEach(async () => {
  hub = await openConversation();
});
afterEach(() => hub.stop());

const standingOf = async (provider: string, ref: string) => {
  const [row] = await hub.table.get([messageStatusKey(provider, ref)]);
  return row && messageStatusOf(row);
};
const namesOf = async (ref: string) =>
  Object.values((await standingOf('meta', ref))?.relations ?? {})
    .map(({ kind, status }) => status ?? kind)
    .sort();
const delivered = { kind: 'delivery-status', direction: 'outbound', refersTo: 'wamid.1' } as const;

describe('the status of a message', () => {
  it('is stored with the message, reported once or often, before it or after it', async () => {
    hub.add({ ...delivered, key: 'wamid.1:read', minute: 3, properties: { status: 'read' } });
    await hub.project();
    hub.add({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello' });
    for (const status of ['sent', 'delivered', 'read', 'sent'])
      hub.add({ ...delivered, key: `wamid.1:${status}`, minute: 1, properties: { status } });
    await hub.project();
    expect(await namesOf('wamid.1')).toEqual(['delivered', 'read', 'sent']);
  });

  it('expires with the last interaction that reports it', async () => {
    hub.add({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello' });
    hub.add({ ...delivered, key: 's', minute: 3, properties: { status: 'sent' } });
    await hub.project();
    const years = ((await standingOf('meta', 'wamid.1'))?.expiresAt ?? 0) - Date.parse(at(3)) / 1000;
    expect(Math.round(years / 86_400 / 365)).toBe(3);
  });

  it('is erased with the customer, and the status of the messages of others stays', async () => {
    hub.add({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello all' });
    hub.add({ ...delivered, key: 'ada', minute: 1, properties: { status: 'sent' } });
    const bob = { identifiers: ['phone:+14155550199'] };
    hub.add({ ...bob, key: 'hi', minute: 0, text: 'Hi' });
    hub.add({
      ...delivered,
      ...bob,
      key: 'bob',
      refersTo: 'wamid.2',
      minute: 1,
      properties: { status: 'sent' },
    });
    await hub.project();
    expect(await namesOf('wamid.2')).toEqual(['sent']);
    await hub.api('POST', '/erasures', { customer: 'phone:+14155550199' });
    await hub.project();
    expect(await namesOf('wamid.1')).toEqual(['sent']);
    expect(await standingOf('meta', 'wamid.2')).toBeUndefined();
    await hub.api('POST', '/erasures', { customer: 'phone:+14155550100' });
    await hub.project();
    expect(await standingOf('meta', 'wamid.1')).toBeUndefined();
  });

  it('is removed where the customer was erased between reading and writing', async () => {
    hub.add({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello' });
    hub.add({ ...delivered, key: 's', minute: 1, properties: { status: 'sent' } });
    await hub.settle();
    const profileId = await halfOf('phone:+14155550100');
    const {
      rows: [, row],
    } = await hub.table.page(profileId, { beginsWith: 'at#' });
    if (row === undefined) throw new Error('The status was not stored.');
    const interaction = interactionOf(row);
    await hub.api('POST', '/erasures', { customer: 'phone:+14155550100' });
    await hub.settle();
    await messageStatuses(
      hub.table,
      noPause,
      async () => 1000,
    )({ interactions: [interaction], customers: new Map(), notifications: [] });
    expect(await standingOf('meta', 'wamid.1')).toBeUndefined();
  });
});

const halfOf = async (identifier: string): Promise<string> => {
  const [row] = await hub.table.get([identifierKey(identifier)]);
  if (row === undefined) throw new Error(`Nobody holds ${identifier}.`);
  return `customer#${ownerOf(row).profileId}`;
};

describe('a message whose key is not the id that others give it', () => {
  it('is found by references, and a report does not replace it', async () => {
    hub.add({
      key: 'update:1',
      externalId: '7:1',
      provider: 'telegram',
      channel: 'telegram',
      minute: 0,
      text: 'Hi',
    });
    await hub.settle();
    hub.add({
      key: 'update:2',
      externalId: '7:1',
      provider: 'telegram',
      channel: 'telegram',
      minute: 1,
      kind: 'edit',
      refersTo: '7:1',
    });
    hub.add({
      key: 'update:3',
      externalId: '7:1',
      provider: 'telegram',
      channel: 'telegram',
      minute: 2,
      ...{
        kind: 'delivery-status',
        direction: 'outbound',
        refersTo: '7:1',
        identifiers: [],
        properties: { status: 'read' },
      },
    });
    await hub.settle();
    const [pointer] = await hub.table.get([messageKey('telegram', '7:1')]);
    expect(pointer && messagePointerOf(pointer).address.occurredAt).toBe(at(0));
    expect(await hub.timeline()).toHaveLength(3);
  });
});

describe('batches in any order, with duplicates, and several at once', () => {
  const Told = fc.array(
    fc.record({
      id: fc.nat({ max: 25 }),
      ref: fc.constantFrom('wamid.1', 'wamid.2'),
      what: fc.constantFrom<Partial<Interaction>>(
        { kind: 'read' },
        { kind: 'edit' },
        { kind: 'open' },
        { kind: 'reaction', text: '👍' },
        { kind: 'delivery-status', properties: { status: 'sent' } },
      ),
    }),
    { minLength: 1, maxLength: 40 },
  );

  it('store the same status of every message', async () => {
    await fc.assert(
      fc.asyncProperty(Told, fc.array(fc.nat({ max: 39 }), { maxLength: 20 }), async (told, again) => {
        const interactions = told.map(({ id, ref, what }) =>
          stored({ ...what, id: JSON.stringify([id, ref, what]), refersTo: ref, occurredAt: at(id % 5) }),
        );
        const keptOf = async (batches: readonly (readonly StoredInteraction[])[]) => {
          const { rows: table } = await openTestTable();
          for (const one of interactions) await table.put({ ...interactionKey(one), ...one });
          const use = messageStatuses(table, noPause, async () => 1000);
          await Promise.all(
            batches.map((batch) => use({ interactions: batch, customers: new Map(), notifications: [] })),
          );
          const found = await table.get(['wamid.1', 'wamid.2'].map((ref) => messageStatusKey('meta', ref)));
          return new Map(found.map((row) => [row.pk, messageStatusOf(row).relations]));
        };
        const whole = await keptOf([interactions]);
        const parts = await keptOf([
          interactions.filter((_, position) => position % 3 === 2).toReversed(),
          again.flatMap((position) => interactions[position] ?? []),
          interactions.filter((_, position) => position % 3 === 1),
          interactions.filter((_, position) => position % 3 === 0).toReversed(),
        ]);
        expect(parts).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });
});

const stored = (told: Partial<Interaction> & { id: string; occurredAt: string }): StoredInteraction => ({
  ...{
    kind: 'message',
    channel: 'whatsapp',
    provider: 'meta',
    direction: 'inbound',
    identifiers: [],
    ...told,
  },
  ...{ profileId: 'ada', receivedAt: told.occurredAt, customer: snapshotCustomer(person(), 'ada', false) },
});
