import type { Profile } from '../identity/profile.ts';
import type { Channel } from '../interaction/interaction.ts';
import { type Answer, type ConsentAnswer, type ConsentEntry, nextStatus } from './consent.ts';

/** Of two answers at the same instant the later in this list counts: ties deny. */
const answerOrder: readonly Answer[] = [
  'resume',
  'unknown',
  'granted',
  'no-marketing',
  'service-only',
  'denied',
];

/** Above this number the oldest answers are combined: an answer is hardly ever later than twelve others. */
const MOST_STORED_ANSWERS = 12;

/**
 * Applies an answer to the profile. The result does not depend on the order of arrival: it is that of all answers in the
 * order in which they were given. Returns the same object if nothing changes.
 */
export const applyConsentAnswer = (profile: Profile, channel: Channel, given: ConsentAnswer): Profile => {
  const { consentHistory: history = {}, ...rest } = profile;
  const present = profile.consent[channel];
  const known = history[channel] ?? (present ? [toAnswer(present)] : []);
  const all = relevantAnswers([...known, given].sort(byTime));
  if (JSON.stringify(all) === JSON.stringify(known)) return profile;
  const { [channel]: _, ...others } = history;
  const consentHistory = all.some(({ answer }) => isRelative(answer))
    ? { ...others, [channel]: all }
    : others;
  const now = resolveAnswers(all);
  return {
    ...rest,
    ...(Object.keys(consentHistory).length > 0 && { consentHistory }),
    consent: now === undefined ? profile.consent : { ...profile.consent, [channel]: now },
  };
};

/** Whether the effect of an answer depends on the answers before it. */
const isRelative = (answer: Answer): boolean => answer === 'resume' || answer === 'no-marketing';

const toAnswer = ({ status, ...entry }: ConsentEntry): ConsentAnswer => ({ answer: status, ...entry });

const byTime = (one: ConsentAnswer, other: ConsentAnswer): number => {
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  const ranks = answerOrder.indexOf(one.answer) - answerOrder.indexOf(other.answer);
  return ranks === 0 ? (one.source < other.source ? -1 : 1) : ranks;
};

/** Drops the answers before the last one that does not depend on earlier ones. */
const relevantAnswers = (all: readonly ConsentAnswer[]): ConsentAnswer[] => {
  const from = all.findLastIndex(({ answer }) => !isRelative(answer));
  const relevant = all.slice(Math.max(from, 0));
  while (relevant.length > MOST_STORED_ANSWERS) {
    const [first, second] = relevant.splice(0, 2);
    const combined = resolveAnswers([first, second].filter((one) => one !== undefined));
    if (combined) relevant.unshift(toAnswer(combined));
  }
  return relevant;
};

/** The consent after answers, oldest first; undefined if none of them has an effect. */
const resolveAnswers = (all: readonly ConsentAnswer[]): ConsentEntry | undefined =>
  all.reduce<ConsentEntry | undefined>((present, { answer, ...given }) => {
    const status = nextStatus(answer, present?.status ?? 'unknown');
    return status === undefined ? present : { status, ...given };
  }, undefined);
