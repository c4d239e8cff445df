import { addressEffect } from '../consent/consent.ts';
import type { Channel, Instant, Interaction, ProfileHints } from '../interaction/interaction.ts';
import { closed, withAct } from '../timeline/conversation.ts';
import type { Half, Profile } from './customer.ts';
import type { Identifier } from './identifier.ts';

/** What an interaction changes about the one half of a customer that it goes to. Pure: a half in, a half out. */

export const emptyHalf = (id: string, at: Instant): Half => ({
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
    apart: [],
    distinct: [],
    asked: [],
  },
  activity: { id, version: 0, lastSeenAt: at, interactions: 0, heard: {}, inbound: {} },
});

/** What an interaction tells fills what is not known; a contact-update also replaces what is. */
export const hinted = (profile: Profile, hints: ProfileHints | undefined, replaces: boolean): Profile => {
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
export const learned = (profile: Profile, { profile: hints, kind, occurredAt }: Interaction): Profile => ({
  ...hinted(profile, hints, kind === 'contact-update'),
  firstSeenAt: occurredAt < profile.firstSeenAt ? occurredAt : profile.firstSeenAt,
});

/**
 * The profile of who holds an address, after an interaction that it carried. In whatever order they arrive: of a STOP and
 * a START the later counts, of one instant the STOP; what bounced or was complained about stays closed.
 */
export const closedBy = (profile: Profile, address: Identifier, interaction: Interaction): Profile => {
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
export const active = (
  activity: Half['activity'],
  interaction: Interaction,
  carried: readonly Identifier[],
  silence: number,
): Half['activity'] => {
  const { occurredAt: at, channel, direction, kind } = interaction;
  const inbound = direction === 'inbound';
  const conversation = withAct(activity.conversation, interaction, silence);
  const heard = inbound ? carried.filter((one) => (activity.heard[one] ?? '') < at) : [];
  const said = inbound && kind === 'message' && (activity.inbound[channel] ?? '') < at;
  return {
    ...activity,
    interactions: activity.interactions + 1,
    lastSeenAt: activity.lastSeenAt > at ? activity.lastSeenAt : at,
    heard:
      heard.length === 0
        ? activity.heard
        : { ...activity.heard, ...Object.fromEntries(heard.map((one) => [one, at])) },
    inbound: said ? { ...activity.inbound, [channel]: at } : activity.inbound,
    ...(conversation && { conversation }),
  };
};

/** Somebody of the business says that nothing is owed to the customer any more, whatever was asked until `at`. */
export const closedByHand = (activity: Half['activity'], at: Instant, silence: number): Half['activity'] => ({
  ...activity,
  conversation: closed(activity.conversation, at, silence),
});

/** The profile with the channel that a person prefers from `at` on, or that they prefer none; a later word of theirs stands. */
export const preferring = (profile: Profile, channel: Channel | undefined, at: Instant): Profile =>
  profile.preferences.at !== undefined && profile.preferences.at > at
    ? profile
    : { ...profile, preferences: { ...(channel && { channel }), at } };
