import { requestReview } from './decisions/review-queue.ts';
import { type Identifier, identifierType } from './identifier.ts';
import { ruleFor, sortByStrength } from './identity-config.ts';
import { withSpellings } from './normalise.ts';
import type { People } from './people.ts';
import { areRelated } from './related.ts';

/** The result of matching identifiers to their owners. */
export interface Match {
  /** The source profile that owns the strongest identifier; absent if no identifier has an owner. */
  readonly profileId?: string;
  /** The canonical ids of all owners; several are to be merged. */
  readonly roots: readonly string[];
  /** Identifiers without an owner, which the customer gains. */
  readonly gained: readonly Identifier[];
  /** Identifiers that stay on the interaction only. */
  readonly setAside: readonly Identifier[];
}

/**
 * Finds the owners of usable identifiers and decides whether they merge, by steps 2 to 4 of FORMATS, "How an interaction
 * finds its customer". Opens a review for each pair that must not merge. Undefined if every identifier exceeds a limit.
 */
export const matchIdentifiers = (
  people: People,
  usable: readonly Identifier[],
  cause: string,
): Match | undefined => {
  const remaining = [...usable];
  const setAside: Identifier[] = [];
  while (remaining.length > 0) {
    const ranked = sortByStrength(remaining, people.config);
    const owned = withSpellings(ranked).filter((one) => people.owner(one) !== undefined);
    const roots = [...new Set(owned.map((one) => people.canonicalId(people.ownerOf(one))))];
    const unowned = ranked.filter((one) => people.owner(one) === undefined);
    const strongest = owned[0];
    const profileId = strongest === undefined ? undefined : people.ownerOf(strongest);
    if (profileId !== undefined && blocksAutoMerge(people, roots, cause))
      return {
        profileId,
        roots: [people.canonicalId(profileId)],
        gained: [],
        setAside: [...setAside, ...unowned],
      };
    if (fitsLimits(people, roots, unowned))
      return { ...(profileId !== undefined && { profileId }), roots, gained: unowned, setAside };
    const weakest = ranked.at(-1) ?? '';
    remaining.splice(remaining.indexOf(weakest), 1);
    setAside.push(weakest);
  }
  return undefined;
};

/** Whether two of these customers must not be merged. Opens a review for each such pair that is not decided yet. */
export const blocksAutoMerge = (people: People, roots: readonly string[], cause: string): boolean => {
  let found = false;
  for (const [position, one] of roots.entries()) {
    for (const other of roots.slice(position + 1)) {
      const distinct = areRelated(people, one, other, 'confirmedDistinct');
      const strong = hasStrongConflict(people, one, other);
      if (!distinct && !strong && !isNeverAutoMerged(people, one, other)) continue;
      found = true;
      if (!distinct) requestReview(people, one, other, strong ? 'strong' : 'unmerged', cause);
    }
  }
  return found;
};

/** Whether both own identifiers of the same strong type. The values differ, since each identifier has one owner. */
export const hasStrongConflict = (people: People, one: string, other: string): boolean => {
  const strongTypes = (root: string): Set<string> =>
    new Set(
      people
        .customer(root)
        .identifiers.map(identifierType)
        .filter((type) => ruleFor(people.config, type).strong === true),
    );
  return !strongTypes(one).isDisjointFrom(strongTypes(other));
};

/** Whether an unmerge or a person separated two customers. */
export const isNeverAutoMerged = (people: People, one: string, other: string): boolean =>
  areRelated(people, one, other, 'neverAutoMerge') || areRelated(people, one, other, 'confirmedDistinct');

/** Whether one customer may own the identifiers of all these customers, and the unowned ones, within the limits. */
export const fitsLimits = (
  people: People,
  roots: readonly string[],
  unowned: readonly Identifier[],
): boolean => {
  const counts = roots.map((root) => countTypes(people.customer(root).identifiers));
  const added = countTypes(unowned);
  const types = new Set([...counts.flatMap((count) => [...count.keys()]), ...added.keys()]);
  return [...types].every((type) => {
    const held = counts.map((count) => count.get(type) ?? 0);
    const total = held.reduce((sum, count) => sum + count, added.get(type) ?? 0);
    return total <= Math.max(ruleFor(people.config, type).limit, ...held);
  });
};

const countTypes = (identifiers: readonly Identifier[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const identifier of identifiers) {
    const type = identifierType(identifier);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
};
