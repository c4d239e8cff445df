import { addressEffect } from '../consent/consent.ts';
import type { Channel, Instant, Interaction, ProfileHints } from '../interaction/interaction.ts';
import { applyToConversation, closedConversation } from '../timeline/conversation.ts';
import type { Identifier } from './identifier.ts';
import type { Profile, SourceProfile } from './profile.ts';

/** What an interaction changes about the one half of a customer that it goes to. Pure: a half in, a half out. */

export const newSourceProfile = (id: string, at: Instant): SourceProfile => ({
  profile: {
    id,
    version: 0,
    identifiers: [],
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

/** What an interaction tells fills what is not known; a contact-update also replaces what is. */
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

/** The profile with what an interaction tells of the person, and with its time if nothing earlier is known. */
export const applyInteraction = (
  profile: Profile,
  { profile: hints, kind, occurredAt }: Interaction,
): Profile => ({
  ...applyHints(profile, hints, kind === 'contact-update'),
  firstSeenAt: occurredAt < profile.firstSeenAt ? occurredAt : profile.firstSeenAt,
});

/**
 * The profile of who holds an address, after an interaction that it carried. In whatever order they arrive: of a STOP and
 * a START the later counts, of one instant the STOP; what bounced or was complained about stays closed.
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
    const opens = entry?.reason === 'opt-out' && entry.at < at;
    if (at <= reopened && !opens) return profile;
    return {
      ...profile,
      closed: opens ? others : profile.closed,
      reopened: { ...profile.reopened, [address]: at > reopened ? at : reopened },
    };
  }
  const stands =
    effect === 'opt-out'
      ? reopened > at || (entry !== undefined && (entry.reason !== 'opt-out' || entry.at >= at))
      : entry !== undefined && entry.reason !== 'opt-out';
  return stands
    ? profile
    : { ...profile, closed: { ...profile.closed, [address]: { reason: effect, at, source } } };
};

/**
 * The activity after one more interaction; `carried` are the owned identifiers that an inbound one came with, `silence` in
 * milliseconds parts conversations.
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
  const heard = inbound ? carried.filter((one) => (activity.lastInboundAt[one] ?? '') < at) : [];
  const said = inbound && kind === 'message' && (activity.lastInboundMessageAt[channel] ?? '') < at;
  return {
    ...activity,
    interactions: activity.interactions + 1,
    lastSeenAt: activity.lastSeenAt > at ? activity.lastSeenAt : at,
    lastInboundAt:
      heard.length === 0
        ? activity.lastInboundAt
        : { ...activity.lastInboundAt, ...Object.fromEntries(heard.map((one) => [one, at])) },
    lastInboundMessageAt: said
      ? { ...activity.lastInboundMessageAt, [channel]: at }
      : activity.lastInboundMessageAt,
    ...(conversation && { conversation }),
  };
};

/** Somebody of the business says that nothing is owed to the customer any more, whatever was asked until `at`. */
export const closeConversation = (
  activity: SourceProfile['activity'],
  at: Instant,
  silence: number,
): SourceProfile['activity'] => ({
  ...activity,
  conversation: closedConversation(activity.conversation, at, silence),
});

/** The profile with the channel that a person prefers from `at` on, or that they prefer none; a later word of theirs stands. */
export const applyPreference = (profile: Profile, channel: Channel | undefined, at: Instant): Profile =>
  profile.preferences.at !== undefined && profile.preferences.at > at
    ? profile
    : { ...profile, preferences: { ...(channel && { channel }), at } };
