import { HubError } from '../errors.ts';
import { pairId, sortedPair } from './ledger.ts';
import type { People } from './people.ts';

/** One open entry for two people, whichever of their halves it was filed for. */
export const ask = (
  people: People,
  one: string,
  other: string,
  reason: 'strong' | 'apart',
  cause: string,
): void => {
  if (related(people, one, other, 'asked')) return;
  for (const [half, stranger] of [
    [one, other],
    [other, one],
  ] as const) {
    const { profile } = people.half(half);
    people.setProfile({ ...profile, asked: [...profile.asked, stranger] });
  }
  people.reviews.push({ type: 'pair', halves: sortedPair(one, other), reason, cause });
};

/** A person's decision that two customers are two people: rules leave them alone and no review asks again. */
export const tellApart = (people: People, one: string, other: string): void => {
  const [first, second] = [people.rootOf(one), people.rootOf(other)];
  if (first === second) {
    throw new HubError(
      'already-merged',
      'The two are one customer by now. Take the merge back first; that also keeps them apart.',
      { retry: 'never' },
    );
  }
  for (const [half, stranger] of [
    [first, second],
    [second, first],
  ] as const) {
    const { profile } = people.half(half);
    people.setProfile({ ...profile, distinct: [...new Set([...profile.distinct, stranger])] });
  }
  settlePairs(people, first, second);
};

/** A decision about two people answers every question that was asked about any two of their halves. */
export const settlePairs = (people: People, one: string, other: string): void => {
  const others = new Set(people.tree(other).map(({ profile }) => profile.id));
  for (const { profile } of people.tree(one)) {
    for (const asked of profile.asked.filter((id) => others.has(id))) {
      people.resolved.add(pairId(sortedPair(profile.id, asked)));
      forgetQuestion(people, profile.id, asked);
      forgetQuestion(people, asked, profile.id);
    }
  }
};

const forgetQuestion = (people: People, half: string, other: string): void => {
  const { profile } = people.half(half);
  people.setProfile({ ...profile, asked: profile.asked.filter((id) => id !== other) });
};

/** Whether the list of any half of one customer names any half of the other. */
export const related = (
  people: People,
  one: string,
  other: string,
  list: 'apart' | 'distinct' | 'asked',
): boolean => {
  const others = new Set(people.tree(other).map(({ profile }) => profile.id));
  return people.tree(one).some(({ profile }) => profile[list].some((id) => others.has(id)));
};
