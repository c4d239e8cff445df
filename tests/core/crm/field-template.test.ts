import fc from 'fast-check';
import { Liquid } from 'liquidjs';
import { describe, expect, it } from 'vitest';
import { fieldTemplate } from '../../../core/crm/field-template.ts';
import { HubError } from '../../../core/errors.ts';

const liquid = new Liquid({ strictFilters: true });
const view = {
  name: { first: ' Ada ', last: '' },
  text: 'Ωmega\nand more words',
  total: 12.5,
  zero: 0,
  yes: true,
  no: false,
  tags: ['vip', 'new'],
  list: [],
};

const path = fc.constantFrom(
  ...['name.first', 'name["last"]', 'name.none', 'text', 'total', 'zero', 'yes', 'no', 'missing'],
  ...[
    'tags',
    'tags.size',
    'tags.first',
    'tags[1]',
    'tags.last',
    'text.size',
    'list',
    'constructor',
    'toString',
  ],
);
const literal = fc.constantFrom("'a'", '"b c"', "''", '3', '12.5', 'true', 'false', 'nil');
const value = fc.oneof({ weight: 3, arbitrary: path }, literal);
const filter = fc.oneof(
  fc.constantFrom('capitalize', 'downcase', 'upcase', 'strip', 'strip_newlines', 'size', 'join', 'truncate'),
  fc.constantFrom(
    'join: "; "',
    'truncate: 5',
    'truncate: 7, "…"',
    'append: "!"',
    'prepend: text',
    'default: "x"',
  ),
  fc.constantFrom('default: name.first', 'replace: "a", "o"', 'remove: "a"', 'first', 'last'),
);
const output = fc
  .tuple(fc.boolean(), value, fc.array(filter, { maxLength: 3 }), fc.boolean())
  .map(
    ([left, one, all, right]) => `{{${left ? '-' : ''} ${[one, ...all].join(' | ')} ${right ? '-' : ''}}}`,
  );
const comparison = fc.oneof(
  value,
  fc.tuple(value, fc.constantFrom('==', '!='), value).map((words) => words.join(' ')),
  fc
    .tuple(
      fc.constantFrom('total', 'zero', '3'),
      fc.constantFrom('<', '>', '<=', '>='),
      fc.constantFrom('total', '12.5', '0'),
    )
    .map((words) => words.join(' ')),
  fc.constantFrom('tags contains "vip"', 'text contains "mega"', 'tags contains "x"', 'missing contains "x"'),
);
const condition = fc
  .array(comparison, { minLength: 1, maxLength: 3 })
  .chain((all) =>
    fc
      .array(fc.constantFrom(' and ', ' or '), { minLength: 2, maxLength: 2 })
      .map((by) => all.map((one, at) => (at === 0 ? one : `${by[at - 1]}${one}`)).join('')),
  );
const { template } = fc.letrec<{ template: string; block: string }>((tie) => ({
  template: fc
    .array(fc.oneof({ maxDepth: 2 }, fc.constantFrom(' a ', 'b', '\n', ' {x} '), output, tie('block')), {
      maxLength: 4,
    })
    .map((parts) => parts.join('')),
  block: fc
    .tuple(
      fc.constantFrom('if', 'unless'),
      condition,
      tie('template'),
      condition,
      tie('template'),
      tie('template'),
    )
    .map(
      ([name, one, first, two, second, third]) =>
        `{% ${name} ${one} -%}${first}{% elsif ${two} %}${second}{%- else %}${third}{% end${name} %}`,
    ),
}));

describe('the templates of CRM fields', () => {
  it('mean what they mean in Liquid', () => {
    fc.assert(
      fc.property(template, (text) => {
        expect(fieldTemplate(text)(view)).toBe(liquid.parseAndRenderSync(text, view));
      }),
      { numRuns: 3000, seed: 7 },
    );
  });

  it('takes null for what is missing, which Liquid tells apart', () => {
    expect(fieldTemplate('{% if a == b %}same{% endif %}')({ a: null })).toBe('same');
  });

  it.each([
    ['{{ a', 'a mark is not closed'],
    ['{{ a | nope }}', 'there is no filter "nope"'],
    ['{{ a b }}', 'is not one value'],
    ['{{ }}', 'is not one value'],
    ['{{ a | append }}{{ a & b }}', 'cannot read "& b"'],
    ['{% for x in y %}{% endfor %}', 'the tag "for"'],
    ['{% if a %}x', 'endif is missing'],
    ['{% if a %}x{% endunless %}', 'the tag "endunless"'],
    ['{% else %}', 'the tag "else"'],
    ['{% if a == %}{% endif %}', 'a value is missing'],
    ['{% if %}{% endif %}', 'a value is missing'],
    ['{% if a == empty %}{% endif %}', 'empty is a word of Liquid'],
  ])('%s is refused with what is wrong and what there is', (text, why) => {
    expect(() => fieldTemplate(text)).toThrow(HubError);
    expect(() => fieldTemplate(text)).toThrow(why);
    expect(() => fieldTemplate(text)).toThrow('truncate');
  });
});
