import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodeMembers, membersOf, unreadableReason } from '../../../core/webhooks/members.ts';

const One = z.looseObject({
  id: z.union([z.string(), z.number()]).transform(String),
  kind: z.enum(['a', 'b']).optional(),
  tags: z.record(z.string(), z.number()).optional(),
});

const decode = (list: readonly unknown[], member?: string) =>
  decodeMembers(member === undefined ? {} : { member }, membersOf(list, 'events'), (value, place) => {
    const { id, kind } = One.parse(value);
    if (kind === 'b') return { interactions: [], ignored: ['b'] };
    if (id === 'bug') throw new TypeError(`cannot read ${id}`);
    return {
      interactions: [
        {
          ...{ key: `${id}:${place}`, kind: 'message' as const, channel: 'chat' as const },
          ...{ direction: 'inbound' as const, identifiers: id === 'none' ? ['no type'] : [`acme:${id}`] },
          vouched: true,
        },
      ],
    };
  });

describe('the members of a batch', () => {
  it('are decoded although others are odd, each with its own place', () => {
    const { interactions, ignored, unreadable } = decode([
      { id: 1 },
      { id: true },
      null,
      { id: 'x', kind: 'b' },
      { id: 2 },
    ]);
    expect(interactions.map(({ key }) => key)).toEqual(['1:0', '2:4']);
    expect(interactions[0]?.vouched).toBe(true);
    expect(ignored).toEqual(['b']);
    expect(unreadable).toEqual([
      { member: 'events[1]', reason: 'events[1].id: expected string or number' },
      { member: 'events[2]', reason: 'events[2]: expected object' },
    ]);
  });

  it('are odd too where the mapping makes no interaction of them, or fails', () => {
    expect(decode([{ id: 'none' }, { id: 'bug' }, { id: 3 }])).toMatchObject({
      interactions: [{ key: '3:2' }],
      unreadable: [
        { member: 'events[0]', reason: expect.stringContaining('events[0].identifiers[0]: expected') },
        { member: 'events[1]', reason: 'events[1]: its mapping failed (TypeError)' },
      ],
    });
  });

  it('are decoded one alone where it is replayed', () => {
    expect(decode([{ id: 1 }, { id: true }, { id: 2 }], 'events[2]')).toMatchObject({
      interactions: [{ key: '2:2' }],
      unreadable: [],
    });
  });
});

describe('a reason', () => {
  it('has paths and types, but neither values nor names that a person wrote', () => {
    const { error } = One.safeParse({ id: 's3cret', kind: 's3cret', tags: { 'ada@example.com': 's3cret' } });
    expect(unreadableReason(error)).toBe('kind: expected a or b; tags.*: expected number');
    const strict = z.strictObject({ id: z.string() }).safeParse({ id: '1', more: 1, 'a secret name': 1 });
    expect(unreadableReason(strict.error)).toBe('the body: expected no member more, *');
    expect(unreadableReason(new Error('s3cret'))).toBe('its mapping failed (Error)');
  });
});
