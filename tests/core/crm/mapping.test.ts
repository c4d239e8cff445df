import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import {
  compileFallbacks,
  compileFields,
  compileReaders,
  type FieldRule,
} from '../../../core/crm/mapping/fields.ts';
import { CrmMapping, compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { HubError } from '../../../core/errors.ts';

const rule = (more: Partial<FieldRule>): FieldRule => ({ transform: [], write: 'always', ...more });
const view = {
  name: { first: ' ada ' },
  traits: { n: '12', when: '2026-03-01T09:30:00+01:00', list: ['a', 'b'], yes: 'yes' },
  phone: '+1 (415) 555-0100',
  channel: 'whatsapp',
  text: 'Ωmega and more',
};

describe('transforms', () => {
  it.each<[Partial<FieldRule>, unknown]>([
    [{ from: 'name.first', transform: ['trim', 'title'] }, 'Ada'],
    [{ from: 'name.first', transform: ['trim', 'upper'] }, 'ADA'],
    [{ from: 'phone', transform: ['e164'] }, '+14155550100'],
    [{ from: 'traits.when', transform: ['date'] }, '2026-03-01'],
    [{ from: 'traits.when', transform: ['datetime'] }, '2026-03-01T08:30:00.000Z'],
    [{ from: 'text', transform: [{ truncate: 5 }] }, 'Ωmega'],
    [{ from: 'channel', transform: [{ lookup: { whatsapp: 'WhatsApp' } }] }, 'WhatsApp'],
    [{ from: 'traits.list', transform: [{ join: '; ' }] }, 'a; b'],
    [{ from: 'traits.list', transform: ['first'] }, 'a'],
    [{ from: 'traits.none', transform: [{ default: 'x' }] }, 'x'],
    [{ from: 'traits.yes', transform: ['boolean'] }, true],
    [{ from: 'traits.n', transform: ['number'] }, 12],
    [{ value: 'Completed' }, 'Completed'],
    [{ template: '{{ channel }}: {{ text | truncate: 8 }}' }, 'whatsapp: Ωmega...'],
    [{ from: 'traits.none' }, undefined],
    [{ from: 'text', write: 'never' }, undefined],
  ])('%j gives %j', (more, expected) => {
    expect(compileFields({ Field: rule(more) })(view)['Field']).toEqual(expected);
  });

  it('a fallback stands in for a missing value of a new record alone', () => {
    const rules = { Field: rule({ from: 'traits.none', fallback: 'channel', transform: ['upper'] }) };
    expect([compileFields(rules)(view), compileFallbacks(rules)(view)]).toEqual([{}, { Field: 'WHATSAPP' }]);
  });

  it.each<[Partial<FieldRule>, unknown, unknown]>([
    [
      { from: 'channel', transform: [{ lookup: { sms: 'SMS', whatsapp: 'WhatsApp' } }] },
      'WhatsApp',
      'whatsapp',
    ],
    [{ from: 'channel', transform: [{ lookup: { sms: 'SMS' } }] }, 'Fax', undefined],
    [{ from: 'traits.title' }, 'Buyer', 'Buyer'],
    [{ from: undefined, write: 'crm-owns', to: 'traits.rating' }, 'Hot', 'Hot'],
  ])('%j reads %j back as %j', (more, theirs, expected) => {
    const reader = compileReaders({ Field: rule({ write: 'two-way', ...more }) }).get('Field');
    expect(reader?.place(theirs)?.value).toEqual(expected);
  });

  it('reads nothing back into a template, a constant, or what the hub alone writes', () => {
    const rules = {
      A: rule({ template: '{{ channel }}', write: 'two-way' }),
      B: rule({ value: 'x', write: 'two-way' }),
      C: rule({ from: 'channel', write: 'always' }),
      D: rule({ from: 'channel', write: 'if-empty' }),
    };
    expect([...compileReaders(rules).keys()]).toEqual([]);
  });

  it.each([
    [['date'], 'yesterday', 'date'],
    [['datetime'], '03/04/2026', 'date'],
    [['number'], 'many', 'number'],
  ] as const)('%j of %j is a fault of the record, never a guess', (transform, value, kind) => {
    const mapped = compileFields({ Field: rule({ value, transform: [...transform] }) });
    expect(() => mapped({})).toThrow(
      expect.objectContaining({ code: 'invalid-field-value', retry: 'never' }),
    );
    expect(() => mapped({})).toThrow(kind);
  });

  it('cuts text between characters, never within one', () => {
    const whole = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 20 }), (text, most) => {
        const cut = compileFields({ Field: rule({ value: text, transform: [{ truncate: most }] }) })({})[
          'Field'
        ];
        const kept = String(cut ?? '');
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(text.startsWith(kept)).toBe(true);
        const graphemes = [...new Intl.Segmenter('en').segment(text)].map(({ index }) => index);
        expect([...graphemes, text.length]).toContain(kept.length);
      }),
    );
  });
});

describe('a mapping file', () => {
  it.each(['salesforce', 'hubspot'])('of %s, as shipped, is valid', (crm) => {
    const text = readFileSync(new URL(`../../../mappings/crm/${crm}.yaml`, import.meta.url), 'utf8');
    expect(() => compileMapping(crm, parse(text))).not.toThrow();
  });

  it('of the documentation is valid', () => {
    const page = readFileSync(new URL('../../../docs/crm/crm-mappings.md', import.meta.url), 'utf8');
    const [, example = ''] = /## An example\n\n```yaml\n(.*?)```/su.exec(page) ?? [];
    expect(compileMapping('example', parse(example)).source.contact.object).toBe('Contact');
  });

  it('that keeps a value of the CRM where the hub has no place for it is refused', () => {
    const fields = { Rating: { write: 'crm-owns', to: 'tags' } };
    expect(() => compileMapping('x', { contact: { object: 'C', key: 'K', fields } })).toThrow('traits.…');
  });

  it('with a mistake is refused with file, line, key and the expected value', () => {
    const text =
      'contact:\n  object: Contact\n  key: Hub_Id__c\n  fields:\n    Email: { from: identifiers.email.primary, transform: [loud] }\n    Extra: { from: a, value: b }\n';
    const error = (() => {
      try {
        return parseConfigFile('mappings/crm/x.yaml', text, CrmMapping);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(HubError);
    expect(String(error)).toMatch(/mappings\/crm\/x\.yaml:5: contact\.fields\.Email\.transform\.0: /);
    expect(String(error)).toMatch(
      /mappings\/crm\/x\.yaml:6: contact\.fields\.Extra: expected exactly one of from, value and template/,
    );
  });
});

describe('a path of a mapping', () => {
  const faultOf = (fields: object, interactions: readonly object[] = []): string => {
    const parsed = CrmMapping.safeParse({ contact: { object: 'C', key: 'K', fields }, interactions });
    return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join() ?? '';
  };

  it.each(['name.first', 'traits.anything', 'identifiers.email.primary', 'identifiers.phone.all', 'stage'])(
    '%s is one of a customer',
    (from) => expect(faultOf({ F: { from } })).toBe(''),
  );

  it('that leads nowhere is an error with the nearest one', () => {
    expect(faultOf({ F: { from: 'name.frist' } })).toBe(
      'contact.fields.F.from: there is no name.frist; did you mean name.first?',
    );
    expect(faultOf({ F: { from: 'stage', fallback: 'displayname' } })).toContain('did you mean displayName?');
    expect(faultOf({ F: { from: 'qqqqqqqqqq' } })).toContain('expected one of id, displayName');
    expect(
      faultOf({}, [{ when: {}, object: 'O', key: 'K', fields: { F: { from: 'name.first' } } }]),
    ).toContain('interactions.0.fields.F.from: expected one of id, kind');
  });

  it('crm-owns needs `to`, and only crm-owns takes it', () => {
    expect(faultOf({ F: { write: 'crm-owns' } })).toContain('crm-owns needs `to`');
    expect(faultOf({ F: { from: 'stage', to: 'traits.a' } })).toContain('crm-owns needs `to`');
    expect(faultOf({ F: { write: 'crm-owns', to: 'traits.a' } })).toBe('');
  });
});

describe('compiled fields', () => {
  it('take every character in the name of a field or a path literally', () => {
    const strange = fc.string({ unit: fc.constantFrom(...'"\'`\\\n\u2028$}{();]/*a') });
    const names = fc.uniqueArray(strange, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, names, (fields, steps) => {
        const path = steps.map((step) => step.replaceAll('.', '')).join('.');
        const from = path.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), 'kept');
        const mapped = compileFields(Object.fromEntries(fields.map((name) => [name, rule({ from: path })])));
        expect(mapped(from as object)).toEqual(Object.fromEntries(fields.map((name) => [name, 'kept'])));
      }),
      { seed: 7 },
    );
  });

  it('have no value where a path leads through something that is not an object', () => {
    const mapped = compileFields({
      A: rule({ from: 'name.first.length' }),
      B: rule({ from: 'none.at.all' }),
      C: rule({ from: 'name.first' }),
    });
    expect(mapped({ name: { first: 'Ada' } })).toEqual({ C: 'Ada' });
  });
});

describe('the template of a field', () => {
  const text = (template: string) => compileFields({ Field: rule({ template }) })(view)['Field'];

  it.each([
    ['{{ name.first | strip | capitalize }} from {{ traits.list | join: "; " }}', 'Ada from a; b'],
    ['{% if name.last %}{{ name.last }}{% else %}{{ channel }}{% endif %}', 'whatsapp'],
    ['{% for one in traits.list %}{{ forloop.index }}{{ one }} {% endfor %}', '1a 2b'],
    ['{{ name.none }}{{ constructor }}{{ name.constructor.name }}', undefined],
    ['  no tags at all ', 'no tags at all'],
  ])('%s is Liquid', (template, expected) => {
    expect(text(template)).toBe(expected);
  });

  it.each([
    ['{{ a', 'not closed'],
    ['{{ a | nope }}', 'undefined filter: nope'],
    ['{% nope %}', 'tag "nope" not found'],
    ['{% if a %}x', 'not closed'],
  ])('%s is refused when the mapping is read', (template, why) => {
    expect(() => text(template)).toThrow(expect.objectContaining({ code: 'invalid-template' }));
    expect(() => text(template)).toThrow(why);
  });

  it.each([
    ['{% render "package.json" %}', 'ENOENT'],
    ['{% include "./package.json" %}', 'ENOENT'],
    ['{% for a in (1..10000000) %}{% endfor %}', 'memory alloc limit exceeded'],
    [`${'{% for a in (1..4000) %}'.repeat(3)}x${'{% endfor %}'.repeat(3)}`, 'template render limit exceeded'],
  ])('%s reads no file and ends in bounded time', (template, why) => {
    expect(() => text(template)).toThrow(why);
    expect(() => text(template)).toThrow(expect.objectContaining({ code: 'template-failure' }));
  });
});
