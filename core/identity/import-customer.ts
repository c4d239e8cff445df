import { type ConsentAnswer, type ConsentStatus, stricter } from '../consent/consent.ts';
import { type ConsentChange, recordAnswer, withConsentChanges } from '../consent/customer-consent.ts';
import { HubError } from '../errors.ts';
import { Channel, type Instant, type ProfileHints } from '../interaction/interaction.ts';
import { matchLinked } from './crm/linked.ts';
import { linkReferences } from './crm/references.ts';
import type { Identifier } from './identifier.ts';
import type { Merge } from './ledger.ts';
import { type Match, matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import { usableIdentifiers, usableReferences } from './normalise.ts';
import type { People } from './people.ts';
import type { Profile } from './profile.ts';
import { applyHints, newSourceProfile } from './source-profile.ts';

/** One customer of an imported list. */
export interface CustomerImport {
  readonly id: string;
  readonly at: Instant;
  /** The person who imported the list. */
  readonly by: string;
  readonly identifiers: readonly string[];
  /** The ids of the customer's records in CRMs, as `<crm>:<id>`. */
  readonly references?: readonly string[] | undefined;
  readonly profile: ProfileHints & { readonly stage?: string | undefined };
  readonly consent: Readonly<Partial<Record<Channel, ConsentStatus>>>;
  /** When an answer was given; the answers of other channels count from `at`. */
  readonly answeredAt?: Readonly<Partial<Record<Channel, Instant>>> | undefined;
  /** Channels whose answers have no date: such an answer counts only if it is stricter than the present one. */
  readonly undated?: readonly Channel[] | undefined;
  /** The origin of the list and what it proves. */
  readonly evidence?: string | undefined;
  readonly preferences: { readonly channel?: Channel | undefined };
}

/** The result of an import of one customer, from which its events are built. */
export interface ImportedCustomer {
  readonly profileId: string;
  readonly isNew: boolean;
  readonly merge?: Merge | undefined;
  readonly consent: readonly ConsentChange[];
}

/**
 * Imports one customer of a list by the rules of identity resolution: finds, merges or creates the customer. The row fills
 * unknown fields and replaces nothing; consent answers count by their time. Throws `HubError` `missing-identifier` if no
 * identifier is usable.
 */
export const importCustomer = (people: People, row: CustomerImport): ImportedCustomer => {
  const references = referencesOfRow(people, row);
  const found = matchRow(people, row, references);
  if (found === undefined)
    throw new HubError(
      'missing-identifier',
      'None of the identifiers of this row is usable: each is blocked, shared, invalid for its type, or above the limit of its type. Correct the row and import it again.',
      { retry: 'never' },
    );
  const profileId = found.profileId ?? people.newId();
  if (found.profileId === undefined) people.add(newSourceProfile(profileId, row.at));
  const merge = found.roots.length > 1 ? mergeCustomers(people, found.roots, row.id, row.at) : undefined;
  for (const identifier of found.gained) people.attachIdentifier(identifier, profileId);
  linkReferences(people, references, profileId);
  const isNew = found.profileId === undefined;
  const consent = withConsentChanges(people, profileId, () => {
    const { profile } = people.sourceProfile(profileId);
    const next = applyImport(profile, row);
    if (isNew || JSON.stringify(next) !== JSON.stringify(profile)) people.setProfile(next);
    const { by, evidence: text } = row;
    for (const [channel, answer] of countedAnswers(next, row))
      recordAnswer(people, profileId, channel, answer, {
        type: 'list',
        by,
        ...(text !== undefined && { text }),
      });
  });
  if (isNew) people.setActivity(people.sourceProfile(profileId).activity);
  return { profileId, isNew, consent, ...(merge && { merge }) };
};

const referencesOfRow = (people: People, { identifiers, references = [] }: CustomerImport): Identifier[] =>
  usableReferences([...identifiers, ...references], people.config);

const matchRow = (
  people: People,
  { id, identifiers }: CustomerImport,
  references: readonly Identifier[],
): Match | undefined => {
  const usable = usableIdentifiers(identifiers, people.config);
  const profileIds = references.flatMap((one) => people.owner(one) ?? []);
  return profileIds.length > 0
    ? matchLinked(people, { profileIds, areMerged: false }, usable, id)
    : matchIdentifiers(people, usable, id);
};

/** The profile with the row's fields, except consent. Known fields are not replaced. */
const applyImport = (profile: Profile, row: CustomerImport): Profile => {
  const { stage, traits, ...hints } = row.profile;
  const { channel } = row.preferences;
  return {
    ...applyHints(profile, hints, false),
    ...(traits && { traits: { ...traits, ...profile.traits } }),
    ...(stage !== undefined && profile.stage === undefined && { stage }),
    ...(channel !== undefined &&
      profile.preferences.channel === undefined && { preferences: { channel, at: row.at } }),
  };
};

/** The consent answers of a row that count. An undated answer counts only if it is stricter than the present one. */
const countedAnswers = (profile: Profile, row: CustomerImport): [Channel, ConsentAnswer][] =>
  Channel.options.flatMap((channel): [Channel, ConsentAnswer][] => {
    const [answer, present] = [row.consent[channel], profile.consent[channel]?.status];
    if (answer === undefined) return [];
    const undated = row.undated?.includes(channel) === true;
    if (present !== undefined && (answer === 'unknown' || (undated && stricter(present, answer) === present)))
      return [];
    const { id: source, evidence } = row;
    const at = row.answeredAt?.[channel] ?? row.at;
    return [[channel, { answer, at, source, ...(evidence && { evidence }) }]];
  });
