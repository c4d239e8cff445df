import { type Answer, addressesOf, answerChannel, answerOf, isPageAnswer } from '../consent/consent.ts';
import {
  type ConsentChange,
  profileOfAddresses,
  recordAnswer,
  withConsentChanges,
} from '../consent/customer-consent.ts';
import { evidenceOf } from '../consent/evidence.ts';
import type { Interaction } from '../interaction/interaction.ts';
import { type Reply, replyOf } from '../timeline/conversation.ts';
import { haveSameEntries, listEntries } from '../timeline/lists.ts';
import type { Identifier } from './identifier.ts';
import type { Merge } from './ledger.ts';
import { normaliseIdentifier } from './normalise.ts';
import type { AddressClaim, People } from './people.ts';
import { isReport, vouchedIdentifiers } from './proof/vouched.ts';
import { applyActivity, applyAddressEffect, applyInteraction } from './source-profile.ts';

/** The result of identity resolution of one interaction. Without a `profileId` the interaction is in the review queue. */
export interface Resolution {
  readonly profileId?: string;
  readonly isNew: boolean;
  readonly merge?: Merge;
  /** Identifiers that stay on the interaction only. */
  readonly setAside: readonly Identifier[];
  readonly consent: readonly ConsentChange[];
  /** Set if the interaction answers an open question. */
  readonly reply?: Reply;
  /** Set for a report about a message, or a CRM's record, of an unknown customer, which is not stored. */
  readonly ignored?: true;
  /** Set if the interaction changes the customer's position in the customer lists. */
  readonly moved?: true;
}

/** Gives an interaction to a source profile, with the identifiers that the customer gains by it. */
export const attachInteraction = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
  details: { isNew?: boolean; setAside?: readonly Identifier[]; merge?: Merge },
): Resolution => {
  const before = people.customer(profileId);
  const reply = replyOf(before.conversation, interaction, people.silence);
  const consent = withConsentChanges(people, profileId, () =>
    applyToCustomer(people, profileId, interaction, identifiers),
  );
  return {
    profileId,
    isNew: details.isNew ?? false,
    setAside: details.setAside ?? [],
    consent,
    ...(details.merge && { merge: details.merge }),
    ...(reply && { reply }),
    ...((details.isNew || !haveSameEntries(listEntries(before), listEntries(people.customer(profileId)))) && {
      moved: true,
    }),
  };
};

/** Applies an interaction to its source profile: identifiers, hints, consent, closed addresses, activity. */
const applyToCustomer = (
  people: People,
  profileId: string,
  interaction: Interaction,
  identifiers: readonly Identifier[],
): void => {
  for (const identifier of identifiers) people.attachIdentifier(identifier, profileId);
  people.updateProfile(profileId, (profile) => applyInteraction(profile, interaction));
  const { proven, claimed } = vouchedIdentifiers(interaction, people.config);
  // Only the recipient of the address has the link to the page, so the present owner of the address gives the answer.
  const isOwnerOnPage = (one: Identifier): boolean =>
    isPageAnswer(interaction) && people.owner(one) !== undefined;
  applyAnswer(people, profileId, interaction, new Set(claimed.filter((one) => !isOwnerOnPage(one))));
  const { activity } = people.sourceProfile(profileId);
  // A report and what the hub sent prove nothing: nobody was heard from at the address.
  const vouched = isReport(interaction) || interaction.kind === 'notification' ? [] : proven;
  const carried = vouched.filter((one) => people.owner(one) !== undefined);
  for (const identifier of carried) removeConfirmation(people, identifier);
  people.setActivity(applyActivity(activity, interaction, carried, people.silence));
};

/** Removes an agent's confirmation of an identifier, because an interaction has proven it. */
const removeConfirmation = (people: People, identifier: Identifier): void =>
  people.updateProfile(people.ownerOf(identifier), (profile) =>
    profile.confirmed.includes(identifier)
      ? { ...profile, confirmed: profile.confirmed.filter((one) => one !== identifier) }
      : profile,
  );

/**
 * Records the consent answer of an interaction: for the person if the address is proven or absent, for the address only if
 * it is claimed. A report closes its address for any owner; a claim closes no address.
 */
const applyAnswer = (
  people: People,
  profileId: string,
  interaction: Interaction,
  claimed: ReadonlySet<Identifier>,
): void => {
  const channel = answerChannel(interaction);
  const addresses = addressesOf(
    channel,
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  const vouched = addresses.filter((one) => !claimed.has(one));
  const answer = answerOf(interaction);
  const { occurredAt: at, id: source } = interaction;
  const isGuest = people.sourceProfile(profileId).profile.guest === true;
  if (answer !== undefined && (vouched.length > 0 || (addresses.length === 0 && !isGuest)))
    recordAnswer(
      people,
      profileOfAddresses(people, profileId, vouched),
      channel,
      { answer, at, source },
      evidenceOf(interaction, vouched[0]),
    );
  // `resume` only lifts a denial, and a claim never does.
  if (answer !== undefined && answer !== 'resume')
    for (const address of addresses.filter((one) => claimed.has(one)))
      people.addressClaims.push({ address, claim: claimFor(answer), channel, at, source });
  for (const address of isReport(interaction) ? addresses : vouched)
    people.updateProfile(people.owner(address) ?? profileId, (profile) =>
      applyAddressEffect(profile, address, interaction),
    );
};

const claimFor = (answer: Answer): AddressClaim['claim'] => (answer === 'granted' ? 'opt-in' : 'mute');
