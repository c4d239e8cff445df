import { describe, expect, it } from 'vitest';
import { Identifier, identifierType, identifierValue } from '../../../core/identity/identifier.ts';
import {
  IdentityConfig,
  identityConfigFor,
  ruleFor,
  sortByStrength,
} from '../../../core/identity/identity-config.ts';
import { fitsLimits } from '../../../core/identity/matching.ts';
import { mergeManually } from '../../../core/identity/merge.ts';
import {
  normaliseIdentifier,
  otherSpelling,
  phoneIdentifiers,
  readableIdentifier,
  usableIdentifiers,
  withSpellings,
} from '../../../core/identity/normalise.ts';
import { crowd, customerWith, decisionAt, meet, reloaded } from './crowd.ts';

const shipped = IdentityConfig.parse({});

describe('identity.yaml', () => {
  it('has the shipped values where keys are absent', () => {
    expect(IdentityConfig.parse({ shared: ['email:a@b.example'] })).toEqual({
      ...shipped,
      shared: ['email:a@b.example'],
    });
    expect(shipped).toMatchObject({ proof: {}, shared: [] });
    expect(IdentityConfig.parse({ block: {} }).block).toEqual({ values: [], patterns: [] });
  });

  it.each([
    [{ identifier: {} }],
    [{ identifiers: { email: { priority: 1 } } }],
    [{ identifiers: { email: { priority: -1, limit: 1 } } }],
    [{ identifiers: { email: { priority: 1, limit: 1.5 } } }],
    [{ identifiers: { email: { priority: 1, limit: 1, weak: true } } }],
    [{ block: { value: [] } }],
    [{ proof: { segment: 'yes' } }],
  ])('is refused as %o', (config) => {
    expect(IdentityConfig.safeParse(config).success).toBe(false);
  });

  it('names a pattern that is none', () => {
    const { error } = IdentityConfig.safeParse({ block: { patterns: ['^a', '('] } });
    expect(error?.issues).toMatchObject([{ path: ['block', 'patterns', 1], code: 'custom' }]);
    expect(error?.issues[0]?.message).toContain('/(/');
  });

  it('overrides the proof of providers that there are', () => {
    const config = identityConfigFor(['twilio', 'segment']);
    const proof = { 'twilio/AC1': 'claimed', segment: 'proven' };
    expect(config.parse({ proof })).toMatchObject({ proof });
    const { error } = config.safeParse({ proof: { twillio: 'claimed', 'zzz/1': 'proven' } });
    expect(error?.issues.map(({ path }) => path)).toEqual([
      ['proof', 'twillio'],
      ['proof', 'zzz/1'],
    ]);
    const [near, far] = error?.issues.map(({ message }) => message) ?? [];
    expect(near).toContain('did you mean twilio?');
    expect([far?.includes('zzz'), far?.includes('did you mean')]).toEqual([true, false]);
  });

  it('rules a type by its own line, else by that of *, else as shipped', () => {
    const star = IdentityConfig.parse({ identifiers: { '*': { priority: 7, limit: 3 } } });
    expect([ruleFor(shipped, 'email').priority, ruleFor(shipped, 'line').priority]).toEqual([2, 4]);
    expect(ruleFor(star, 'email')).toEqual({ priority: 7, limit: 3 });
    expect(ruleFor(IdentityConfig.parse({ identifiers: {} }), 'email')).toEqual({ priority: 4, limit: 5 });
    expect(ruleFor(shipped, 'user-id').strong).toBe(true);
  });

  it('ranks the strongest first, and equals as they are given', () => {
    const given = ['anonymous:1', 'line:2', 'phone:+3', 'line:1', 'user-id:4', 'email:a@b.c', 'email:0@b.c'];
    expect(sortByStrength(given, shipped)).toEqual([
      ...['user-id:4', 'email:a@b.c', 'email:0@b.c', 'phone:+3', 'line:2', 'line:1', 'anonymous:1'],
    ]);
  });
});

describe('an identifier', () => {
  it('is a type and a value, which may hold scopes', () => {
    expect([identifierType('messenger:p:1'), identifierValue('messenger:p:1')]).toEqual(['messenger', 'p:1']);
  });

  it.each(['line', 'line:', ':1', 'Line:1', '1line:1', 'li_ne:1', ' line:1'])('is not %j', (text) => {
    expect(Identifier.safeParse(text).success).toBe(false);
  });

  it('may hold lines, and is not of any length', () => {
    expect(Identifier.safeParse('line:1\n2').success).toBe(true);
    expect(Identifier.safeParse(`line:${'1'.repeat(10_000)}`).success).toBe(false);
  });
});

describe('the normal form', () => {
  it.each([
    ['line', undefined],
    [':1', undefined],
    [' LINE : U1 ', 'line:U1'],
    ['line:  ', undefined],
    ['phone:tel:+14155550100', 'phone:+14155550100'],
    ['phone:TEL:+14155550100', 'phone:+14155550100'],
    ['phone:+1.415/555\u20130100', 'phone:+14155550100'],
    ['phone:+1\u00a0415-555-0100', 'phone:+14155550100'],
    ['phone:+123456', undefined],
    ['phone:+1234567', 'phone:+1234567'],
    ['phone:+123456789012345', 'phone:+123456789012345'],
    ['phone:+1234567890123456', undefined],
    ['phone:+0234567890', undefined],
    ['phone:004155550100', 'phone:+4155550100'],
    ['phone:4155550100', undefined],
    ['phone:x+14155550100', undefined],
    ['phone:+1415tel:5550100', undefined],
    ['x:1', 'x:1'],
    ['whatsapp:1+4155550100', 'whatsapp:1+4155550100'],
    ['phone:+1415555010x', undefined],
    ['email:a@b@c', undefined],
    ['email:@example.com', undefined],
    ['email:ada@', undefined],
    ['whatsapp: +14155550100 ', 'whatsapp:14155550100'],
    ['whatsapp:+', undefined],
    ['user-id: Ada ', 'user-id:Ada'],
    [`user-id:${'é'.repeat(996)}`, `user-id:${'é'.repeat(996)}`],
    [`user-id:${'é'.repeat(997)}`, undefined],
    ['phone:+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0660', 'phone:+14155550100'],
    ['phone:+\uff11\u200b415 555 0199', 'phone:+14155550199'],
  ])('of %j is %j', (raw, normal) => {
    expect(normaliseIdentifier(raw)).toBe(normal);
  });

  it('of numbers as vendors write them leaves out what is none, and names each once', () => {
    expect(
      phoneIdentifiers('+1 415 555 0100', null, undefined, '', '555', '+14155550100', '+442079460958'),
    ).toEqual(['phone:+14155550100', 'phone:+442079460958']);
  });

  it('is how an interaction keeps an identifier, save one that is blocked or has none', () => {
    expect(readableIdentifier('email: Ada@Example.com', shipped)).toBe('email:ada@example.com');
    expect(readableIdentifier('user-id: Unknown ', shipped)).toBe('user-id: Unknown ');
    expect(readableIdentifier('phone:555', shipped)).toBe('phone:555');
  });
});

describe('the other spelling of a number', () => {
  it.each([
    ['phone:+5215512345678', 'phone:+525512345678'],
    ['phone:+5491112345678', 'phone:+541112345678'],
    ['phone:+5511961234567', 'phone:+551161234567'],
  ])('of %s is %s, and the other way round', (long, short) => {
    expect([otherSpelling(long), otherSpelling(short)]).toEqual([short, long]);
  });

  it.each([
    'phone:+14155550100',
    'phone:+52155123456789',
    'phone:+52551234567',
    'phone:+549111234567',
    'phone:+54911123456789',
    'phone:+551151234567',
    'phone:+5511951234567',
    'whatsapp:5215512345678',
  ])('of %s is none', (identifier) => {
    expect(otherSpelling(identifier)).toBeUndefined();
  });

  it('finds its owner, who then owns both', () => {
    const people = crowd();
    meet(people, 1, ['phone:+5215512345678']);
    expect(meet(people, 2, ['line:U1', 'phone:+525512345678'])).toMatchObject({ profileId: 'c0' });
    expect(customerWith(people, 'line:U1').identifiers).toEqual([
      ...['phone:+5215512345678', 'phone:+525512345678', 'line:U1'],
    ]);
    expect(withSpellings(['line:U1', 'phone:+541112345678', 'phone:+1415'])).toEqual([
      ...['line:U1', 'phone:+541112345678', 'phone:+5491112345678', 'phone:+1415'],
    ]);
  });
});

describe('usable identifiers', () => {
  it('are named once, in the order given, with what they imply', () => {
    expect(
      usableIdentifiers(['line:U1', 'whatsapp:14155550100', 'phone:+14155550100', 'line: U1'], shipped),
    ).toEqual(['line:U1', 'whatsapp:14155550100', 'phone:+14155550100']);
    expect(usableIdentifiers(['whatsapp:1415'], shipped)).toEqual(['whatsapp:1415']);
    expect(usableIdentifiers(['telegram:14155550100'], shipped)).toEqual(['telegram:14155550100']);
  });

  it('are not blocked: neither as they are written, nor in normal form, nor in their last part', () => {
    const config = IdentityConfig.parse({ block: { values: ['NONE'], patterns: ['^\\+1415', '^x+$'] } });
    expect(
      usableIdentifiers(
        ['user-id: none ', 'slack:T1:None', 'phone:(+1)415 555 0100', 'line:xx', 'line:axx', 'line:nonesuch'],
        config,
      ),
    ).toEqual(['line:axx', 'line:nonesuch']);
  });

  it('are not implied by a shared or a blocked one, nor blocked or shared themselves', () => {
    const shared = IdentityConfig.parse({ shared: ['whatsapp:+14155550100', 'phone:+442079460958', 'odd'] });
    expect(usableIdentifiers(['whatsapp:14155550100', 'whatsapp:442079460958'], shared)).toEqual([
      'whatsapp:442079460958',
    ]);
    const blocked = IdentityConfig.parse({ block: { patterns: ['^\\+'] } });
    expect(usableIdentifiers(['whatsapp:14155550100'], blocked)).toEqual(['whatsapp:14155550100']);
  });
});

it('who was not loaded is an error, never nobody', () => {
  const people = crowd();
  expect(() => people.sourceProfile('c9')).toThrow('c9');
  expect(() => people.ownerOf('line:A')).toThrow('no owner');
  expect(people.has('c9')).toBe(false);
  meet(people, 1, ['line:A']);
  expect(people.has('c0')).toBe(true);
});

describe('a merge by a rule', () => {
  it.each([
    [5, 3, 'c1'],
    [3, 5, 'c0'],
    [3, 3, 'c0'],
  ])('of customers first seen at %i and %i keeps %s', (first, second, survivor) => {
    const people = crowd();
    meet(people, first, ['line:A']);
    meet(people, second, ['line:B']);
    expect(meet(people, 9, ['line:B', 'line:A']).merge).toMatchObject({ survivor, overrode: [] });
    const again = crowd();
    meet(again, first, ['line:A']);
    meet(again, second, ['line:B']);
    expect(meet(again, 9, ['line:A', 'line:B']).merge).toMatchObject({ survivor });
  });

  it('of whole customers counts what any of their source profiles saw first', () => {
    const people = crowd();
    meet(people, 3, ['line:A']);
    meet(people, 5, ['line:B']);
    meet(people, 1, ['line:C']);
    mergeManually(people, 'c1', 'c2', decisionAt(6));
    expect(meet(people, 9, ['line:A', 'line:B']).merge).toMatchObject({ survivor: 'c1', others: ['c0'] });
  });

  it('happens within the limit of each type: the weakest identifier gives way', () => {
    const people = crowd({
      identifiers: { email: { priority: 1, limit: 1 }, '*': { priority: 2, limit: 5 } },
    });
    meet(people, 1, ['email:a@example.com', 'line:A']);
    meet(people, 2, ['email:b@example.com', 'line:B']);
    const { merge, setAside, profileId } = meet(people, 3, ['line:A', 'line:B']);
    expect([merge, setAside, profileId]).toEqual([undefined, ['line:B'], 'c0']);
  });

  it('of those who hold more than the limit allows today takes no more', () => {
    const people = crowd({ identifiers: { '*': { priority: 1, limit: 2 } } });
    meet(people, 1, ['line:A', 'line:B']);
    meet(people, 2, ['line:C', 'line:D']);
    mergeManually(people, 'c0', 'c1', decisionAt(3));
    expect(customerWith(people, 'line:A').identifiers).toHaveLength(4);
    expect(fitsLimits(people, ['c0'], [])).toBe(true);
    expect(fitsLimits(people, ['c0'], ['line:E'])).toBe(false);
    expect(fitsLimits(people, ['c0'], ['telegram:1', 'telegram:2'])).toBe(true);
    expect(fitsLimits(people, [], ['telegram:1', 'telegram:2', 'telegram:3'])).toBe(false);
  });

  it('never happens where both own a strong identifier, also of another source profile', () => {
    const people = crowd();
    meet(people, 1, ['user-id:1', 'line:A']);
    meet(people, 2, ['line:B']);
    meet(people, 3, ['user-id:2', 'line:C']);
    mergeManually(people, 'c1', 'c2', decisionAt(4));
    expect(meet(people, 5, ['line:A', 'line:B']).merge).toBeUndefined();
    expect(people.reviews).toMatchObject([{ reason: 'strong' }]);
  });
});

describe('a merge by a person', () => {
  it('keeps the customer named first, whoever was seen first, and says by whom', () => {
    const people = crowd();
    meet(people, 1, ['line:A']);
    meet(people, 2, ['line:B']);
    const merge = mergeManually(people, 'c1', 'c0', { ...decisionAt(3), reason: 'same person' });
    expect(merge).toMatchObject({ reason: 'same person' });
    expect(merge).toMatchObject({
      ...{ survivor: 'c1', others: ['c0'], by: 'ada', cause: 'command-3', overrode: [] },
    });
    expect(people.sourceProfile('c1').profile.merged).toEqual(['c0']);
    meet(people, 4, ['line:C']);
    const [third, later] = [people.ownerOf('line:C'), reloaded(people)];
    mergeManually(later, 'c1', third, decisionAt(5));
    // The merged profile is written too: a concurrent change of its identifiers is then in conflict.
    expect([...later.changedProfiles].sort()).toEqual(['c1', third].sort());
    expect([...later.changedActivities]).toEqual([third]);
  });

  it('of one customer is none', () => {
    const people = crowd();
    meet(people, 1, ['line:A']);
    meet(people, 2, ['line:B']);
    mergeManually(people, 'c0', 'c1', decisionAt(3));
    expect(mergeManually(people, 'c1', 'c0', decisionAt(4))).toBeUndefined();
    expect(people.merges.size).toBe(1);
  });
});
