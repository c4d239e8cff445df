import type { People } from './people.ts';

/** Whether `list` of any source profile of one customer contains any source profile of the other. */
export const areRelated = (
  people: People,
  one: string,
  other: string,
  list: 'neverAutoMerge' | 'confirmedDistinct' | 'pendingReview',
): boolean => {
  const others = new Set(people.mergeTree(other).map(({ profile }) => profile.id));
  return people.mergeTree(one).some(({ profile }) => profile[list].some((id) => others.has(id)));
};
