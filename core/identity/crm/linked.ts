import type { Instant, Interaction } from '../../interaction/interaction.ts';
import { attachInteraction, type Resolution } from '../attach-interaction.ts';
import { requestReview } from '../decisions/review-queue.ts';
import type { Identifier } from '../identifier.ts';
import { sortByStrength } from '../identity-config.ts';
import { blocksAutoMerge, fitsLimits, type Match } from '../matching.ts';
import { mergeCustomers } from '../merge.ts';
import { withSpellings } from '../normalise.ts';
import type { People } from '../people.ts';
import { reviewClaimedPairs } from '../proof/claimed-pairs.ts';
import type { Vouched } from '../proof/vouched.ts';
import { isCrmReport, linkRecords, referencesOf } from './references.ts';

/**
 * The source profiles that are linked to the records of CRMs which an interaction names. A claimed id counts only of a CRM
 * that names nothing else: it knows its own records, but a visitor may have made it find one. `referred` counts as linked
 * where the hub itself says whose record it is.
 */
export const linkedProfiles = (
  people: People,
  interaction: Interaction,
  namesOthers: boolean,
  referred: string | undefined,
): string[] => {
  const { vouched, claimed } = referencesOf(interaction, people.config);
  const counted = namesOthers || interaction.channel !== 'crm' ? vouched : [...vouched, ...claimed];
  const owners = [...new Set(counted.flatMap((one) => people.owner(one) ?? []))];
  const isNamed = vouched.length > 0 && isCrmReport(interaction) && referred !== undefined;
  return owners.length === 0 && isNamed ? [referred] : owners;
};

/** What a CRM says of a linked record belongs to its customer. Of a claimed record nothing but the interaction counts. */
export const resolveLinked = (
  people: People,
  interaction: Interaction,
  receivedAt: Instant,
  linked: readonly string[],
  { proven, claimed }: Vouched,
): Resolution => {
  const [profileId = ''] = linked;
  if (people.sourceProfile(profileId).profile.guest === true)
    return attachInteraction(people, profileId, interaction, [], {});
  const { roots, gained, setAside } = matchLinked(
    people,
    { profileIds: linked, areMerged: true },
    proven,
    interaction.id,
  );
  const merge = roots.length > 1 ? mergeCustomers(people, roots, interaction.id, receivedAt) : undefined;
  const { vouched } = referencesOf(interaction, people.config);
  const { profile: _unproven, ...bare } = interaction;
  const resolution = attachInteraction(people, profileId, vouched.length > 0 ? interaction : bare, gained, {
    ...{ setAside, ...(merge && { merge }) },
  });
  linkRecords(people, interaction, profileId);
  if (vouched.some((one) => people.owner(one) !== undefined && !people.newLinks.has(one)))
    reviewClaimedPairs(people, people.rootsOf(claimed, [profileId]), interaction.id);
  return resolution;
};

/** The customers that are linked to the records of an interaction or an imported row. */
interface Linked {
  /** The source profiles that own the ids; the result belongs to the first. */
  readonly profileIds: readonly string[];
  /** Set if the CRM reports that it has merged the records. */
  readonly areMerged: boolean;
}

/**
 * Matches what is known of the records of linked customers: it belongs to them, whoever owns its identifiers. Another owner
 * of an identifier is merged unless both were heard from, because a field in a CRM may be mistyped; then a review is opened,
 * and likewise where a limit does not allow the merge.
 */
export const matchLinked = (
  people: People,
  { profileIds: [profileId = '', ...others], areMerged }: Linked,
  identifiers: readonly Identifier[],
  cause: string,
): Match => {
  const ranked = sortByStrength(identifiers, people.config);
  const owners = withSpellings(ranked).flatMap((one) => people.owner(one) ?? []);
  const first = people.canonicalId(profileId);
  const roots = [first];
  for (const [other, isMerged] of [
    ...others.map((one) => [one, areMerged] as const),
    ...owners.map((one) => [one, false] as const),
  ]) {
    const root = people.canonicalId(other);
    const all = [...roots, root];
    if (roots.includes(root) || blocksAutoMerge(people, all, cause)) continue;
    const bothActed = hasActed(people, root) && roots.some((one) => hasActed(people, one));
    if ((isMerged || !bothActed) && fitsLimits(people, all, [])) roots.push(root);
    else requestReview(people, first, root, 'crm-change', cause);
  }
  const [gained, setAside]: [Identifier[], Identifier[]] = [[], []];
  for (const one of ranked.filter((identifier) => people.owner(identifier) === undefined))
    (fitsLimits(people, roots, [...gained, one]) ? gained : setAside).push(one);
  return { profileId, roots, gained, setAside };
};

/** Whether a customer has ever written, called or acted; of the others only imports and CRMs have told. */
const hasActed = (people: People, root: string): boolean => {
  const { lastInboundAt, lastInboundMessageAt } = people.customer(root);
  return Object.keys(lastInboundAt).length + Object.keys(lastInboundMessageAt).length > 0;
};
