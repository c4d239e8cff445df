import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueDigest } from '../../../core/crm/change.ts';
import { firstInboundValues } from '../../../core/crm/first-read.ts';
import type { Write } from '../../../core/crm/mapping/fields.ts';
import {
  type FieldState,
  fieldsWithoutBase,
  mayHaveChanged,
  planAdoption,
  planCreation,
  planReport,
  planUpdate,
  withAnswer,
} from '../../../core/crm/state.ts';
import { agreed, contactFields, minute } from './contact-fields.ts';

const writes: readonly Write[] = ['two-way', 'always', 'if-empty', 'crm-owns', 'never'];
const text = fc.constantFrom('a', 'b', 'c', 'd');
const maybeText = fc.option(text, { nil: undefined });
const noFallbacks = { fallbacks: {} };
const ofOne = (write: Write) => contactFields({ Title: write });
const having = (value: string | undefined) => ({
  values: value === undefined ? {} : { Title: value },
  ...noFallbacks,
});

describe('a new record', () => {
  it('gets what the hub has of the fields that it writes, and fallbacks for the rest', () => {
    const fields = contactFields({ A: 'two-way', B: 'always', C: 'if-empty', D: 'crm-owns', E: 'never' });
    const { write, states } = planCreation(fields, {
      values: { A: 'a', C: 'c', D: 'd', E: 'e' },
      fallbacks: { A: 'spare', B: 'spare' },
    });
    expect(write).toEqual({ A: 'a', B: 'spare', C: 'c' });
    expect(Object.keys(states)).toEqual(['A', 'B', 'C']);
    expect(states['B']?.ours).toBeUndefined();
  });

  it('is not written again before something changes, its fallbacks included', () => {
    const fields = contactFields({ A: 'two-way', B: 'always' });
    const ours = { values: { A: 'a' }, fallbacks: { B: 'spare' } };
    expect(planUpdate(fields, ours, planCreation(fields, ours).states).write).toEqual({});
  });
});

describe('a record that is adopted', () => {
  it('keeps every field that it has, whatever the mapping says, and none is emptied', () => {
    const held = fc.record(Object.fromEntries(writes.map((write) => [write, fc.option(text)])));
    const values = fc.record(Object.fromEntries(writes.map((write) => [write, maybeText])));
    const fields = contactFields(Object.fromEntries(writes.map((write) => [write, write])));
    fc.assert(
      fc.property(held, values, values, (theirs, ours, fallbacks) => {
        const plan = planAdoption(
          fields,
          { values: ours, fallbacks },
          { fields: theirs, modifiedAt: minute(0) },
        );
        for (const [name, value] of Object.entries(plan.write)) {
          expect(theirs[name] ?? '').toBe('');
          expect(value).toBe(ours[name] ?? fallbacks[name]);
          expect(['crm-owns', 'never']).not.toContain(name);
        }
        const after = planUpdate(fields, { values: ours, fallbacks }, plan.states);
        expect(after.write).toEqual({});
      }),
    );
  });

  it('is where both sides start from: only a later change of ours is written', () => {
    const fields = ofOne('two-way');
    const { states } = planAdoption(fields, having('ours'), {
      fields: { Title: 'theirs' },
      modifiedAt: minute(0),
    });
    expect(planUpdate(fields, having('ours'), states).write).toEqual({});
    expect(planUpdate(fields, having('newer'), states).write).toEqual({ Title: 'newer' });
  });

  it('tells what the hub lacks, and what the CRM owns', () => {
    const fields = contactFields({ A: 'two-way', B: 'two-way', C: 'crm-owns', D: 'always', E: 'if-empty' });
    const held = { A: 'a', B: 'b', C: 'c', D: 'd', E: 'e' };
    const taken = firstInboundValues(fields, { values: { B: 'ours', C: 'ours' } }, held);
    expect(taken).toEqual([
      { field: 'A', path: 'traits.A', value: 'a' },
      { field: 'C', path: 'traits.C', value: 'c' },
    ]);
    expect(firstInboundValues(fields, { values: {} }, { A: null, C: ' ' })).toEqual([]);
  });
});

describe('a change of ours', () => {
  it.each<[Write, FieldState | undefined, string | undefined, object]>([
    ['two-way', agreed('a'), 'b', { Title: 'b' }],
    ['two-way', agreed('a'), 'a', {}],
    ['two-way', { ours: 'a', theirs: 'z' }, 'a', {}],
    ['two-way', { ours: 'a', theirs: 'z' }, 'b', { Title: 'b' }],
    ['always', { ours: 'a', theirs: 'z' }, 'b', { Title: 'b' }],
    ['if-empty', agreed(null), 'b', { Title: 'b' }],
    ['if-empty', agreed('typed'), 'b', {}],
    ['if-empty', { ...agreed('a'), filled: true }, 'b', { Title: 'b' }],
    ['crm-owns', agreed('a'), 'b', {}],
    ['never', agreed('a'), 'b', {}],
    ['two-way', { ...agreed('a'), contested: minute(1) }, 'b', {}],
    ['two-way', undefined, undefined, {}],
  ])('%s, with %j and now %s, writes %j', (write, state, value, expected) => {
    const states = state === undefined ? {} : { Title: state };
    expect(planUpdate(ofOne(write), having(value), states).write).toEqual(expected);
  });

  it('a value that is gone empties only what the hub filled', () => {
    for (const write of writes) {
      const gone = planUpdate(ofOne(write), having(undefined), { Title: agreed('a') });
      expect(gone.write).toEqual({});
    }
    const filled: FieldState = { ...agreed('a'), filled: true };
    for (const write of ['two-way', 'always'] as const)
      expect(planUpdate(ofOne(write), having(undefined), { Title: filled }).write).toEqual({ Title: null });
    expect(planUpdate(ofOne('if-empty'), having(undefined), { Title: filled }).write).toEqual({});
  });

  it('cannot be judged before the record was read where nothing is known of it', () => {
    const fields = contactFields({ A: 'two-way', B: 'always', C: 'if-empty', D: 'crm-owns' });
    const ours = { A: 'a', B: 'b', C: 'c', D: 'd' };
    expect(fieldsWithoutBase(fields, ours, {})).toEqual(['A', 'C']);
    expect(fieldsWithoutBase(fields, ours, { A: agreed('z') })).toEqual(['C']);
    expect(fieldsWithoutBase(fields, { B: 'b' }, {})).toEqual([]);
  });
});

describe('a report of the CRM', () => {
  const reported = (write: Write, state: FieldState | undefined, ours: string | undefined, value: unknown) =>
    planReport(ofOne(write), having(ours), state === undefined ? {} : { Title: state }, {
      fields: { Title: value },
      at: minute(5),
    });

  it('equal to what was written is an echo: it changes nothing and takes nothing, now or later', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Write>('two-way', 'always', 'if-empty'),
        text,
        maybeText,
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(
          (one: string): unknown => one,
          (one: string) => ` ${one} `,
        ),
        (write, value, before, times, spelt) => {
          const fields = ofOne(write);
          let states = { ...planCreation(fields, having(before)).states };
          ({ states } = { states: { ...planUpdate(fields, having(value), states).states } });
          for (let time = 0; time < times; time++) {
            const plan = planReport(fields, having(value), states, {
              fields: { Title: spelt(value) },
              at: minute(5 + time),
            });
            expect(plan.inbound).toEqual([]);
            expect(plan.contested).toEqual([]);
            states = { ...plan.states };
          }
          expect(planUpdate(fields, having(value), states).write).toEqual({});
        },
      ),
    );
  });

  it('not newer than where both sides stood changes nothing', () => {
    const state = { Title: agreed('a', minute(5)) };
    for (const at of [minute(5), minute(4)]) {
      const plan = planReport(ofOne('two-way'), having('a'), state, { fields: { Title: 'old' }, at });
      expect(plan).toEqual({ inbound: [], states: state, contested: [] });
    }
  });

  it('an older one stays old when the hub has written since, and the CRM has not answered with a time', () => {
    const fields = ofOne('two-way');
    const { states } = planUpdate(fields, having('b'), { Title: agreed('a', minute(6)) });
    expect(planReport(fields, having('b'), states, { fields: { Title: 'old' }, at: minute(5) })).toEqual({
      ...{ inbound: [], states, contested: [] },
    });
  });

  it('of a person is taken, also where the hub has changed too', () => {
    expect(reported('two-way', agreed('a'), 'a', 'typed').inbound).toEqual([
      { field: 'Title', path: 'traits.Title', value: 'typed' },
    ]);
    expect(reported('two-way', agreed('a'), 'ours', 'typed').inbound).toHaveLength(1);
    expect(reported('crm-owns', agreed('a'), undefined, 'typed').inbound).toHaveLength(1);
  });

  it('of a field that the hub alone writes takes nothing, and the hub writes its next change over it', () => {
    const { inbound, states } = reported('always', agreed('a'), 'a', 'typed');
    expect(inbound).toEqual([]);
    expect(planUpdate(ofOne('always'), having('a'), states).write).toEqual({});
    expect(planUpdate(ofOne('always'), having('b'), states).write).toEqual({ Title: 'b' });
  });

  it('of an if-empty field that somebody changed leaves it to them from then on', () => {
    const written = planCreation(ofOne('if-empty'), having('a')).states['Title'];
    const { states } = reported('if-empty', written, 'a', 'typed');
    expect(planUpdate(ofOne('if-empty'), having('b'), states).write).toEqual({});
  });

  it('of a field that a person emptied takes nothing, and the hub does not fill it with what it had', () => {
    const { inbound, states } = reported('two-way', agreed('a'), 'a', '');
    expect(inbound).toEqual([]);
    expect(planUpdate(ofOne('two-way'), having('a'), states).write).toEqual({});
  });

  it('that sets back what the hub wrote three times within an hour ends that: the field is left to the CRM', () => {
    const fields = ofOne('two-way');
    const setBack = (minutes: readonly number[]): readonly string[][] => {
      let states: Readonly<Record<string, FieldState>> = { Title: agreed('theirs') };
      return minutes.map((at) => {
        states = planUpdate(fields, having('ours'), { ...states }).states;
        const plan = planReport(fields, having('ours'), states, {
          fields: { Title: 'theirs' },
          at: minute(at),
        });
        ({ states } = plan);
        return [...plan.contested];
      });
    };
    expect(setBack([5, 25, 45])).toEqual([[], [], ['Title']]);
    expect(setBack([5, 35, 65, 95])).toEqual([[], [], [], []]);
  });
});

describe('an answer of the CRM', () => {
  it('is what both sides stand at, in the CRM’s own spelling', () => {
    const fields = ofOne('two-way');
    const { states } = planUpdate(fields, having('+1 415'), { Title: agreed('a') });
    const answered = withAnswer(states, { Title: '(415)' }, minute(9));
    expect(answered['Title']).toMatchObject({ ours: '+1 415', theirs: '(415)', at: minute(9) });
    const report = { fields: { Title: '(415)' }, at: minute(10) };
    expect(planReport(fields, having('+1 415'), answered, report).inbound).toEqual([]);
    expect(planUpdate(fields, having('+1 415'), answered).write).toEqual({});
  });
});

describe('the digests of a report', () => {
  const fields = contactFields({ Title: 'two-way' });
  it.each<[Readonly<Record<string, string>>, boolean]>([
    [{ Title: valueDigest('a') }, false],
    [{ Title: valueDigest(' a ') }, false],
    [{ Title: valueDigest('b') }, true],
    [{ Title: valueDigest('') }, true],
    [{ Industry: valueDigest('b') }, false],
    [{ OtherPhone: valueDigest('b') }, true],
    [{}, true],
  ])('%j may be news: %s', (digests, expected) => {
    expect(mayHaveChanged(fields, { Title: agreed('a') }, digests)).toBe(expected);
  });

  it('of a field that nothing is known of may be news', () => {
    expect(mayHaveChanged(fields, {}, { Title: valueDigest('a') })).toBe(true);
  });
});
