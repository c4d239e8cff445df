import { OWN_PAGES } from '../../consent/consent.ts';
import type { RecordedAnswer } from '../../consent/evidence.ts';
import type { Customer } from '../../identity/customer.ts';
import { Channel, type Instant } from '../../interaction/interaction.ts';
import type { PastInteraction } from '../history-facts.ts';
import type { SendReservation } from '../limits.ts';

/** What was known at an instant, of an interaction: it had arrived. */
export const knownAt = <Past extends { readonly receivedAt: string }>(
  history: readonly Past[],
  at: Instant,
): Past[] => history.filter(({ receivedAt }) => receivedAt <= at);

/**
 * A customer as far as the history says what it was at an instant: consent from the recorded answers, tags, traits, stage,
 * time zone and preferences from the customer as recorded with the last interaction before, closures and times by their own
 * times. Who the customer is, and which identifiers it has, is as it is now. `known`: newest first.
 */
export const customerAsOf = (
  customer: Customer,
  answers: readonly RecordedAnswer[],
  known: readonly PastInteraction[],
  at: Instant,
): Customer => {
  const recorded = customer.lastSeenAt <= at ? undefined : known[0]?.customer;
  const { preferences } = customer;
  return {
    ...customer,
    ...(recorded && {
      ...{ tags: recorded.tags, traits: recorded.traits },
      ...{ stage: recorded.stage, timeZone: recorded.timeZone, language: recorded.language },
    }),
    preferences:
      preferences.at !== undefined && preferences.at > at
        ? (known[0]?.customer.preferences ?? {})
        : preferences,
    consent: consentAsOf(customer.consent, answers, at),
    closed: {
      ...stoppedAsOf(answers, at),
      ...Object.fromEntries(Object.entries(customer.closed).filter(([, closed]) => closed.at <= at)),
    },
    lastInboundMessageAt: Object.fromEntries(
      Channel.options.flatMap((channel) => {
        const present = customer.lastInboundMessageAt[channel];
        const then =
          present !== undefined && present <= at
            ? present
            : known.find((one) => isMessage(one) && one.channel === channel)?.occurredAt;
        return then === undefined ? [] : [[channel, then]];
      }),
    ),
  };
};

const isMessage = ({ kind, direction }: PastInteraction): boolean =>
  kind === 'message' && direction === 'inbound';

/** The addresses that a STOP had closed and no START had opened again. */
const stoppedAsOf = (answers: readonly RecordedAnswer[], at: Instant): Customer['closed'] => {
  const stopped: Customer['closed'] = {};
  for (const { channel, answer, evidence, source, ...given } of answers) {
    if (channel !== 'sms' || answer === 'no-marketing' || given.at > at) continue;
    if (evidence.type !== 'interaction' || evidence.provider === OWN_PAGES) continue;
    if (evidence.address === undefined) continue;
    if (answer === 'denied') stopped[evidence.address] = { reason: 'opt-out', at: given.at, source };
    else delete stopped[evidence.address];
  }
  return stopped;
};

const consentAsOf = (
  consent: Customer['consent'],
  answers: readonly RecordedAnswer[],
  at: Instant,
): Customer['consent'] =>
  Object.fromEntries(
    Channel.options.flatMap((channel) => {
      const present = consent[channel];
      if (present !== undefined && present.at <= at) return [[channel, present]];
      const then = answerAsOf(answers, channel, at);
      return then === undefined ? [] : [[channel, { status: then.to, at: then.at, source: then.source }]];
    }),
  );

/** The recorded answer about a channel that counted at an instant. `answers`: oldest first. */
export const answerAsOf = (
  answers: readonly RecordedAnswer[],
  channel: Channel,
  at: Instant,
): RecordedAnswer | undefined => answers.findLast((one) => one.channel === channel && one.at <= at);

/** The reservations that a decision at this time, in epoch milliseconds, counted: its own is not among them. */
export const reservationsBefore = (reservations: readonly SendReservation[], at: number): SendReservation[] =>
  reservations.filter((one) => one.at < at);
