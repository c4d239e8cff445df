import { addressEffect, addressesOf, answer, type ConsentStatus, consentWord, stricter } from './consent.ts';
import { withAct } from './conversation.ts';
import type { ConsentEntry, Half, Profile } from './customer.ts';
import type { Identifier } from './identifier.ts';
import { normaliseIdentifier } from './identity.ts';
import type { Channel, Instant, Interaction, ProfileHints } from './interaction.ts';
import type { Introduction } from './people.ts';

/** What an interaction changes about the one half of a customer that it goes to. Pure: a half in, a half out. */

/** The latest answer wins; of two given at the same instant the stricter. */
export const outdated = (
  present: { status: ConsentStatus; at: Instant },
  status: ConsentStatus,
  at: Instant,
): boolean => at < present.at || (at === present.at && stricter(present.status, status) === present.status);

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

/** The profile with what a list says of the person, which replaces nothing that is known. */
export const introduced = (profile: Profile, told: Introduction): Profile => {
  const { stage, traits, ...hints } = told.profile;
  const { channel } = told.preferences;
  return {
    ...hinted(profile, hints, false),
    ...(traits && { traits: { ...traits, ...profile.traits } }),
    ...(stage !== undefined && profile.stage === undefined && { stage }),
    consent: listed(profile.consent, told),
    ...(channel !== undefined &&
      profile.preferences.channel === undefined && { preferences: { channel, at: told.at } }),
  };
};

const listed = (known: Profile['consent'], told: Introduction): Profile['consent'] => {
  const consent = { ...known };
  for (const [name, status] of Object.entries(told.consent)) {
    const channel = name as Channel;
    const at = told.answeredAt?.[channel] ?? told.at;
    const present = known[channel];
    if (present !== undefined) {
      const undated = told.undated?.includes(channel) === true;
      if (status === 'unknown' || outdated(present, status, at)) continue;
      if (undated && stricter(present.status, status) === present.status) continue;
    }
    consent[channel] = { status, at, source: told.id, ...(told.evidence && { evidence: told.evidence }) };
  }
  return consent;
};

/** The order of arrival does not matter: what is older than the answer or the closure that stands changes nothing. */
const closedAfter = (
  closed: Profile['closed'],
  interaction: Interaction,
  consent: ConsentEntry | undefined,
): Profile['closed'] => {
  const effect = addressEffect(interaction);
  if (effect === undefined) return closed;
  const { occurredAt: at, id: source } = interaction;
  const addresses = addressesOf(
    interaction,
    interaction.identifiers.map((one) => normaliseIdentifier(one) ?? one),
  );
  if (effect === 'reopen') {
    const reopened = addresses.filter((one) => closed[one]?.reason === 'opt-out' && closed[one].at <= at);
    if (reopened.length === 0) return closed;
    return Object.fromEntries(Object.entries(closed).filter(([one]) => !reopened.includes(one)));
  }
  if (effect === 'opt-out' && consent?.status === 'granted' && consent.at > at) return closed;
  const stands = (one: Identifier): boolean => {
    const entry = closed[one];
    return (
      entry !== undefined &&
      (effect === 'opt-out' ? entry.reason !== 'opt-out' || entry.at >= at : entry.reason !== 'opt-out')
    );
  };
  const fresh = addresses.filter((one) => !stands(one));
  if (fresh.length === 0) return closed;
  return { ...closed, ...Object.fromEntries(fresh.map((one) => [one, { reason: effect, at, source }])) };
};

/** The profile with what an interaction tells of the person, and with its time if nothing earlier is known. */
export const learned = (profile: Profile, { profile: hints, kind, occurredAt }: Interaction): Profile => ({
  ...hinted(profile, hints, kind === 'contact-update'),
  firstSeenAt: occurredAt < profile.firstSeenAt ? occurredAt : profile.firstSeenAt,
});

/** The profile with the answer that an interaction gives about consent, and the addresses that it closes or reopens. */
export const answered = (profile: Profile, interaction: Interaction): Profile => {
  const { channel, occurredAt: at, id: source } = interaction;
  const present = profile.consent[channel];
  const word = consentWord(interaction);
  const status = word && answer(word, present?.status ?? 'unknown');
  const counts = status !== undefined && !(present !== undefined && outdated(present, status, at));
  const consent = counts ? { ...profile.consent, [channel]: { status, at, source } } : profile.consent;
  const closed = closedAfter(profile.closed, interaction, present);
  return consent === profile.consent && closed === profile.closed ? profile : { ...profile, consent, closed };
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
