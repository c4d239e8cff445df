import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { isKnown, mergeFacts, messageState } from '../../../core/interaction/message-status.ts';
import {
  MessageStatus,
  type Relation,
  type Relations,
  relationOf,
} from '../../../core/interaction/relation.ts';

const START = Date.parse('2026-03-01T09:00:00Z');
const at = (minute: number): string => new Date(START + minute * 60_000).toISOString();
const profileIds = new Set(['ada', 'ada-on-whatsapp']);

const act = (told: Partial<Interaction>, profileId = 'ada'): Interaction & { profileId: string } => ({
  ...{ id: 'i', kind: 'delivery-status', channel: 'sms', provider: 'twilio', direction: 'outbound' },
  ...{ occurredAt: at(1), identifiers: [], refersTo: 'SM1', ...told },
  profileId,
});
const message = act({ id: 'm', kind: 'message', externalId: 'SM1', occurredAt: at(0) });

const relationsOf = (...acts: readonly (Interaction & { profileId: string })[]): Relations =>
  acts.reduce<Relations>((sum, one) => {
    const relation = relationOf(one);
    return relation ? mergeFacts(sum, { [one.id]: relation }) : sum;
  }, {});
const standingAfter = (...acts: readonly (Interaction & { profileId: string })[]) =>
  messageState(message, relationsOf(...acts), profileIds);

const status = (id: string, name: string, minute: number, rest: Partial<Interaction> = {}) =>
  act({ id, occurredAt: at(minute), properties: { status: name }, ...rest });

describe('the status of a message', () => {
  it('is the furthest one reached, in any order of reports, with the first time of each', () => {
    expect(
      standingAfter(
        status('s1', 'sent', 1),
        status('s3', 'read', 4, { kind: 'read', direction: 'inbound' }),
        status('s2', 'delivered', 2),
        status('again', 'delivered', 9),
        status('late', 'QUEUED', 10),
      ).status,
    ).toEqual({
      name: 'read',
      at: at(4),
      history: [
        { name: 'sent', at: at(1), interaction: 's1' },
        { name: 'delivered', at: at(2), interaction: 's2' },
        { name: 'read', at: at(4), interaction: 's3' },
        { name: 'accepted', at: at(10), interaction: 'late' },
      ],
    });
  });

  it('is failed also after it was delivered', () => {
    const { status: told } = standingAfter(
      status('d', 'delivered', 1),
      act({ id: 'b', kind: 'bounce', occurredAt: at(5) }),
    );
    expect(told).toMatchObject({ name: 'delivered', failed: { at: at(5), interaction: 'b' } });
  });

  it('begins with sent where the hub sent it', () => {
    const sent = { ...message, kind: 'notification' as const, properties: { status: 'sent' } };
    expect(messageState(sent, {}, profileIds).status).toMatchObject({ name: 'sent', at: at(0) });
    expect(messageState(message, {}, profileIds)).toEqual({});
  });

  it('has the last edit, and the first deletion with its author', () => {
    expect(
      standingAfter(
        act({ id: 'e2', kind: 'edit', direction: 'inbound', occurredAt: at(3) }),
        act({ id: 'e1', kind: 'edit', direction: 'inbound', occurredAt: at(2) }),
        act({ id: 'd', kind: 'delete', direction: 'inbound', occurredAt: at(4) }),
      ),
    ).toEqual({
      edited: { at: at(3), interaction: 'e2' },
      deleted: { at: at(4), interaction: 'd', by: 'customer' },
    });
  });

  it('has the current reactions: a new one replaces the one before, or is added where the provider says so', () => {
    const react = (id: string, minute: number, text: string, properties?: Interaction['properties']) =>
      act({
        ...{ id, kind: 'reaction', direction: 'inbound', occurredAt: at(minute), text },
        ...(properties && { properties }),
      });
    expect(standingAfter(react('1', 1, '👍'), react('2', 2, '❤️')).reactions).toEqual([
      { by: 'customer', emoji: '❤️', at: at(2) },
    ]);
    expect(standingAfter(react('1', 1, '👍'), react('2', 2, '')).reactions).toBeUndefined();
    const added = { removed: false };
    expect(
      standingAfter(
        react('1', 1, 'wave', added),
        react('2', 2, 'eyes', added),
        react('3', 3, 'wave', { removed: true }),
      ).reactions,
    ).toEqual([{ by: 'customer', emoji: 'eyes', at: at(2) }]);
  });

  it('is reported by the same customer only, and by the same account where two accounts use one id', () => {
    const bobs = act({ id: 'b', properties: { status: 'read' } }, 'bob');
    expect(messageState(message, relationsOf(bobs), profileIds)).toEqual({});
    const elsewhere = relationsOf(status('s', 'sent', 1, { account: 'paris' }));
    expect(messageState({ ...message, account: 'rome' }, elsewhere, profileIds)).toEqual({});
    expect(messageState({ ...message, account: 'paris' }, elsewhere, profileIds).status?.name).toBe('sent');
    expect(messageState(message, elsewhere, profileIds).status?.name).toBe('sent');
  });

  it('counts opens and clicks, up to a bound', () => {
    const opens = Array.from({ length: 60 }, (_, one) =>
      act({ id: `o${one}`, kind: 'open', direction: 'inbound', occurredAt: at(one) }),
    );
    expect(standingAfter(...opens)).toEqual({ opens: 40 });
    expect(standingAfter(act({ id: 'c', kind: 'click', direction: 'inbound' }))).toEqual({ clicks: 1 });
  });

  it('ignores reports without a message or with an unknown status', () => {
    expect(relationOf(act({ refersTo: undefined }))).toBeUndefined();
    expect(relationOf(status('s', 'AutoResponder', 1))).toBeUndefined();
    expect(relationOf(act({ kind: 'message', refersTo: 'SM0' }))).toBeUndefined();
  });
});

const AnyRelation: fc.Arbitrary<readonly [string, Relation]> = fc
  .record({
    id: fc.nat({ max: 40 }),
    profileId: fc.constantFrom('ada', 'ada-on-whatsapp', 'bob'),
    account: fc.constantFrom(undefined, 'rome'),
    minute: fc.nat({ max: 5 }),
    what: fc.constantFrom(
      ...['sent', 'delivered', 'failed', 'queued'].map((name) => ({ properties: { status: name } })),
      { kind: 'read' as const },
      { kind: 'bounce' as const },
      { kind: 'complaint' as const },
      { kind: 'edit' as const },
      { kind: 'delete' as const },
      { kind: 'open' as const },
      { kind: 'click' as const },
      { kind: 'reaction' as const, text: '👍' },
      { kind: 'reaction' as const, text: '' },
      { kind: 'reaction' as const, text: 'wave', properties: { removed: false } },
      { kind: 'reaction' as const, text: 'wave', properties: { removed: true } },
    ),
  })
  .map(({ id, profileId, account, minute, what }) => {
    // The same id is the same act.
    const interaction = act(
      { ...what, id: JSON.stringify([id, profileId, account, minute, what]), occurredAt: at(minute) },
      profileId,
    );
    const relation = relationOf(account === undefined ? interaction : { ...interaction, account });
    if (relation === undefined) throw new Error(`${JSON.stringify(what)} is about a message`);
    return [interaction.id, relation] as const;
  });
/** Many of what is kept up to a bound. */
const Crowd: fc.Arbitrary<readonly [string, Relation]> = fc
  .record({
    profileId: fc.constantFrom('ada', 'bob'),
    minute: fc.nat({ max: 400 }),
    emoji: fc.nat({ max: 90 }),
  })
  .chain(({ profileId, minute, emoji }) => {
    const base = { profileId, occurredAt: at(minute), direction: 'inbound' as const };
    return fc.constantFrom<readonly [string, Relation]>(
      [`open ${profileId} ${minute}`, { ...base, kind: 'open' }],
      [
        `${profileId} ${emoji} ${minute}`,
        { ...base, kind: 'reaction', emoji: `${emoji}`, reaction: 'added' },
      ],
    );
  });
const Told = fc.oneof(
  { weight: 4, arbitrary: fc.array(AnyRelation, { maxLength: 120 }) },
  { weight: 1, arbitrary: fc.array(Crowd, { minLength: 100, maxLength: 200, size: 'max' }) },
);

describe('reports in any order and number', () => {
  it('give the same status', () => {
    fc.assert(
      fc.property(Told, fc.nat(), fc.nat(), (all, cut, seed) => {
        const inOrder = all.reduce<Relations>((sum, [id, one]) => mergeFacts(sum, { [id]: one }), {});
        const shuffled = all.toSorted(
          ([one], [other]) => ((one.length * 31 + seed) % 97) - ((other.length * 31 + seed) % 97),
        );
        const parts = [shuffled.slice(cut % 50), shuffled.slice(0, (cut % 50) + 10), all];
        const inParts = parts.map((part) => mergeFacts({}, Object.fromEntries(part))).reduce(mergeFacts);
        expect(new Set(Object.keys(inParts))).toEqual(new Set(Object.keys(inOrder)));
        expect(messageState(message, inParts, profileIds)).toEqual(
          messageState(message, inOrder, profileIds),
        );
        for (const [id, one] of all) expect(isKnown(inParts, id, one)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('never goes backwards', () => {
    const rank = (relations: Relations): number => {
      const name = messageState(message, relations, profileIds).status?.name;
      return name === undefined ? -1 : MessageStatus.options.indexOf(name);
    };
    fc.assert(
      fc.property(Told, (all) => {
        let [sum, reached]: [Relations, number] = [{}, -1];
        for (const [id, one] of all) {
          sum = mergeFacts(sum, { [id]: one });
          expect(rank(sum)).toBeGreaterThanOrEqual(reached);
          reached = rank(sum);
        }
      }),
      { numRuns: 100 },
    );
  });
});
