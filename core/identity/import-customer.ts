import { type ConsentAnswer, type ConsentStatus, stricter } from '../consent/consent.ts';
import { type ConsentChange, recordAnswer, withConsentChanges } from '../consent/customer-consent.ts';
import { HubError } from '../errors.ts';
import { Channel, type Instant, type ProfileHints } from '../interaction/interaction.ts';
import type { Merge } from './ledger.ts';
import { matchIdentifiers } from './matching.ts';
import { mergeCustomers } from './merge.ts';
import { usableIdentifiers } from './normalise.ts';
import type { People } from './people.ts';
import type { Profile } from './profile.ts';
import { applyHints, newSourceProfile } from './source-profile.ts';

/** What a list says of one customer. */
export interface CustomerImport {
  readonly id: string;
  readonly at: Instant;
  /** Who put the list in. */
  readonly by: string;
  readonly identifiers: readonly string[];
  readonly profile: ProfileHints & { readonly stage?: string | undefined };
  readonly consent: Readonly<Partial<Record<Channel, ConsentStatus>>>;
  /** When answers were given; those of other channels at the moment of the introduction. */
  readonly answeredAt?: Readonly<Partial<Record<Channel, Instant>>> | undefined;
  /** Channels whose answers nobody has dated: such an answer can only make what is known stricter. */
  readonly undated?: readonly Channel[] | undefined;
  /** Where the list comes from and what it proves. */
  readonly evidence?: string | undefined;
  readonly preferences: { readonly channel?: Channel | undefined };
}

/** What an introduction did: all that its events are made of. */
export interface ImportedCustomer {
  readonly profileId: string;
  readonly isNew: boolean;
  readonly merge?: Merge | undefined;
  readonly consent: readonly ConsentChange[];
}

/**
 * A customer told of by a list rather than by an act: found, merged and made by the same rules. What the list says fills
 * what is not known, and an answer counts by its time. Throws `HubError` `missing-identifier`.
 */
export const importCustomer = (people: People, row: CustomerImport): ImportedCustomer => {
  const found = matchIdentifiers(people, usableIdentifiers(row.identifiers, people.config), row.id);
  if (found === undefined)
    throw new HubError(
      'missing-identifier',
      'None of the identifiers can be used: they are blocked, shared, not of their type, or more than one customer may hold.',
      { retry: 'never' },
    );
  const profileId = found.profileId ?? people.newId();
  if (found.profileId === undefined) people.add(newSourceProfile(profileId, row.at));
  const merge = found.roots.length > 1 ? mergeCustomers(people, found.roots, row.id, row.at) : undefined;
  for (const identifier of found.gained) people.attachIdentifier(identifier, profileId);
  const isNew = found.profileId === undefined;
  const consent = withConsentChanges(people, profileId, () => {
    const { profile } = people.sourceProfile(profileId);
    const next = applyImport(profile, row);
    if (isNew || JSON.stringify(next) !== JSON.stringify(profile)) people.setProfile(next);
    const { by, evidence: text } = row;
    for (const [channel, said] of countedAnswers(next, row))
      recordAnswer(people, profileId, channel, said, {
        type: 'list',
        by,
        ...(text !== undefined && { text }),
      });
  });
  if (isNew) people.setActivity(people.sourceProfile(profileId).activity);
  return { profileId, isNew, consent, ...(merge && { merge }) };
};

/** The profile with what a list says of the person, answers apart, which replaces nothing that is known. */
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

/** The answers of a list that count: by their time; one that nobody has dated only where it is stricter than what is known. */
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
