import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hubspot } from '../../../connectors/crm/hubspot/index.ts';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { checkMapping } from '../../../core/crm/check/check.ts';
import type { CrmConnector, FieldDescription, ObjectDescription } from '../../../core/crm/connector.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';

const field = (more: Partial<FieldDescription> = {}): FieldDescription => ({
  ...{ type: 'text', required: false, writable: true, isKey: false },
  ...more,
});
const key = field({ isKey: true, length: 64 });

interface Case {
  readonly rule?: object;
  readonly field?: Partial<FieldDescription> | null;
  readonly contact?: object;
  readonly others?: Readonly<Record<string, FieldDescription>>;
  readonly connector?: CrmConnector;
}

const check = ({ rule, field: described = {}, contact = {}, others = {}, connector = salesforce }: Case) =>
  checkMapping(
    connector,
    CrmMapping.parse({
      contact: { object: 'Contact', key: 'Key', fields: rule ? { Field: rule } : {}, ...contact },
    }),
    new Map([
      [
        'Contact',
        new Map(
          Object.entries({ Key: key, ...(described && { Field: field(described) }), ...others }),
        ) as ObjectDescription,
      ],
    ]),
  );

const refused = /./u;
/** Whether there is a finding with these words, and whether it is a fault. */
const expectFinding = (one: Case, says: RegExp, ok: boolean): void => {
  const findings = check(one);
  expect(findings.map((each) => [each.ok, `${each.says} ${each.advice}`])).toEqual([
    [ok, expect.stringMatching(says)],
  ]);
};

describe('a field that the CRM refuses', () => {
  it.each<[string, Case, RegExp]>([
    ['is not there', { rule: { from: 'name.first' }, field: null }, /Contact\.Field does not exist/u],
    [
      'is misspelt',
      { rule: { from: 'name.first' }, field: null, others: { Fields: field() } },
      /Did you mean Fields/u,
    ],
    ['cannot be written', { rule: { from: 'name.first' }, field: { writable: false } }, /cannot be written/u],
    ['is a number', { rule: { from: 'name.first' }, field: { type: 'number' } }, /transform: \[number\]/u],
    ['is a date', { rule: { from: 'name.first' }, field: { type: 'date' } }, /transform: \[date\]/u],
    ['is true or false', { rule: { value: 'maybe' }, field: { type: 'boolean' } }, /transform: \[boolean\]/u],
    ['gets a list', { rule: { from: 'tags' } }, /join/u],
    ['gets a number', { rule: { value: 7 } }, /takes a text, and the mapping gives a number/u],
    [
      'has no such choice',
      { rule: { value: 'Web' }, field: { type: 'choice', choices: ['Mail'] } },
      /takes only Mail, and the mapping gives Web/u,
    ],
    [
      'has no choice for a target of a look-up',
      {
        rule: { from: 'preferences.channel', transform: [{ lookup: { sms: 'SMS', email: 'Post' } }] },
        field: { type: 'choice', choices: ['SMS'] },
      },
      /gives Post/u,
    ],
    [
      'is too short for a constant',
      { rule: { value: 'Tributary' }, field: { length: 4 } },
      /takes 4 characters, and the mapping gives 9/u,
    ],
    [
      'is required and not mapped',
      { others: { Need: field({ required: true }) } },
      /Contact\.Need is required/u,
    ],
    [
      'is required and never written',
      { rule: { from: 'name.last', write: 'never' }, field: { required: true } },
      /is required/u,
    ],
  ])('because it %s', (_, one, says) => expectFinding(one, says, false));
});

describe('a field that the CRM may refuse', () => {
  it.each<[string, Case, RegExp]>([
    ['a text of any length', { rule: { from: 'name.first' }, field: { length: 40 } }, /truncate: 40/u],
    [
      'a message of any length',
      { rule: { template: '{{ text }}' }, field: { length: 32_000 } },
      /truncate: 32000/u,
    ],
    [
      'a longer cut',
      { rule: { from: 'name.first', transform: [{ truncate: 50 }] }, field: { length: 40 } },
      /up to 50/u,
    ],
    [
      'any text for a choice',
      { rule: { from: 'stage' }, field: { type: 'choice', choices: ['Lead'] } },
      /lookup/u,
    ],
    [
      'a required field without a fallback',
      { rule: { from: 'name.last' }, field: { required: true } },
      /may have no value/u,
    ],
    [
      'a look-up of what never is',
      { rule: { from: 'preferences.channel', transform: [{ lookup: { smss: 'x' } }] } },
      /smss/u,
    ],
  ])('is one with %s', (_, one, says) => expectFinding(one, says, true));
});

describe('a field that fits', () => {
  it.each<[string, Case]>([
    ['a cut text', { rule: { from: 'name.first', transform: [{ truncate: 40 }] }, field: { length: 40 } }],
    ['a name in a long field', { rule: { from: 'name.first' }, field: { length: 32_000 } }],
    ['a number', { rule: { from: 'traits.age', transform: ['number'] }, field: { type: 'number' } }],
    ['a constant that is a number', { rule: { value: '7' }, field: { type: 'number' } }],
    ['a date', { rule: { from: 'traits.born', transform: ['date'] }, field: { type: 'date' } }],
    ['a joined list', { rule: { from: 'tags', transform: [{ join: ';' }] } }],
    ['a value of unknown kind', { rule: { from: 'traits.age' }, field: { type: 'number' } }],
    ['a listed choice', { rule: { value: 'A' }, field: { type: 'choice', choices: ['A'] } }],
    ['an open choice', { rule: { from: 'stage' }, field: { type: 'choice' } }],
    [
      'a required one with a fallback',
      { rule: { from: 'name.last', fallback: 'displayName' }, field: { required: true } },
    ],
    [
      'a required one with a default',
      { rule: { from: 'name.last', transform: [{ default: 'x' }] }, field: { required: true } },
    ],
    [
      'what the CRM owns and nobody may write',
      { rule: { write: 'crm-owns', to: 'traits.x' }, field: { writable: false } },
    ],
    [
      'a required one where nothing is created',
      { contact: { create: 'never' }, others: { Need: field({ required: true }) } },
    ],
    ['a list, for a CRM that joins lists', { rule: { from: 'tags' }, connector: hubspot }],
  ])('gives no finding: %s', (_, one) => expect(check(one)).toEqual([]));
});

describe('a key', () => {
  it.each<[string, FieldDescription | undefined, RegExp]>([
    ['is not there', undefined, /does not exist.*--create-fields/u],
    ['is not unique', field(), /is not unique/u],
    ['cannot be written', field({ writable: false, isKey: true }), /cannot be written/u],
    ['is a number', field({ type: 'number', isKey: true }), /is no text/u],
    ['is too short', field({ isKey: true, length: 20 }), /takes 20 characters/u],
  ])('that %s is a fault', (_, described, says) => {
    const mapping = CrmMapping.parse({ contact: { object: 'Contact', key: 'Key', fields: {} } });
    const fields = new Map(described ? [['Key', described] as const] : []);
    expect(checkMapping(salesforce, mapping, new Map([['Contact', fields]]))).toEqual([
      {
        path: ['contact', 'key'],
        object: 'Contact',
        field: 'Key',
        ok: false,
        says: expect.any(String),
        advice: expect.any(String),
      },
    ]);
    const [found] = checkMapping(salesforce, mapping, new Map([['Contact', fields]]));
    expect(`${found?.says} ${found?.advice}`).toMatch(says);
  });
});

describe('rules of interactions', () => {
  const mapping = (rule: object, object = 'Contact') =>
    CrmMapping.parse({
      contact: { object, key: 'Key', fields: {} },
      interactions: [{ when: {}, object: 'Task', key: 'Key', fields: {}, ...rule }],
    });
  const described = (task: Readonly<Record<string, FieldDescription>>) =>
    new Map([
      ['Contact', new Map([['Key', key]])],
      ['Task', new Map(Object.entries({ Key: key, ...task }))],
    ]);

  it('name an object that the CRM does not show', () => {
    const only = new Map([['Contact', new Map([['Key', key]])]]);
    expect(checkMapping(salesforce, mapping({}), only)).toMatchObject([
      { path: ['interactions', 0, 'object'], object: 'Task', ok: false },
    ]);
  });

  it('link by reference fields of Salesforce, and by associations of HubSpot', () => {
    const links = mapping({ links: { WhoId: 'contact', Whom: 'contact' } });
    const task = described({ WhoId: field({ type: 'reference' }) });
    expect(checkMapping(salesforce, links, task)).toMatchObject([
      { path: ['interactions', 0, 'links', 'Whom'], field: 'Whom', ok: false },
    ]);
    const notes = mapping({ object: 'notes', links: { contacts: 'contact', people: 'contact' } }, 'contacts');
    const shown = new Map(['contacts', 'notes'].map((one) => [one, new Map([['Key', key]])]));
    expect(checkMapping(hubspot, notes, shown)).toMatchObject([{ field: 'people', ok: false }]);
  });

  it('find companies by a field that they have', () => {
    const withCompany = CrmMapping.parse({
      contact: {
        ...{ object: 'Contact', key: 'Key', fields: {} },
        links: { AccountId: { object: 'Account', match: 'email-domain', field: 'Website' } },
      },
    });
    const contact = [
      'Contact',
      new Map([
        ['Key', key],
        ['AccountId', field({ type: 'reference' })],
      ]),
    ] as const;
    const account = (name: string) => ['Account', new Map([[name, field()]])] as const;
    expect(checkMapping(salesforce, withCompany, new Map([contact, account('Website')]))).toEqual([]);
    expect(checkMapping(salesforce, withCompany, new Map([contact, account('Site')]))).toMatchObject([
      { path: ['contact', 'links', 'AccountId', 'field'], ok: false },
    ]);
    expect(checkMapping(salesforce, withCompany, new Map([contact]))).toMatchObject([{ ok: false }]);
  });

  it('give only the values that their `when` leaves', () => {
    const rule = (when: object) =>
      mapping({ when, fields: { Direction: { from: 'direction', transform: ['upper'] } } });
    const task = described({ Direction: field({ type: 'choice', choices: ['INBOUND', 'OUTBOUND'] }) });
    expect(checkMapping(salesforce, rule({ direction: ['inbound'] }), task)).toEqual([]);
    expect(checkMapping(salesforce, rule({}), task)).toMatchObject([
      { ok: true, says: expect.stringContaining('may give SYSTEM') },
    ]);
  });
});

describe('the shipped mappings', () => {
  it.each(['salesforce', 'hubspot'])('of %s miss nothing but the objects', (crm) => {
    const text = readFileSync(new URL(`../../../mappings/crm/${crm}.yaml`, import.meta.url), 'utf8');
    const findings = checkMapping(
      crm === 'hubspot' ? hubspot : salesforce,
      CrmMapping.parse(parse(text)),
      new Map(),
    );
    expect(findings.every(({ path, says }) => path.at(-1) === 'object' && refused.test(says))).toBe(true);
  });
});

describe('any constant', () => {
  it('that is among the choices of a field and not longer than it fits, and one that is not is refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
        fc.string({ minLength: 1 }),
        (choices, other) => {
          const plain = choices.filter((one) => !one.includes(';'));
          fc.pre(plain.length > 0 && !other.includes(';') && !choices.includes(other));
          const [first = ''] = plain;
          const described = { type: 'choice', choices } as const;
          expect(check({ rule: { value: first }, field: described })).toEqual([]);
          expect(check({ rule: { value: other }, field: described })).toMatchObject([{ ok: false }]);
        },
      ),
    );
  });
});
