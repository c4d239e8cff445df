import type { Profile } from '../identity/profile.ts';
import type { Channel } from '../interaction/interaction.ts';
import { type Answer, type ConsentAnswer, type ConsentEntry, nextStatus } from './consent.ts';

/** Of two answers of one instant the one that counts is the later here: ties deny. */
const answerOrder: readonly Answer[] = [
  'resume',
  'unknown',
  'granted',
  'no-marketing',
  'service-only',
  'denied',
];

/** More are folded together, oldest first: an answer that comes later than twelve others is late indeed. */
const MOST_STORED_ANSWERS = 12;

/**
 * The profile after one more answer, which may be older than others: what stands is what would stand had all of them
 * come in the order in which they were given. The same profile where nothing changes.
 */
export const applyConsentAnswer = (profile: Profile, channel: Channel, given: ConsentAnswer): Profile => {
  const { consentHistory: said = {}, ...rest } = profile;
  const present = profile.consent[channel];
  const known = said[channel] ?? (present ? [toAnswer(present)] : []);
  const all = relevantAnswers([...known, given].sort(byTime));
  if (JSON.stringify(all) === JSON.stringify(known)) return profile;
  const { [channel]: _, ...others } = said;
  const kept = all.some(({ answer }) => isRelative(answer)) ? { ...others, [channel]: all } : others;
  const now = resolveAnswers(all);
  return {
    ...rest,
    ...(Object.keys(kept).length > 0 && { consentHistory: kept }),
    consent: now === undefined ? profile.consent : { ...profile.consent, [channel]: now },
  };
};

/** Whether what an answer leads to depends on the answers before it. */
const isRelative = (answer: Answer): boolean => answer === 'resume' || answer === 'no-marketing';

const toAnswer = ({ status, ...entry }: ConsentEntry): ConsentAnswer => ({ answer: status, ...entry });

const byTime = (one: ConsentAnswer, other: ConsentAnswer): number => {
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  const ranks = answerOrder.indexOf(one.answer) - answerOrder.indexOf(other.answer);
  return ranks === 0 ? (one.source < other.source ? -1 : 1) : ranks;
};

/** What comes before an answer that stands by itself no longer matters. */
const relevantAnswers = (all: readonly ConsentAnswer[]): ConsentAnswer[] => {
  const from = all.findLastIndex(({ answer }) => !isRelative(answer));
  const kept = all.slice(Math.max(from, 0));
  while (kept.length > MOST_STORED_ANSWERS) {
    const [first, second] = kept.splice(0, 2);
    const folded = resolveAnswers([first, second].filter((one) => one !== undefined));
    if (folded) kept.unshift(toAnswer(folded));
  }
  return kept;
};

/** The consent that answers lead to, oldest first; undefined where none of them says anything. */
const resolveAnswers = (all: readonly ConsentAnswer[]): ConsentEntry | undefined =>
  all.reduce<ConsentEntry | undefined>((present, { answer, ...given }) => {
    const status = nextStatus(answer, present?.status ?? 'unknown');
    return status === undefined ? present : { status, ...given };
  }, undefined);
