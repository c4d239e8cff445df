import { instant } from '../../../core/interaction/interaction.ts';
import { entryAsCause } from '../../../core/triggers/audience/entry.ts';
import type { HistoryFacts } from '../../../core/triggers/history-facts.ts';
import { arrivalsFor, type Due, dueOf, type SeriesSituation } from '../../../core/triggers/series/move.ts';
import { isRunning, type Place } from '../../../core/triggers/series/place.ts';
import { answerOnHistory } from '../../aws/triggers/on-history.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import { isPaused, versionOf } from '../decide.ts';
import { act, type Moving, waitAt } from './act.ts';
import { endPlace, isOf, messageOf, nameOf, repeatFollowUps, versionIn } from './place.ts';
import type { SeriesPorts, SeriesWork } from './ports.ts';

/** Takes a place on until it waits, or the series has ended. False if a row changed concurrently. */
export const takeOn = async (ports: SeriesPorts, work: SeriesWork, start: Place): Promise<boolean> => {
  const { message, current } = work;
  const { trigger, templates } = await versionOf(ports, versionIn(start));
  const cause = isOf(start, message) ? work.cause : await causeOf(ports, work, start);
  // The customer of the cause is being erased.
  if (cause === undefined) return true;
  // Whoever decided the last message ended before the place waited.
  if (start.until === undefined) await repeatFollowUps(ports, start);
  const moving = { ports, work, trigger, templates, cause };
  for (let place = start; ; ) {
    const situation = await situationOf(moving, place);
    const due = await answerOnHistory(ports.history, work.customer, ...dueIn(situation));
    if (due.due === 'later') {
      if (place.movedBy === nameOf(message))
        await ports.schedule(messageOf(place), Date.parse(place.until ?? place.since));
      return true;
    }
    if (due.due === 'wait') return waitAt(moving, place, due.until);
    if (isPaused(current, place)) return endPlace(ports, message, place, 'paused', current?.pausedAt);
    const since = due.due === 'never' ? ports.now() : due.since;
    const matched = due.due === 'now' && due.matched !== undefined && { matched: due.matched };
    const dueNow: Place = { ...place, dueAt: instant(since), ...matched };
    const next = await act(moving, { ...situation, place: dueNow }, due.due === 'never' ? undefined : since);
    if (next === false || next === 'waits') return next === 'waits';
    if (!isRunning(next)) return true;
    place = next;
  }
};

const causeOf = async (
  ports: SeriesPorts,
  { customer }: SeriesWork,
  place: Place,
): Promise<StoredInteraction | undefined> => {
  const address = { ...place, id: place.interaction };
  return place.occasion === undefined ? ports.history.interaction(address) : entryAsCause(address, customer);
};

const situationOf = async (
  { ports, work, trigger, cause }: Moving,
  place: Place,
): Promise<SeriesSituation> => {
  const { message, customer, hub } = work;
  const isOwn = isOf(place, message);
  const isWaiting = place.until !== undefined;
  return {
    ...{ trigger, hub, cause, customer, place, now: ports.now() },
    ...{ carried: [], addresses: new Map(), hubReservations: [], reservations: [], templates: {} },
    before:
      isWaiting && place.sinceMessage && place.last !== undefined
        ? await ports.notifications.get({ ...messageOf(place), step: place.last })
        : undefined,
    event: isOwn || message.timer !== undefined ? undefined : work.cause,
    hasFired: isOwn && message.timer === place.timers && isWaiting,
  };
};

const dueIn = (situation: SeriesSituation): [HistoryFacts, () => Due | undefined] => {
  const arrivals = arrivalsFor(situation);
  return [arrivals, () => dueOf(situation, arrivals)];
};
