import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snapshot } from '../../../core/identity/customer.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { standings } from '../../../functions/aws/customers/message-status.ts';
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
import { person } from '../../support/situations.ts';
import { countedTable } from '../../tools/bench/table.ts';
import { at, openStory, type Story } from './story.ts';

let story: Story;
beforeEach(async () => {
  story = await openStory();
});
afterEach(() => story.cloud.stop());

const standingOf = async (provider: string, ref: string) => {
  const [row] = await story.table.get([messageStatusKey(provider, ref)]);
  return row && messageStatusOf(row);
};
const namesOf = async (ref: string) =>
  Object.values((await standingOf('meta', ref))?.relations ?? {})
    .map(({ kind, status }) => status ?? kind)
    .sort();
const delivered = { kind: 'delivery-status', direction: 'outbound', refersTo: 'wamid.1' } as const;

describe('what became of a message', () => {
  it('is kept with the message, told once or often, before it or after', async () => {
    story.tell({ ...delivered, key: 'wamid.1:read', minute: 3, properties: { status: 'read' } });
    await story.kept();
    story.tell({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello' });
    for (const status of ['sent', 'delivered', 'read', 'sent'])
      story.tell({ ...delivered, key: `wamid.1:${status}`, minute: 1, properties: { status } });
    await story.kept();
    expect(await namesOf('wamid.1')).toEqual(['delivered', 'read', 'sent']);
  });

  it('lives as long as what tells it', async () => {
    story.tell({ ...delivered, key: 's', minute: 3, properties: { status: 'sent' } });
    await story.kept();
    const years = ((await standingOf('meta', 'wamid.1'))?.expiresAt ?? 0) - Date.parse(at(3)) / 1000;
    expect(Math.round(years / 86_400 / 365)).toBe(3);
  });

  it('goes with the person, and what others have told of the same message stays', async () => {
    story.tell({ key: 'wamid.1', minute: 0, kind: 'echo', direction: 'outbound', text: 'Hello all' });
    story.tell({ ...delivered, key: 'ada', minute: 1, properties: { status: 'sent' } });
    const bob = { identifiers: ['phone:+14155550199'] };
    story.tell({ ...delivered, ...bob, key: 'bob', minute: 1, properties: { status: 'sent' } });
    story.tell({
      ...delivered,
      ...bob,
      key: 'bob2',
      refersTo: 'wamid.2',
      minute: 1,
      properties: { status: 'sent' },
    });
    await story.kept();
    expect(await namesOf('wamid.1')).toEqual(['sent', 'sent']);
    await story.api('POST', '/erasures', { customer: 'phone:+14155550199' });
    await story.kept();
    expect(await namesOf('wamid.1')).toEqual(['sent']);
    expect(await standingOf('meta', 'wamid.2')).toBeUndefined();
    await story.api('POST', '/erasures', { customer: 'phone:+14155550100' });
    await story.kept();
    expect(await standingOf('meta', 'wamid.1')).toBeUndefined();
  });

  it('is taken back where the person was erased between reading and writing', async () => {
    story.tell({ ...delivered, key: 's', minute: 1, properties: { status: 'sent' } });
    await story.settle();
    const profileId = await halfOf('phone:+14155550100');
    const {
      rows: [row],
    } = await story.table.page(profileId, { beginsWith: 'at#' });
    if (row === undefined) throw new Error('The status was not stored.');
    const interaction = interactionOf(row);
    await story.api('POST', '/erasures', { customer: 'phone:+14155550100' });
    await story.settle();
    await standings(
      story.table,
      async () => 1000,
    )({ interactions: [interaction], customers: new Map(), unsent: [] });
    expect(await standingOf('meta', 'wamid.1')).toBeUndefined();
  });
});

const halfOf = async (identifier: string): Promise<string> => {
  const [row] = await story.table.get([identifierKey(identifier)]);
  if (row === undefined) throw new Error(`Nobody holds ${identifier}.`);
  return `customer#${ownerOf(row).profileId}`;
};

describe('a message whose key is not the id that others give it', () => {
  it('is found by what refers to it, and what is told of it does not take its place', async () => {
    story.tell({
      key: 'update:1',
      externalId: '7:1',
      provider: 'telegram',
      channel: 'telegram',
      minute: 0,
      text: 'Hi',
    });
    await story.settle();
    story.tell({
      key: 'update:2',
      externalId: '7:1',
      provider: 'telegram',
      channel: 'telegram',
      minute: 1,
      kind: 'edit',
      refersTo: '7:1',
    });
    story.tell({
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
    await story.settle();
    const [pointer] = await story.table.get([messageKey('telegram', '7:1')]);
    expect(pointer && messagePointerOf(pointer).address.occurredAt).toBe(at(0));
    expect(story.timeline()).toHaveLength(3);
  });
});

describe('batches that come in any order, in part twice, and several at once', () => {
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

  it('keep the same of every message', async () => {
    await fc.assert(
      fc.asyncProperty(Told, fc.array(fc.nat({ max: 39 }), { maxLength: 20 }), async (told, again) => {
        const interactions = told.map(({ id, ref, what }) =>
          stored({ ...what, id: JSON.stringify([id, ref, what]), refersTo: ref, occurredAt: at(id % 5) }),
        );
        const keptOf = async (batches: readonly (readonly StoredInteraction[])[]) => {
          const { rows: table } = await countedTable();
          for (const one of interactions) await table.put({ ...interactionKey(one), ...one });
          const use = standings(table, async () => 1000);
          await Promise.all(
            batches.map((batch) => use({ interactions: batch, customers: new Map(), unsent: [] })),
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
  ...{ profileId: 'ada', receivedAt: told.occurredAt, customer: snapshot(person(), 'ada', false) },
});
