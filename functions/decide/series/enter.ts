import { endOfEntry, isEntryLimitReached, isTriggeredBy } from '../../../core/triggers/decision.ts';
import { historyFacts } from '../../../core/triggers/history-facts.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import { seriesOf } from '../../../core/triggers/series/steps.ts';
import { onceValue } from '../../../core/triggers/trigger.ts';
import { answerOnHistory } from '../../aws/triggers/on-history.ts';
import { isPaused, newNotification, suppress } from '../decide.ts';
import { enterOnce } from '../once.ts';
import { repeatOr } from './place.ts';
import type { SeriesPorts, SeriesWork } from './ports.ts';
import { takeOn } from './take-on.ts';

/**
 * Decides whether an event starts the series, and takes the customer on. `all`: the places of the customer, none of which is
 * running. False if a row changed concurrently.
 */
export const enter = async (
  ports: SeriesPorts,
  work: SeriesWork,
  all: readonly Place[],
): Promise<boolean> => {
  const { message, version, current, customer, profileIds, cause } = work;
  const { trigger } = version;
  // An event that arrived while the series ran leaves no entry, also where it is delivered later.
  const isMeanwhile = all.some(({ endedAt = '' }) => endedAt >= message.arrivedAt);
  if (isMeanwhile || !isTriggeredBy(trigger, cause, Date.parse(message.arrivedAt))) return true;
  const known = await ports.notifications.get(message);
  if (known !== undefined) return repeatOr(ports, message, known, async () => true);
  const value = message.occasion ?? onceValue(trigger, cause);
  if (value !== undefined) {
    const entry = await enterOnce(ports.notifications, message, customer, value, all);
    if (entry !== 'first') return entry === 'taken';
  }
  const draft = newNotification(message, version);
  if (isPaused(current, draft)) return suppress(ports, message, draft, 'paused');
  const now = ports.now();
  const limits = await ports.notifications.reservations(customer, []);
  // Read after the limits: a place that another event of the customer has started meanwhile is found, or the entry is refused.
  if (profileIds.length > 1 && !haveSamePlaces(all, await ports.places.of(profileIds, trigger.id)))
    return false;
  const steps: Notification['steps'] = [];
  const facts = historyFacts({ where: trigger.where }, cause, now);
  const ended = await answerOnHistory(ports.history, customer, facts, () => {
    steps.length = 0;
    const situation = { trigger, cause, customer, history: facts, waited: false };
    return endOfEntry(situation, (step, result) => steps.push({ step, result }));
  });
  const isFull = isEntryLimitReached({ trigger, reservations: limits.all, now }, (step, result) =>
    steps.push({ step, result }),
  );
  if (ended !== 'none' || isFull)
    return suppress(ports, message, { ...draft, steps }, ended === 'none' ? 'frequency-cap' : ended);
  const [first] = seriesOf(trigger).keys();
  const before = all.find(({ profileId }) => profileId === message.profileId);
  const place: Place = {
    ...{ trigger: trigger.id, triggerVersion: message.version, category: trigger.category },
    ...{ profileId: message.profileId, interaction: message.interaction },
    ...(message.occasion !== undefined && { occasion: message.occasion }),
    ...{ occurredAt: message.occurredAt, arrivedAt: message.arrivedAt },
    ...{ version: before?.version ?? 0, timers: 0, step: first ?? '', since: message.arrivedAt },
  };
  if (!(await ports.places.enter(place, customer, limits, { trigger: trigger.id, at: now }))) return false;
  return takeOn(ports, work, { ...place, version: place.version + 1 });
};

const haveSamePlaces = (some: readonly Place[], others: readonly Place[]): boolean => {
  const versionsOf = (all: readonly Place[]): string =>
    JSON.stringify(all.map(({ profileId, version }) => [profileId, version]).sort());
  return versionsOf(some) === versionsOf(others);
};
