import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRecord, type Found, identifiersIn } from '../../../core/crm/adoption.ts';
import type { HeldRecord } from '../../../core/crm/connector.ts';
import { reportedProfile } from '../../../core/crm/reported-profile.ts';
import { minute } from './contact-fields.ts';

const record = (id: string, more: Partial<HeldRecord> = {}): HeldRecord => ({
  ...{ id, fields: {}, emails: [], phones: [], byStaff: true },
  ...{ createdAt: minute(Number(id)), modifiedAt: minute(100) },
  ...more,
});
const found = (by: Found['by'], ...ids: readonly string[]): Found => ({
  by,
  records: ids.map((id) => record(id)),
});

describe('the record that is a customer’s', () => {
  it.each<[string, readonly Found[], Parameters<typeof chooseRecord>[1], object]>([
    ['none was found', [found('email'), found('phone')], 'review', { create: true }],
    ['one has the e-mail address', [found('email', '1')], 'review', { adopt: { id: '1' } }],
    [
      'the strongest key decides',
      [found('email', '1'), found('phone', '2')],
      'review',
      { adopt: { id: '1' } },
    ],
    ['one record twice is one', [found('email', '1', '1')], 'review', { adopt: { id: '1' } }],
    [
      'the next key where the first finds none',
      [found('email'), found('phone', '2')],
      'review',
      { adopt: { id: '2' } },
    ],
    [
      'several open a review, the oldest first',
      [found('email', '2', '1')],
      'review',
      { choose: [{ id: '1' }, { id: '2' }] },
    ],
    ['the oldest', [found('email', '2', '1', '3')], 'oldest', { adopt: { id: '1' } }],
    ['the newest', [found('email', '2', '1', '3')], 'newest', { adopt: { id: '3' } }],
    ['a phone of several adopts none', [found('phone', '1', '2')], 'newest', { create: true }],
    [
      'a phone of several is a review',
      [found('phone', '1', '2')],
      'review',
      { choose: [{ id: '1' }, { id: '2' }] },
    ],
  ])('%s', (_, records, ambiguous, expected) => {
    expect(chooseRecord(records, ambiguous)).toMatchObject(expected);
  });

  it('is one that was found, whatever was found, and never one of several by phone', () => {
    const key = fc.constantFrom<Found['by']>('email', 'phone', 'user-id');
    const ids = fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 4 });
    const ambiguous = fc.constantFrom('review' as const, 'newest' as const, 'oldest' as const);
    fc.assert(
      fc.property(fc.array(fc.tuple(key, ids)), ambiguous, (looked, rule) => {
        const all = looked.map(([by, some]) => found(by, ...some));
        const choice = chooseRecord(all, rule);
        const first = all.find(({ records }) => records.length > 0);
        if (first === undefined) expect(choice).toEqual({ create: true });
        if (!('adopt' in choice)) return;
        const by = all.find(({ records }) => records.some(({ id }) => id === choice.adopt.id));
        expect(by).toBeDefined();
        const holders = all.filter(({ records }) => records.includes(choice.adopt));
        if (holders.every((one) => one.by === 'phone'))
          for (const { records } of holders) expect(new Set(records.map(({ id }) => id)).size).toBe(1);
      }),
    );
  });
});

it('the identifiers of a record are its addresses, spelt as the hub spells them', () => {
  expect(
    identifiersIn({
      emails: ['Ada@Example.com ', 'ada@example.com', 'b@example.com'],
      phones: ['+1 (415) 555-0100', '055 2100011', 'call me'],
    }),
  ).toEqual(['email:ada@example.com', 'email:b@example.com', 'phone:+14155550100']);
});

describe('what a CRM tells of a customer', () => {
  const told = (path: string, value: unknown, name?: object) =>
    reportedProfile([{ field: 'F', path, value }], name === undefined ? undefined : { name });

  it('goes where the hub keeps it', () => {
    expect(told('traits.title', 'Buyer')).toEqual({
      identifiers: [],
      profile: { traits: { title: 'Buyer' } },
    });
    expect(told('identifiers.email.primary', 'a@example.com')).toEqual({
      identifiers: ['email:a@example.com'],
    });
    expect(told('language', 'it')).toEqual({ identifiers: [], profile: { language: 'it' } });
    expect(told('stage', 'lead')).toEqual({ identifiers: [] });
  });

  it('completes a name from what is known, and a whole name goes when a part of it changes', () => {
    expect(told('name.last', 'King', { first: 'Ada', last: 'Byron' }).profile).toEqual({
      name: { first: 'Ada', last: 'King' },
    });
    expect(told('name.last', 'King', { full: 'Ada Byron' }).profile).toEqual({
      name: { first: 'Ada', last: 'King' },
    });
    expect(told('name.full', 'Ada King', { first: 'Ada', last: 'Byron' }).profile).toEqual({
      name: { full: 'Ada King' },
    });
  });
});
