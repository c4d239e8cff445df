import type { RecordedAnswer } from '../../../core/consent/evidence.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { entryAsCause } from '../../../core/triggers/audience/entry.ts';
import type { Decision } from '../../../core/triggers/decision.ts';
import { historyFacts } from '../../../core/triggers/history-facts.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { seriesOf } from '../../../core/triggers/series/steps.ts';
import { customerAsOf, knownAt, reservationsBefore } from '../../../core/triggers/why/as-of.ts';
import { nearestChanges } from '../../../core/triggers/why/changes.ts';
import { type Inputs, redecide } from '../../../core/triggers/why/redecide.ts';
import { outcomeWords, timeWords } from '../../../core/triggers/why/words.ts';
import type { History, StoredInteraction } from '../../contracts/ports/history.ts';
import { type DecisionPorts, readSituation } from './decide-without-effect.ts';
import type { Triggers, TriggerVersion } from './triggers.ts';

export interface ExplanationPorts extends Omit<DecisionPorts, 'history' | 'now'> {
  readonly history: History;
  readonly triggers: Triggers;
}

/** What is stored about a decision beside its row; what has expired or was erased is absent. */
export interface DecisionRecord {
  readonly version: TriggerVersion | undefined;
  readonly cause: StoredInteraction | undefined;
  /** Every answer of the customer about consent, oldest first. */
  readonly answers: readonly RecordedAnswer[];
  /** What would have decided otherwise, nearest first. */
  readonly nearest: readonly string[];
}

const DAY_MS = 86_400_000;
/** Older interactions are not read again for an explanation. */
const MOST_READ = 5000;
/** So many are read where the trigger asks nothing of the history: the last one says what the customer was then. */
const LEAST_READ = 50;

/** Reads what a decision was made of, and makes it again to find what would have decided otherwise. */
export const readDecision = async (
  ports: ExplanationPorts,
  notification: Notification,
): Promise<DecisionRecord> => {
  const { trigger, triggerVersion, profileId, occurredAt, interaction } = notification;
  const { arrivedAt, dueAt, step, occasion } = notification;
  const address = { profileId, occurredAt, id: interaction };
  const [version, customer, stored] = await Promise.all([
    ports.triggers.version(trigger, triggerVersion),
    ports.history.customer(profileId),
    occasion === undefined ? ports.history.interaction(address) : undefined,
  ]);
  const cause = occasion !== undefined && customer ? entryAsCause(address, customer) : stored;
  const answers = customer ? await ports.history.answers(customer) : [];
  if (version === undefined || customer === undefined || cause === undefined)
    return { version, cause, answers, nearest: ['What it was decided on is not stored any more.'] };
  // A series that ends at a step without a message has decided about none.
  if (step !== undefined && seriesOf(version.trigger).get(step)?.step.send === undefined)
    return { version, cause, answers, nearest: [] };
  const at = Date.parse(notification.decidedAt ?? notification.at);
  const waited = notification.timers > (notification.status === 'waiting' ? 1 : 0);
  const { inputs: present } = await readSituation(
    { ...ports, now: () => at },
    { version, customer, cause, arrivedAt: Date.parse(dueAt ?? arrivedAt), waited, step },
  );
  const then = instant(at);
  const history = knownAt(await historyBefore(ports, present, at), then);
  const inputs: Inputs = {
    ...present,
    history,
    customer: customerAsOf(present.customer, answers, history, then),
    reservations: reservationsBefore(present.reservations, at),
    hubReservations: reservationsBefore(present.hubReservations, at),
    addresses: new Map(
      [...present.addresses].map(([address, { mute, ...state }]) => [
        address,
        {
          ...{ ...state, reservations: reservationsBefore(state.reservations, at) },
          ...(mute && mute.at <= then && { mute }),
        },
      ]),
    ),
  };
  return { version, cause, answers, nearest: nearestOf(notification, inputs) };
};

/** As far back as the trigger asks, newest first. */
const historyBefore = async (
  { history }: Pick<ExplanationPorts, 'history'>,
  { trigger, cause, customer }: Pick<Inputs, 'trigger' | 'cause' | 'customer'>,
  at: number,
): Promise<StoredInteraction[]> => {
  const { start = at } = historyFacts(trigger, cause, at);
  const after = instant(Math.min(start, at - DAY_MS));
  const found: StoredInteraction[] = [];
  for await (const past of history.timeline(customer, { upTo: instant(at), order: 'newest' })) {
    if (found.length >= MOST_READ || (past.occurredAt <= after && found.length >= LEAST_READ)) break;
    found.push(past);
  }
  return found;
};

const nearestOf = (notification: Notification, inputs: Inputs): string[] => {
  const { status, reason, decidedAt, at } = notification;
  const again = redecide(inputs);
  if (reason === 'paused')
    return [
      `Had the trigger not been paused, it would ${outcomeWords(again)} at ${timeWords(decidedAt ?? at)}.`,
    ];
  if (reason === 'erased' || status === 'failed') return [];
  if (!isSame(notification, again))
    return [
      'What was read then has changed since (the configuration, the profile or an address), so no change can be tried on it.',
    ];
  const changes = nearestChanges(inputs);
  return changes.length > 0
    ? changes.map(({ sentence }) => sentence)
    : ['No single change of consent, address, count, limit, profile or time would have decided otherwise.'];
};

const isSame = ({ status, reason }: Notification, again: Decision): boolean => {
  if (status === 'suppressed') return again.decision === 'suppress' && again.reason === reason;
  return status === 'waiting' ? again.decision === 'wait' : again.decision === 'send';
};
