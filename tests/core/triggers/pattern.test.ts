import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parsePattern, patternIndex } from '../../../core/triggers/pattern/index.ts';

const match = (pattern: unknown, event: object): boolean => matches(parsePattern(pattern), event);

describe('operators', () => {
  it.each<[unknown, unknown, boolean]>([
    [['a'], 'a', true],
    [['a'], 'A', false],
    [[5], 5.0, true],
    [[5], '5', false],
    [[null], null, true],
    [[true], true, true],
    [['a'], ['b', ['a']], true],
    [[{ prefix: 'ab' }], 'abc', true],
    [[{ prefix: '' }], 'abc', true],
    [[{ prefix: { 'equals-ignore-case': 'AB' } }], 'abc', true],
    [[{ suffix: 'bc' }], 'abc', true],
    [[{ suffix: { 'equals-ignore-case': 'BC' } }], 'abc', true],
    [[{ 'equals-ignore-case': 'ABC' }], 'abc', true],
    [[{ wildcard: 'a*c*e' }], 'abcde', true],
    [[{ wildcard: 'a*c' }], 'abcd', false],
    [[{ wildcard: 'a\\*c' }], 'a*c', true],
    [[{ wildcard: 'a\\*c' }], 'abc', false],
    [[{ wildcard: 'aa*a' }], 'aa', false],
    [[{ numeric: ['>', 0, '<=', 5] }], 5, true],
    [[{ numeric: ['>', 0, '<=', 5] }], 0, false],
    [[{ numeric: ['=', 3.0] }], 3, true],
    [[{ numeric: ['<', 10] }], '5', false],
    [[{ cidr: '10.0.0.0/24' }], '10.0.0.255', true],
    [[{ cidr: '10.0.0.0/24' }], '10.0.1.0', false],
    [[{ cidr: '2001:db8::/32' }], '2001:db8:1::1', true],
    [[{ 'anything-but': 'a' }], 'b', true],
    [[{ 'anything-but': ['a', 'b'] }], 'b', false],
    [[{ 'anything-but': ['a'] }], ['a', 'b'], true],
    [[{ 'anything-but': { prefix: 'a' } }], 'abc', false],
    [[{ 'anything-but': { suffix: ['c', 'd'] } }], 'abd', false],
    [[{ 'anything-but': { wildcard: '*b*' } }], 'abc', false],
    [[{ 'anything-but': { 'equals-ignore-case': ['A', 'B'] } }], 'b', false],
    [[{ 'anything-but': [1, 2] }], 3, true],
    [[{ exists: true }], null, true],
    [[{ exists: true }], {}, false],
    [[{ exists: false }], {}, true],
    [[{ exists: false }, 'a'], 'a', true],
  ])('%j on %j is %s', (leaf, value, expected) => {
    expect(match({ x: leaf }, { x: value })).toBe(expected);
  });

  it('match nothing that is not there', () => {
    expect(match({ x: [{ 'anything-but': 'a' }] }, {})).toBe(false);
    expect(match({ x: [{ exists: false }] }, {})).toBe(true);
  });
});

describe('structure', () => {
  it('takes all fields of one array from the same element', () => {
    const pattern = { d: { a: [1], b: [2] } };
    expect(match(pattern, { d: [{ a: 1 }, { b: 2 }] })).toBe(false);
    expect(match(pattern, { d: [{ a: 1 }, { a: 1, b: 2 }] })).toBe(true);
  });

  it('reads $or as alternatives beside the other fields', () => {
    const pattern = { k: ['x'], $or: [{ a: [1] }, { b: { c: [2] } }] };
    expect(
      [{ k: 'x', a: 1 }, { k: 'x', b: { c: 2 } }, { k: 'x' }, { a: 1 }].map((event) => match(pattern, event)),
    ).toEqual([true, true, false, false]);
  });
});

describe('refused patterns', () => {
  it.each<[unknown, RegExp]>([
    [{ a: 'x' }, /a: expected a list/],
    [{ a: [] }, /at least one value/],
    [{}, /at least one field/],
    [{ a: {} }, /a: expected at least one field/],
    [{ a: [{ wildcard: 'x**y' }] }, /consecutive/],
    [{ a: [{ wild: 'x' }] }, /a\.wild: unknown operator/],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, /exactly one operator/],
    [{ a: [{ numeric: ['>', 5, '<', 1] }] }, /smaller/],
    [{ a: [{ numeric: ['>', 1, '>', 2] }] }, /then an upper/],
    [{ a: [{ numeric: ['<', 1, '>', 2] }] }, /then an upper/],
    [{ a: [{ numeric: ['>', 1, '<', 2, '<', 3] }] }, /at most one/],
    [{ a: [{ 'anything-but': { prefix: '' } }] }, /empty/],
    [{ a: [{ 'anything-but': [] }] }, /at least one/],
    [{ a: [{ 'anything-but': ['a', 1] }] }, /not both/],
    [{ a: [{ exists: 'yes' }] }, /true or false/],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, /IP range/],
    [{ $or: [{ a: [1] }] }, /at least two/],
    [{ a: [['nested']] }, /expected a string/],
    ['x', /expected an object/],
  ])('%j', (pattern, reason) => {
    expect(() => parsePattern(pattern)).toThrow(reason);
  });
});

describe('the index', () => {
  const leaf = fc.constantFrom('a', 'b', 1, null, true);
  const field = fc.oneof(
    fc.array(leaf, { minLength: 1, maxLength: 2 }),
    fc.constantFrom(
      [{ exists: true }],
      [{ exists: false }],
      [{ prefix: 'a' }],
      [{ 'anything-but': 'a' }],
      [{ numeric: ['>', 0] }, 'b'],
    ),
  );
  const pattern = fc.oneof(
    fc.dictionary(fc.constantFrom('x', 'y', 'z'), field, { minKeys: 1 }),
    fc.record({
      $or: fc.array(fc.dictionary(fc.constantFrom('x', 'y'), field, { minKeys: 1 }), {
        minLength: 2,
        maxLength: 3,
      }),
    }),
    fc.record({ d: fc.dictionary(fc.constantFrom('x', 'y'), field, { minKeys: 1 }) }),
  );
  const flat = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.oneof(leaf, fc.array(leaf)));
  const event = fc
    .record({ d: fc.oneof(flat, fc.array(flat)) })
    .chain(({ d }) => flat.map((top) => ({ ...top, d })));

  it('finds exactly what each pattern alone would match', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 12 }),
        fc.array(event, { maxLength: 5 }),
        (patterns, events) => {
          const index = patternIndex<number>();
          for (const [position, one] of patterns.entries())
            index.add(String(position), parsePattern(one), position);
          index.remove('0');
          for (const one of events) {
            const alone = patterns.flatMap((candidate, position) =>
              position > 0 && match(candidate, one) ? [position] : [],
            );
            expect(index.match(one).sort((left, right) => left - right)).toEqual(alone);
          }
        },
      ),
    );
  });
});

const verdicts = new URL('../../../../shared/eventbridge/cases.json', import.meta.url);
describe.skipIf(!existsSync(verdicts))("AWS's own verdicts", () => {
  const cases = existsSync(verdicts)
    ? (JSON.parse(readFileSync(verdicts, 'utf8')) as {
        name: string;
        pattern: unknown;
        event: object;
        matches: boolean;
      }[])
    : [];
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(match(one.pattern, one.event)).toBe(one.matches);
  });
});
