import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type FieldStates,
  planAdoption,
  planReport,
  planUpdate,
  withAnswer,
} from '../../../core/crm/state.ts';
import { contactFields, minute } from './contact-fields.ts';

const fields = contactFields({ Title: 'two-way' });

type Act =
  | { readonly do: 'edit-ours'; readonly value: string }
  | { readonly do: 'edit-theirs'; readonly value: string }
  | { readonly do: 'write'; readonly answered: boolean }
  | { readonly do: 'report'; readonly at: number; readonly isRepeated: boolean }
  | { readonly do: 'learn' };

const value = fc.constantFrom('a', 'b', 'c');
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('edit-ours' as const), value }),
  fc.record({ do: fc.constant('edit-theirs' as const), value }),
  fc.record({ do: fc.constant('write' as const), answered: fc.boolean() }),
  fc.record({ do: fc.constant('report' as const), at: fc.nat(9), isRepeated: fc.boolean() }),
  fc.record({ do: fc.constant('learn' as const) }),
);

/** The hub and a CRM with one field of one contact. Reports say that something changed; the record is read when they come. */
class World {
  ours: string;
  theirs: string;
  at = 0;
  #now = 0;
  #states: FieldStates;
  /** Changes in the CRM of which the hub has not heard. */
  readonly reports: number[] = [];
  /** What was sent to be recorded. */
  readonly inbound: string[] = [];

  constructor(ours: string, theirs: string) {
    this.ours = ours;
    this.theirs = theirs;
    const held = { fields: { Title: theirs }, modifiedAt: minute(0) };
    this.#states = planAdoption(fields, this.#having(), held).states;
  }

  do(one: Act): void {
    if (one.do === 'edit-ours') this.ours = one.value;
    else if (one.do === 'edit-theirs') this.#change(one.value);
    else if (one.do === 'write') this.write(one.answered);
    else if (one.do === 'learn') this.learn();
    else if (this.reports.length > 0) this.report(one.at % this.reports.length, one.isRepeated);
  }

  /** Whether something was written. */
  write(answered: boolean): boolean {
    const { write, states } = planUpdate(fields, this.#having(), this.#states);
    if (!('Title' in write)) {
      this.#states = states;
      return false;
    }
    this.#change(String(write['Title']));
    this.#states = answered ? withAnswer(states, { Title: this.theirs }, minute(this.at)) : states;
    return true;
  }

  report(at: number, isRepeated: boolean): void {
    if (!isRepeated) this.reports.splice(at, 1);
    const plan = planReport(fields, this.#having(), this.#states, {
      ...{ fields: { Title: this.theirs }, at: minute(this.at) },
    });
    this.#states = plan.states;
    this.inbound.push(...plan.inbound.map((one) => String(one.value)));
  }

  learn(): void {
    const [first] = this.inbound.splice(0, 1);
    if (first !== undefined) this.ours = first;
  }

  /** Changes come hours apart, so that no field is contested. */
  #change(next: string): void {
    this.#now += 90;
    [this.theirs, this.at] = [next, this.#now];
    this.reports.push(this.#now);
  }

  #having() {
    return { values: { Title: this.ours }, fallbacks: {} };
  }
}

/** Lets everything arrive; returns the number of rounds in which something was written. */
const settle = (world: World): number => {
  let rounds = 0;
  do {
    while (world.reports.length > 0) world.report(0, false);
    while (world.inbound.length > 0) world.learn();
    rounds++;
  } while (rounds < 20 && (world.write(false) || world.reports.length > 0));
  return rounds;
};

it('the hub and the CRM end equal, whatever order changes, writes and reports come in', () => {
  fc.assert(
    fc.property(value, fc.array(act, { maxLength: 30 }), (start, acts) => {
      const world = new World(start, start);
      for (const one of acts) world.do(one);
      expect(settle(world)).toBeLessThan(6);
      expect(world.ours).toBe(world.theirs);
      const [ours, { at }] = [world.ours, world];
      world.reports.push(at);
      settle(world);
      expect([world.ours, world.theirs, world.at]).toEqual([ours, ours, at]);
    }),
    { numRuns: 300 },
  );
});

it('what a person typed in the CRM remains, unless the hub changes after it was heard', () => {
  fc.assert(
    fc.property(value, value, fc.array(act, { maxLength: 20 }), (start, typed, acts) => {
      const world = new World(start, start);
      for (const one of acts) world.do(one);
      settle(world);
      world.do({ do: 'edit-theirs', value: `${typed} by hand` });
      settle(world);
      expect([world.ours, world.theirs]).toEqual([`${typed} by hand`, `${typed} by hand`]);
    }),
  );
});
