import * as z from 'zod';
import { HubError } from '../errors.ts';
import { DecodedInteraction } from '../interaction/interaction.ts';
import type { Delivery, Unreadable } from './channel.ts';
import type { Draft } from './channel-mapping.ts';

/** A member of a batch with its path in the delivery, such as `[3]` or `entry[0].messaging[2]`; empty for the whole body. */
export interface Member {
  readonly path: string;
  readonly value: unknown;
}

/** The members of a list. `path`: where the list is in the delivery, if it is not the whole body. */
export const membersOf = (list: readonly unknown[], path = ''): Member[] =>
  list.map((value, place) => ({ path: `${path}[${place}]`, value }));

interface Decoding<One> {
  readonly interactions: readonly One[];
  /** Absent: none. */
  readonly ignored?: readonly string[];
}

interface DecodedMembers<One> {
  readonly interactions: One[];
  readonly ignored: string[];
  readonly unreadable: Unreadable[];
}

/**
 * Decodes a batch member by member: one that `decode` throws at is reported as unreadable, and the others are decoded. A
 * delivery that replays one member decodes that one only.
 */
export const decodeMembers = <One extends Draft>(
  { member: only }: Pick<Delivery, 'member'>,
  members: readonly Member[],
  decode: (value: unknown, place: number) => Decoding<One>,
): DecodedMembers<One> => {
  const decoded: DecodedMembers<One> = { interactions: [], ignored: [], unreadable: [] };
  for (const [place, { path, value }] of members.entries()) {
    if (only !== undefined && only !== path) continue;
    try {
      const { interactions, ignored = [] } = decode(value, place);
      for (const { vouched: _vouched, ...one } of interactions) DecodedInteraction.parse(one);
      decoded.interactions.push(...interactions);
      decoded.ignored.push(...ignored);
    } catch (error) {
      // A body that is no batch is unreadable as a whole.
      if (path === '') throw error;
      decoded.unreadable.push({ member: path, reason: unreadableReason(error, path) });
    }
  }
  return decoded;
};

const MOST_ISSUES = 3;

/** Where a payload differs from what its mapping expects, and from what: by path and type, never with a value. */
export const unreadableReason = (error: unknown, path = ''): string => {
  if (error instanceof z.core.$ZodError)
    return error.issues
      .slice(0, MOST_ISSUES)
      .map((issue) => `${pathOf(issue.path, path)}: expected ${expectedOf(issue)}`)
      .join('; ');
  const where = path === '' ? '' : `${path}: `;
  if (error instanceof HubError) return `${where}${error.message}`;
  return `${where}its mapping failed (${error instanceof Error ? error.name : 'unknown error'})`;
};

/** Names of members may be what a person wrote: only those that look like a vendor's are shown. */
const nameOf = (name: PropertyKey): string => (/^[\w-]{1,40}$/u.test(String(name)) ? String(name) : '*');

const pathOf = (steps: readonly PropertyKey[], start: string): string => {
  const path = steps.reduce<string>(
    (before, step) =>
      typeof step === 'number' ? `${before}[${step}]` : `${before}${before === '' ? '' : '.'}${nameOf(step)}`,
    start,
  );
  return path === '' ? 'the body' : path;
};

const expectedOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'invalid_format':
      return issue.format;
    case 'invalid_union': {
      const types = issue.errors.flat().map((one) => (one.path.length === 0 ? expectedOf(one) : 'object'));
      return types.length === 0 ? 'another type' : [...new Set(types)].join(' or ');
    }
    case 'unrecognized_keys':
      return `no member ${issue.keys.map(nameOf).join(', ')}`;
    case 'too_small':
      return `at least ${issue.minimum} (${issue.origin})`;
    case 'too_big':
      return `at most ${issue.maximum} (${issue.origin})`;
    default:
      return 'another value';
  }
};
