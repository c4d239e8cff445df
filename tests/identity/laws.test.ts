import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../core/errors.ts';
import { IdentityConfig } from '../../core/identity.ts';
import type { Interaction } from '../../core/interaction.ts';
import { People } from '../../core/people.ts';
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

const act = (id: number, identifiers: readonly string[], minute: number): Interaction => ({
  id: `i${id}`,
  kind: 'message',
  channel: 'sms',
  provider: 'twilio',
  direction: 'inbound',
  occurredAt: instant(minute),
  identifiers: [...identifiers],
});

const named = fc.subarray(pool, { minLength: 1, maxLength: 3 });
const minute = fc.integer({ min: 0, max: 50 });
const Operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('act' as const), named, minute }) },
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
const newPeople = (): People => new People({ halves: [], owners: [] }, config, counter());

/** Ids of a run are compared by what they hold: whoever holds the same identifiers is the same customer. */
const customersOf = (people: People): string[] => {
  const roots = new Set(
    pool.flatMap((one) => people.owner(one) ?? []).map((half) => people.customer(half).id),
  );
  return [...roots].map((root) => [...people.customer(root).identifiers].sort().join(' ')).sort();
};

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
          const { half } = people.place(interaction, undefined, instant(60));
          if (half === undefined) waiting.push(interaction.id);
          else placed.set(interaction.id, half);
          const { id, identifiers, occurredAt } = interaction;
          model.give({ id, identifiers, at: Date.parse(occurredAt) });
        };
        for (const [at, operation] of operations.entries()) {
          if (operation.type === 'act') {
            const fresh = act(at, operation.named, operation.minute);
            given.push(fresh);
            give(fresh);
          }
          const before = operation.type === 'again' ? given[operation.which] : undefined;
          if (before) give(before);
          if (operation.type === 'merge') {
            const [keep, other] = [people.owner(operation.keep), people.owner(operation.other)];
            if (keep !== undefined && other !== undefined)
              people.mergeByHand(keep, other, { at: instant(60), by: 'ada', cause: `m${at}` });
            model.mergeByHand(operation.keep, operation.other);
          }
          if (operation.type === 'unmerge') {
            const half = people.owner(operation.whose);
            const undone =
              half !== undefined && succeeds(() => people.unmerge(half, { at: instant(60), by: 'ada' }));
            expect(model.unmerge(operation.whose)).toBe(undone);
          }
        }
        const timelines = new Map<string, string[]>();
        for (const [id, half] of placed) {
          const root = people.customer(half).id;
          timelines.set(root, [...(timelines.get(root) ?? []), id].sort());
        }
        const ours = [...timelines].map(
          ([root, acts]) => `${[...people.customer(root).identifiers].sort()} | ${acts}`,
        );
        const tops = new Set(model.parts.map((one) => model.top(one)));
        const theirs = [...tops].map((top) => {
          const whole = model.whole(top);
          return `${whole.flatMap(({ identifiers }) => identifiers).sort()} | ${whole
            .flatMap(({ acts }) => acts.map(({ id }) => id))
            .sort()}`;
        });
        expect(ours.sort()).toEqual(theirs.sort());
        expect(waiting.length).toBe(model.waiting);
      }),
      { numRuns: 4000, seed: 20260301 },
    );
  });

  it('is the same after a merge by hand that was taken back, but for the pair being told apart', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(named, minute), { minLength: 2, maxLength: 10 }),
        fc.constantFrom(...pool),
        fc.constantFrom(...pool),
        (acts, keep, other) => {
          const people = newPeople();
          for (const [at, [identifiers, when]] of acts.entries())
            people.place(act(at, identifiers, when), undefined, instant(60));
          const [one, two] = [people.owner(keep), people.owner(other)];
          fc.pre(
            one !== undefined && two !== undefined && people.customer(one).id !== people.customer(two).id,
          );
          if (one === undefined || two === undefined) return;
          const before = [people.customer(one), people.customer(two)];
          people.mergeByHand(one, two, { at: instant(60), by: 'ada', cause: 'm' });
          expect(people.customer(one).id).toBe(people.customer(two).id);
          people.unmerge(two, { at: instant(61), by: 'ada' });
          for (const [position, half] of [one, two].entries()) {
            const { halves: _now, ...after } = people.customer(half);
            const { halves: _then, ...then } = before[position] ?? people.customer(half);
            expect(after).toEqual(then);
          }
        },
      ),
      { numRuns: 1000, seed: 20260302 },
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
            const people = new People({ halves: [], owners: [] }, roomy, counter());
            for (const interaction of order) people.place(interaction, undefined, instant(60));
            return customersOf(people);
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
    if (error instanceof HubError && error.code === 'not-merged') return false;
    throw error;
  }
};
