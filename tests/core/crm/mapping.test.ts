import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { CrmMapping, compile, compileMapping, type FieldRule } from '../../../core/crm/mapping.ts';
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
    expect(compile({ Field: rule(more) })(view)['Field']).toEqual(expected);
  });

  it('fills an if-empty field once, and leaves it to the CRM from then on', () => {
    const fields = compile({ Field: rule({ value: 'x', write: 'if-empty' }) });
    expect([fields(view), fields(view, ['Field'])]).toEqual([{ Field: 'x' }, {}]);
  });
});

describe('a mapping file', () => {
  it.each(['salesforce', 'hubspot'])('of %s, as shipped, is sound', (crm) => {
    const text = readFileSync(new URL(`../../../mappings/crm/${crm}.yaml`, import.meta.url), 'utf8');
    expect(() => compileMapping(crm, parse(text))).not.toThrow();
  });

  it('that is wrong is told by file, line, key and what was expected', () => {
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

describe('what is compiled', () => {
  it('is code of names alone: no name of a field or a path ends the text that it stands in', () => {
    const strange = fc.string({ unit: fc.constantFrom(...'"\'`\\\n\u2028$}{();]/*a') });
    const names = fc.uniqueArray(strange, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, names, (fields, steps) => {
        const path = steps.map((step) => step.replaceAll('.', '')).join('.');
        const from = path.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), 'kept');
        const mapped = compile(Object.fromEntries(fields.map((name) => [name, rule({ from: path })])));
        expect(mapped(from as object)).toEqual(Object.fromEntries(fields.map((name) => [name, 'kept'])));
      }),
      { seed: 7 },
    );
  });

  it('reads nothing where a path leads through what is no object', () => {
    const mapped = compile({
      A: rule({ from: 'name.first.length' }),
      B: rule({ from: 'none.at.all' }),
      C: rule({ from: 'name.first' }),
    });
    expect(mapped({ name: { first: 'Ada' } })).toEqual({ C: 'Ada' });
  });
});
