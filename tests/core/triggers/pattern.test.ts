import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parsePattern, patternIndex, usesWildcard } from '../../../core/triggers/pattern/index.ts';
import { ruledPatterns } from '../../support/patterns/cases.ts';

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
    [[{ cidr: '10.0.0.0/24' }], 'ten', false],
    [[{ cidr: '0.0.0.0/0' }], '255.1.2.3', true],
    [[{ cidr: '0.0.0.0/0' }], '::1', false],
    [[{ cidr: '::/0' }], '2001:db8::1', true],
    [[{ cidr: '2001:db8:0:1::/64' }], '2001:db8:0:2::1', false],
    [[{ cidr: '::/0' }], 'fe80::1%eth0', false],
    [[{ 'equals-ignore-case': 'ABC' }], 'abd', false],
    [[{ 'equals-ignore-case': 'ABC' }], 5, false],
    [[{ prefix: 'ab' }], 'cab', false],
    [[{ suffix: 'bc' }], 'bca', false],
    [[{ wildcard: 'abc' }], 'abc', true],
    [[{ wildcard: 'abc' }], 'abcd', false],
    [[{ wildcard: 'a*c*e' }], 'aec', false],
    [[{ wildcard: 'a*bb*bc' }], 'abbc', false],
    [[{ wildcard: 'a*bb*bc' }], 'abbbc', true],
    [[{ wildcard: 'a*x*c' }], 'abc', false],
    [[{ wildcard: 'a*x*c' }], 'axc', true],
    [[{ wildcard: 'b*c' }], 'abc', false],
    [[{ wildcard: '*' }], '', true],
    [[{ wildcard: 'a\\\\b' }], 'a\\b', true],
    [[{ wildcard: 'a*' }], 'a', true],
    [[{ numeric: ['<', 5] }], 5, false],
    [[{ numeric: ['<', 5] }], 4, true],
    [[{ numeric: ['<=', 5] }], 5, true],
    [[{ numeric: ['<=', 5] }], 6, false],
    [[{ numeric: ['>', 5] }], 5, false],
    [[{ numeric: ['>=', 5] }], 5, true],
    [[{ numeric: ['>=', 5] }], 4, false],
    [[{ numeric: ['=', 3] }], 4, false],
    [[{ numeric: ['>=', 1, '<', 5] }], 5, false],
    [[{ 'anything-but': [1, 2] }], 2, false],
    [[{ 'anything-but': { prefix: ['a', 'b'] } }], 'cd', true],
    [[false], true, false],
    [['a'], [], false],
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
    [{ a: [{ cidr: '10.0.0.0/33' }] }, /a\.cidr: expected a mask from \/0 to \/31/],
    [{ a: [{ cidr: '2001:db8::/129' }] }, /a\.cidr: expected a mask from \/0 to \/127/],
    [{ a: [{ cidr: '10.0.0.7/32' }] }, /a\.cidr: .*more than one address; list .* \["10\.0\.0\.7"\]/],
    [{ a: [{ cidr: '2001:db8::1/128' }] }, /a\.cidr: .*list .* \["2001:db8::1"\]/],
    [{ a: [{ cidr: '10.0.0.7' }] }, /a\.cidr: .*list .* \["10\.0\.0\.7"\]/],
    [{ a: [{ cidr: '::ffff:10.0.0.0/120' }] }, /a\.cidr: .*no IPv4 written as IPv6; write an IPv4 range/],
    [{ a: [{ cidr: '::ffff:0:0/96' }] }, /a\.cidr: .*no IPv4 written as IPv6; write an IPv4 range/],
    [
      { a: [{ 'anything-but': { prefix: { 'equals-ignore-case': 'x' } } }] },
      /a\.anything-but\.prefix: .*no further operator inside anything-but, so list each spelling/,
    ],
    [
      { $or: [{ b: { prefix: ['x'] } }, { a: [1] }] },
      /b\.prefix: EventBridge reserves .* move the field out of \$or/,
    ],
    [{ a: [{ exactly: 5 }] }, /a\.exactly: expected a string/],
    [{ a: { '': 'x' } }, /a\."": expected a list/],
    [{ $or: [{ a: [1] }] }, /at least two/],
    [{ a: [['nested']] }, /expected a string/],
    ['x', /^Event pattern is not valid\. The pattern: expected an object/],
    [[], /expected an object/],
    [null, /expected an object/],
    [{ a: { b: 'x' } }, /a\.b: expected a list/],
    [{ a: [{}] }, /exactly one operator/],
    [{ a: [{ exists: 'yes' }] }, /a\.exists: /],
    [{ a: [{ prefix: 5 }] }, /a\.prefix: expected a string/],
    [{ a: [{ prefix: { 'equals-ignore-case': 5 } }] }, /a\.prefix\.equals-ignore-case: expected a string/],
    [{ a: [{ suffix: { 'equals-ignore-cases': 'x' } }] }, /a\.suffix: expected a string or/],
    [{ a: [{ 'equals-ignore-case': 5 }] }, /a\.equals-ignore-case: expected a string/],
    [{ a: [{ wildcard: 5 }] }, /a\.wildcard: expected a string/],
    [{ a: [{ wildcard: 'x\\y' }] }, /after a backslash/],
    [{ a: [{ wildcard: 'x\\' }] }, /after a backslash/],
    [{ a: [{ numeric: [] }] }, /a\.numeric: expected a list/],
    [{ a: [{ numeric: '>' }] }, /a\.numeric: expected a list/],
    [{ a: [{ numeric: ['!=', 1] }] }, /expected =, </],
    [{ a: [{ numeric: [5, 1] }] }, /expected =, </],
    [{ a: [{ numeric: ['>'] }] }, /a number after >/],
    [{ a: [{ numeric: ['>', '5'] }] }, /a number after >/],
    [{ a: [{ numeric: ['>', Number.POSITIVE_INFINITY] }] }, /a number after >/],
    [{ a: [{ numeric: ['>', 5, '<', 5] }] }, /smaller/],
    [{ a: [{ numeric: ['=', 1, '<', 2] }] }, /then an upper/],
    [{ a: [Number.NaN] }, /expected a string/],
    [{ a: [{ 'anything-but': [true] }] }, /a\.anything-but: expected strings or numbers/],
    [{ a: [{ 'anything-but': { prefix: 'x', suffix: 'y' } }] }, /a value, a list, or one of/],
    [{ a: [{ 'anything-but': { numeric: ['>', 1] } }] }, /a value, a list, or one of/],
    [{ a: [{ 'anything-but': {} }] }, /a value, a list, or one of/],
    [{ a: [{ 'anything-but': { prefix: [] } }] }, /a\.anything-but\.prefix: expected at least one/],
    [{ a: [{ 'anything-but': { suffix: ['x', ''] } }] }, /a\.anything-but\.suffix: expected text/],
    [{ a: [{ cidr: 'nowhere' }] }, /a\.cidr: expected an IP range/],
    [{ a: [{ cidr: '10.0.0.0/24/1' }] }, /IP range/],
    [{ a: [{ cidr: '10.0.0.0/-1' }] }, /IP range/],
    [{ a: [{ cidr: '10.0.0.0/1x' }] }, /IP range/],
    [{ a: [{ cidr: 5 }] }, /a\.cidr: expected a string/],
    [{ $or: 'x' }, /^[^$]*\$or: expected a list/],
    [{ $or: [{ a: [1] }, 'x'] }, /\$or\[1\]: expected an object/],
    [{ b: { $or: [{ a: [1] }, {}] } }, /b: expected at least one field/],
    [
      Object.fromEntries(
        ['a', 'b', 'c', 'd'].map((name) => [
          name,
          { $or: Array.from({ length: 6 }, (_, n) => ({ [`x${n}`]: [n] })) },
        ]),
      ),
      /more than 1000 combinations/,
    ],
  ])('%j', (pattern, reason) => {
    expect(() => parsePattern(pattern)).toThrow(reason);
  });

  it('have a code, and are refused for good', () => {
    expect(() => parsePattern({})).toThrow(
      expect.objectContaining({ code: 'invalid-pattern', retry: 'never' }),
    );
  });

  it('are none up to a thousand combinations', () => {
    const ten = (letter: string) => Array.from({ length: 10 }, (_, n) => ({ [`${letter}${n}`]: [n] }));
    const pattern = { a: { $or: ten('x') }, b: { $or: ten('y') }, c: { $or: ten('z') } };
    expect(parsePattern(pattern)).toHaveLength(1000);
  });
});

it('a wildcard is found at any depth, and no other word for it', () => {
  expect(usesWildcard({ a: [{ wildcard: 'x*' }] })).toBe(true);
  expect(usesWildcard({ a: { b: ['x', { 'anything-but': { wildcard: 'x*' } }] } })).toBe(true);
  expect(usesWildcard({ $or: [{ a: [1] }, { b: [{ wildcard: '*' }] }] })).toBe(true);
  expect(usesWildcard({ a: ['wildcard'], b: [{ prefix: 'wildcard' }], c: [null, 1] })).toBe(false);
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

  it('has a pattern once, as it was added last, and none that was removed', () => {
    const index = patternIndex<string>();
    index.add('1', parsePattern({ x: ['a'] }), 'old');
    index.add('1', parsePattern({ x: ['b'] }), 'new');
    index.add('2', parsePattern({ x: [{ prefix: 'b' }] }), 'prefix');
    index.add('3', parsePattern({ x: ['b'], y: [1] }), 'both');
    expect(index.match({ x: 'a' })).toEqual([]);
    expect(index.match({ x: 'b', y: 1 }).sort()).toEqual(['both', 'new', 'prefix']);
    for (const id of ['1', '2']) index.remove(id);
    index.remove('unknown');
    expect(index.match({ x: 'b', y: 1 })).toEqual(['both']);
  });

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

describe("AWS's own verdicts", () => {
  it.each(ruledPatterns().map((one) => [one.name, one] as const))(
    '%s',
    (_, { pattern, event, ...verdict }) => {
      if (event === undefined) expect(() => parsePattern(pattern)).toThrow('Event pattern is not valid');
      else expect(match(pattern, event)).toBe(verdict.matches);
    },
  );
});
