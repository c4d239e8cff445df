import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../../core/errors.ts';
import { unmergeCustomer } from '../../../core/identity/decisions/unmerge.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import { People } from '../../../core/identity/people.ts';
import { resolveInteraction } from '../../../core/identity/resolution.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { Model } from './model.ts';

const config = IdentityConfig.parse({
  identifiers: {
    'user-id': { priority: 1, limit: 1, strong: true },
    email: { priority: 2, limit: 2 },
    phone: { priority: 3, limit: 2 },
    '*': { priority: 4, limit: 2 },
  },
});
const START = Date.parse('2026-03-01T09:00:00Z');
const instant = (minute: number): string => new Date(START + minute * 60_000).toISOString();
const pool = [
  ...['1', '2', '3'].map((one) => `user-id:u${one}`),
  ...['a', 'b', 'c', 'd'].map((one) => `email:${one}@example.com`),
  ...['1', '2', '3', '4'].map((one) => `phone:+1415555010${one}`),
  ...['A', 'B', 'C'].map((one) => `line:U${one}`),
];

const act = (id: number, identifiers: readonly string[], minute: number, text = ''): Interaction => ({
  id: `i${id}`,
  text,
  kind: 'message',
  channel: 'sms',
  provider: 'twilio',
  direction: 'inbound',
  occurredAt: instant(minute),
  identifiers: [...identifiers],
});

const named = fc.subarray(pool, { minLength: 1, maxLength: 3 });
const minute = fc.integer({ min: 0, max: 50 });
const text = fc.constantFrom('Hi', 'Hi', 'START', 'STOP');
const Operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('act' as const), named, minute, text }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again' as const), which: fc.nat({ max: 20 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('merge' as const),
      keep: fc.constantFrom(...pool),
      other: fc.constantFrom(...pool),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('unmerge' as const), whose: fc.constantFrom(...pool) }),
  },
);

const counter = (): (() => string) => {
  let next = 0;
  return () => `c${String(next++).padStart(4, '0')}`;
};
const newPeople = (): People => new People({ sourceProfiles: [], owners: [] }, config, counter());

describe('who is who', () => {
  it('is what the plain model says, after any sequence of interactions, redeliveries, merges and unmerges', () => {
    fc.assert(
      fc.property(fc.array(Operation, { minLength: 1, maxLength: 25 }), (operations) => {
        const people = newPeople();
        // Customers of the model are named by their order of birth, as the product's are told apart below.
        const model = new Model(counter());
        const placed = new Map<string, string>();
        const waiting: string[] = [];
        const given: Interaction[] = [];
        const give = (interaction: Interaction): void => {
          if (placed.has(interaction.id) || waiting.includes(interaction.id)) return;
          const { profileId } = resolveInteraction(people, interaction, undefined, instant(60));
          if (profileId === undefined) waiting.push(interaction.id);
          else placed.set(interaction.id, profileId);
          const { id, identifiers, occurredAt, text } = interaction;
          model.give({ id, identifiers, at: Date.parse(occurredAt), text });
        };
        for (const [at, operation] of operations.entries()) {
          if (operation.type === 'act') {
            const fresh = act(at, operation.named, operation.minute, operation.text);
            given.push(fresh);
            give(fresh);
          }
          const before = operation.type === 'again' ? given[operation.which] : undefined;
          if (before) give(before);
          if (operation.type === 'merge') {
            const [keep, other] = [people.owner(operation.keep), people.owner(operation.other)];
            if (keep !== undefined && other !== undefined)
              mergeManually(people, keep, other, { at: instant(60), by: 'ada', cause: `m${at}` });
            model.mergeByHand(operation.keep, operation.other);
          }
          if (operation.type === 'unmerge') {
            const profileId = people.owner(operation.whose);
            const undone =
              profileId !== undefined &&
              succeeds(() => unmergeCustomer(people, profileId, { at: instant(60), by: 'ada' }));
            expect(model.unmerge(operation.whose)).toBe(undone);
          }
        }
        const timelines = new Map<string, string[]>();
        for (const [id, profileId] of placed) {
          const root = people.customer(profileId).id;
          timelines.set(root, [...(timelines.get(root) ?? []), id].sort());
        }
        const ours = [...timelines].map(
          ([root, acts]) =>
            `${[...people.customer(root).identifiers].sort()} | ${acts} | ${people.customer(root).consent.sms?.status ?? 'unknown'}`,
        );
        const tops = new Set(model.parts.map((one) => model.top(one)));
        const theirs = [...tops].map((top) => {
          const whole = model.whole(top);
          return `${whole.flatMap(({ identifiers }) => identifiers).sort()} | ${whole
            .flatMap(({ acts }) => acts.map(({ id }) => id))
            .sort()} | ${model.consent(top)}`;
        });
        expect(ours.sort()).toEqual(theirs.sort());
        expect(waiting.length).toBe(model.waiting);
        const profileIds = new Set([...placed.values()]);
        const asked = [...profileIds].flatMap(
          (profileId) => people.sourceProfile(profileId).profile.pendingReview,
        );
        expect(asked.length / 2).toBe(model.pairs.size);
      }),
      { numRuns: 4000, seed: 20260301 },
    );
  });

  it('is the same after a manual merge and its unmerge, except that the pair is never merged automatically', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(named, minute), { minLength: 2, maxLength: 10 }),
        fc.constantFrom(...pool),
        fc.constantFrom(...pool),
        (acts, keep, other) => {
          const people = newPeople();
          for (const [at, [identifiers, when]] of acts.entries())
            resolveInteraction(people, act(at, identifiers, when), undefined, instant(60));
          const [one, two] = [people.owner(keep), people.owner(other)];
          fc.pre(
            one !== undefined && two !== undefined && people.customer(one).id !== people.customer(two).id,
          );
          if (one === undefined || two === undefined) return;
          const before = [people.customer(one), people.customer(two)];
          mergeManually(people, one, two, { at: instant(60), by: 'ada', cause: 'm' });
          expect(people.customer(one).id).toBe(people.customer(two).id);
          unmergeCustomer(people, two, { at: instant(61), by: 'ada' });
          for (const [position, profileId] of [one, two].entries()) {
            const { sourceProfiles: _now, ...after } = people.customer(profileId);
            const { sourceProfiles: _then, ...then } = before[position] ?? people.customer(profileId);
            expect(after).toEqual(then);
          }
        },
      ),
      { numRuns: 1000, seed: 20260302 },
    );
  });

  it('gives back, after an unmerge, whom what came since would have made without the merge', () => {
    const roomy = IdentityConfig.parse({ identifiers: { '*': { priority: 4, limit: 50 } } });
    const side = fc.record({
      of: fc.boolean(),
      fresh: fc.boolean(),
      which: fc.nat({ max: 9 }),
      minute,
      text,
    });
    fc.assert(
      fc.property(fc.array(side, { maxLength: 10 }), minute, minute, (since, one, other) => {
        const run = (merged: boolean): unknown => {
          const people = new People({ sourceProfiles: [], owners: [] }, roomy, counter());
          resolveInteraction(
            people,
            act(0, ['email:a@example.com', 'phone:+14155550101'], one),
            undefined,
            instant(60),
          );
          resolveInteraction(
            people,
            act(1, ['email:b@example.com', 'phone:+14155550102'], other),
            undefined,
            instant(60),
          );
          const [left, right] = ['email:a@example.com', 'email:b@example.com'].map(
            (identifier) => people.owner(identifier) ?? '',
          );
          const by = { at: instant(60), by: 'ada', cause: 'm' };
          if (merged) mergeManually(people, left ?? '', right ?? '', by);
          for (const [at, { of, fresh, which, minute: when, text: said }] of since.entries()) {
            const own = of ? ['email:a@example.com', 'phone:+14155550101'] : ['email:b@example.com'];
            // What is learned since is learned by the one who said it.
            const named = [
              own[which % own.length] ?? '',
              ...(fresh ? [`line:${of ? 'A' : 'B'}${which}`] : []),
            ];
            resolveInteraction(people, act(at + 2, named, when, said), undefined, instant(60));
          }
          if (merged) unmergeCustomer(people, right ?? '', by);
          return [left, right].map((profileId) => {
            const { sourceProfiles, ...customer } = people.customer(profileId ?? '');
            return { ...customer, interactions: sourceProfiles.map(({ activity }) => activity.interactions) };
          });
        };
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 500, seed: 20260304 },
    );
  });

  it('gives everyone back when all merges are undone, in whatever order', () => {
    const names = ['email:a@example.com', 'phone:+14155550101', 'line:UA', 'telegram:1', 'viber:1'];
    const pairs = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { maxLength: 8 });
    fc.assert(
      fc.property(pairs, fc.infiniteStream(fc.nat()), (merges, keys) => {
        const people = newPeople();
        for (const [at, one] of names.entries())
          resolveInteraction(
            people,
            act(at, [one], at, at % 2 === 0 ? 'START' : 'STOP'),
            undefined,
            instant(60),
          );
        const profileIds = names.map((one) => people.owner(one) ?? '');
        const everyone = () =>
          profileIds.map((profileId) => {
            const { sourceProfiles: _, ...customer } = people.customer(profileId);
            return customer;
          });
        const before = everyone();
        const made = merges.flatMap(([keep, other], at) => {
          const [one = '', two = ''] = [people.owner(keep), people.owner(other)];
          const merge = mergeManually(people, one, two, { at: instant(60), by: 'ada', cause: `m${at}` });
          return merge ? [{ ...merge, key: Number(keys.next().value) }] : [];
        });
        for (const { id, survivor } of made.sort((one, other) => one.key - other.key))
          unmergeCustomer(people, survivor, { at: instant(61), by: 'ada' }, id);
        expect(everyone()).toEqual(before);
      }),
      { numRuns: 500, seed: 20260305 },
    );
  });

  it('does not depend on the order of arrival where no limit and no strong identifier says so', () => {
    const weak = pool.filter((one) => !one.startsWith('user-id:'));
    const roomy = IdentityConfig.parse({ identifiers: { '*': { priority: 4, limit: 50 } } });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.subarray(weak, { minLength: 1, maxLength: 3 }), minute), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.infiniteStream(fc.nat()),
        (acts, keys) => {
          const given = acts.map(([identifiers, when], at) => ({
            it: act(at, identifiers, when),
            key: Number(keys.next().value),
          }));
          const run = (order: readonly Interaction[]): string[] => {
            const people = new People({ sourceProfiles: [], owners: [] }, roomy, counter());
            const placed = order.map((one) => ({
              id: one.id,
              ...resolveInteraction(people, one, undefined, instant(60)),
            }));
            const timelines = Map.groupBy(placed, ({ profileId = '' }) => people.customer(profileId).id);
            return [...timelines]
              .map(([root, acts]) => {
                const { identifiers, firstSeenAt } = people.customer(root);
                return `${[...identifiers].sort()} | ${acts.map(({ id }) => id).sort()} | ${firstSeenAt}`;
              })
              .sort();
          };
          const shuffled = [...given].sort((one, other) => one.key - other.key);
          expect(run(shuffled.map(({ it }) => it))).toEqual(run(given.map(({ it }) => it)));
        },
      ),
      { numRuns: 1000, seed: 20260303 },
    );
  });
});

const succeeds = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof HubError && error.code === 'unknown-merge') return false;
    throw error;
  }
};
