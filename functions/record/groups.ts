import type { IdentityConfig } from '../../core/identity/rules.ts';
import type { Loaded } from '../contracts/ports/record.ts';
import { identifiersOf, idOf, reviewOf, type Work } from '../contracts/work.ts';
import { halvesOf } from './reviews.ts';

/** Work in the order given, parted so that no two groups touch the same person, identifier or row. */
export const grouped = (works: readonly Work[], loaded: Loaded, config: IdentityConfig): Work[][] => {
  const parent = new Map<string, string>();
  const find = (key: string): string => {
    const up = parent.get(key);
    if (up === undefined || up === key) return key;
    const top = find(up);
    parent.set(key, top);
    return top;
  };
  const survivors = new Map(
    loaded.sourceProfiles.map(({ activity }) => [activity.id, activity.survivor?.id]),
  );
  const rootOf = (profileId: string): string => {
    const up = survivors.get(profileId);
    return up === undefined ? profileId : rootOf(up);
  };
  for (const work of works) {
    const own = `work ${idOf(work)}`;
    const identifiers = identifiersOf(work, config);
    const owners = identifiers.flatMap((one) => loaded.owners.get(one) ?? []);
    const referred = loaded.referred.get(idOf(work));
    const review = reviewOf(work);
    const profileIds = [
      ...owners,
      ...(referred === undefined ? [] : [referred]),
      ...halvesOf(review === undefined ? undefined : loaded.reviews.get(review)),
    ];
    const reviewed = review === undefined ? [] : [`review ${review}`];
    for (const key of [
      ...identifiers,
      ...reviewed,
      ...profileIds.map((profileId) => `profile ${rootOf(profileId)}`),
    ]) {
      parent.set(find(key), find(own));
    }
  }
  const groups = new Map<string, Work[]>();
  for (const work of works) {
    const top = find(`work ${idOf(work)}`);
    groups.set(top, [...(groups.get(top) ?? []), work]);
  }
  return [...groups.values()];
};
