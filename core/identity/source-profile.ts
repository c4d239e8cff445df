import { addressEffect } from '../consent/consent.ts';
import type { Channel, Instant, Interaction, ProfileHints } from '../interaction/interaction.ts';
import { applyToConversation, closedConversation } from '../timeline/conversation.ts';
import type { Identifier } from './identifier.ts';
import type { Profile, SourceProfile } from './profile.ts';

/** A source profile without any data, first and last seen at `at`. */
export const newSourceProfile = (id: string, at: Instant): SourceProfile => ({
  profile: {
    id,
    version: 0,
    identifiers: [],
    claimed: [],
    shownApart: [],
    confirmed: [],
    tags: [],
    traits: {},
    consent: {},
    closed: {},
    preferences: {},
    firstSeenAt: at,
    merged: [],
    neverAutoMerge: [],
    confirmedDistinct: [],
    pendingReview: [],
  },
  activity: { id, version: 0, lastSeenAt: at, interactions: 0, lastInboundAt: {}, lastInboundMessageAt: {} },
});

/** Applies the profile fields of an interaction: they fill unknown fields, and replace known ones if `replaces`. */
export const applyHints = (profile: Profile, hints: ProfileHints | undefined, replaces: boolean): Profile => {
  if (hints === undefined) return profile;
  const { tags, traits, ...single } = hints;
  const known = Object.fromEntries(Object.entries(single).filter(([, value]) => value !== undefined));
  return {
    ...(replaces ? { ...profile, ...known } : { ...known, ...profile }),
    ...(tags && { tags: [...new Set([...profile.tags, ...tags])] }),
    ...(traits && { traits: { ...profile.traits, ...traits } }),
  };
};

/** Applies an interaction to the profile: its profile fields, and its time if it is the earliest. */
export const applyInteraction = (
  profile: Profile,
  { profile: hints, kind, occurredAt }: Interaction,
): Profile => ({
  ...applyHints(profile, hints, kind === 'contact-update'),
  firstSeenAt: occurredAt < profile.firstSeenAt ? occurredAt : profile.firstSeenAt,
});

/**
 * Applies an interaction's effect on an address to the profile that owns it. The result does not depend on the order of
 * arrival: of a STOP and a START the later counts, at the same instant the STOP; an address closed by a bounce or a
 * complaint stays closed.
 */
export const applyAddressEffect = (
  profile: Profile,
  address: Identifier,
  interaction: Interaction,
): Profile => {
  const effect = addressEffect(interaction);
  if (effect === undefined) return profile;
  const { occurredAt: at, id: source } = interaction;
  const { [address]: entry, ...others } = profile.closed;
  const reopened = profile.reopened?.[address] ?? '';
  if (effect === 'reopen') {
    const isOpened = entry?.reason === 'opt-out' && entry.at < at;
    if (at <= reopened && !isOpened) return profile;
    return {
      ...profile,
      closed: isOpened ? others : profile.closed,
      reopened: { ...profile.reopened, [address]: at > reopened ? at : reopened },
    };
  }
  const isUnchanged =
    effect === 'opt-out'
      ? reopened > at || (entry !== undefined && (entry.reason !== 'opt-out' || entry.at >= at))
      : entry !== undefined && entry.reason !== 'opt-out';
  return isUnchanged
    ? profile
    : { ...profile, closed: { ...profile.closed, [address]: { reason: effect, at, source } } };
};

/**
 * Applies an interaction to the activity. `carried`: the owned identifiers of the interaction. `silence`: milliseconds
 * without a message after which a conversation ends.
 */
export const applyActivity = (
  activity: SourceProfile['activity'],
  interaction: Interaction,
  carried: readonly Identifier[],
  silence: number,
): SourceProfile['activity'] => {
  const { occurredAt: at, channel, direction, kind } = interaction;
  const inbound = direction === 'inbound';
  const conversation = applyToConversation(activity.conversation, interaction, silence);
  const inboundNow = inbound ? carried.filter((one) => (activity.lastInboundAt[one] ?? '') < at) : [];
  const isLatestMessage =
    inbound && kind === 'message' && (activity.lastInboundMessageAt[channel] ?? '') < at;
  return {
    ...activity,
    interactions: activity.interactions + 1,
    lastSeenAt: activity.lastSeenAt > at ? activity.lastSeenAt : at,
    lastInboundAt:
      inboundNow.length === 0
        ? activity.lastInboundAt
        : { ...activity.lastInboundAt, ...Object.fromEntries(inboundNow.map((one) => [one, at])) },
    lastInboundMessageAt: isLatestMessage
      ? { ...activity.lastInboundMessageAt, [channel]: at }
      : activity.lastInboundMessageAt,
    ...(conversation && { conversation }),
  };
};

/** Closes the conversation by a person's decision: questions until `at` need no answer. `silence` as in `applyActivity`. */
export const closeConversation = (
  activity: SourceProfile['activity'],
  at: Instant,
  silence: number,
): SourceProfile['activity'] => ({
  ...activity,
  conversation: closedConversation(activity.conversation, at, silence),
});

/** Sets the preferred channel, or removes it if undefined, unless a later preference is known. */
export const applyPreference = (profile: Profile, channel: Channel | undefined, at: Instant): Profile =>
  profile.preferences.at !== undefined && profile.preferences.at > at
    ? profile
    : { ...profile, preferences: { ...(channel && { channel }), at } };
