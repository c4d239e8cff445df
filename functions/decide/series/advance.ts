import type { Customer } from '../../../core/identity/customer.ts';
import { entryAsCause } from '../../../core/triggers/audience/entry.ts';
import type { DecisionMessage } from '../../../core/triggers/notification.ts';
import { isRunning, type Place } from '../../../core/triggers/series/place.ts';
import { byProgress, seriesOf } from '../../../core/triggers/series/steps.ts';
import type { TriggerVersion } from '../../aws/triggers/triggers.ts';
import { isPaused, newNotification, suppress, versionOf } from '../decide.ts';
import { enter } from './enter.ts';
import { endPlace, isOf, nameOf, repeatFollowUps, repeatOr, versionIn } from './place.ts';
import type { SeriesPorts, SeriesWork } from './ports.ts';
import { takeOn } from './take-on.ts';

/**
 * Takes a customer on in a series as far as it goes now: at the event that starts it, at the end of a wait, and at an
 * interaction that a step awaits. Any message about a place may do so, any number of times. False if a row changed
 * concurrently: the caller reads everything again.
 */
export const advanceSeries = async (
  ports: SeriesPorts,
  message: DecisionMessage,
  version: TriggerVersion,
): Promise<boolean> => {
  const { profileId, occurredAt, interaction, occasion } = message;
  const address = { profileId, occurredAt, id: interaction };
  const [current, known, stored, hub] = await Promise.all([
    ports.triggers.current(message.trigger),
    ports.history.customer(profileId),
    occasion === undefined ? ports.history.interaction(address) : undefined,
    ports.hub(),
  ]);
  const cause = occasion !== undefined && known ? entryAsCause(address, known) : stored;
  const { step: _, ...entry } = message;
  if (known === undefined || cause === undefined) {
    // Erasure removes the place too: only its timer shows that it existed.
    if (message.timer === undefined) return true;
    const present = await ports.notifications.get(entry);
    return repeatOr(ports, entry, present, () =>
      suppress(ports, entry, newNotification(entry, version), 'erased'),
    );
  }
  const { anyone } = version.trigger;
  const customer = anyone ? await ports.guests.ownerFor(known, cause) : known;
  const guests = anyone ? await ports.guests.guestsOf(customer) : [];
  const profileIds = [...new Set([profileId, ...[customer, ...guests].flatMap(profileIdsOf)])];
  const all = await ports.places.of(profileIds, message.trigger);
  for (const place of all)
    if (!isRunning(place) && place.movedBy === nameOf(message)) await repeatFollowUps(ports, place);
  const work = { message, version, current, customer, profileIds, cause, hub };
  const found = await placeAmong(ports, work, all);
  if (found === 'changed') return false;
  if (found !== undefined) return takeOn(ports, work, found);
  const isKnown = message.timer !== undefined || all.some((one) => isOf(one, message));
  return isKnown || enter(ports, work, all);
};

const profileIdsOf = ({ sourceProfiles }: Customer): string[] =>
  sourceProfiles.map(({ profile }) => profile.id);

/**
 * The customer's one running place. Of several, after a merge, the one that is further stays, of equals the earlier; one of
 * before a pause ends.
 */
const placeAmong = async (
  ports: SeriesPorts,
  { current, message }: SeriesWork,
  all: readonly Place[],
): Promise<Place | 'changed' | undefined> => {
  const running: Place[] = [];
  for (const place of all.filter(isRunning)) {
    // A pause ends what waits when it falls due, or makes way for an event after it.
    if (current?.paused === false && isPaused(current, place)) {
      if (!(await endPlace(ports, message, place, 'paused', current.pausedAt))) return 'changed';
    } else running.push(place);
  }
  if (running.length < 2) return running[0];
  const stops = await Promise.all(
    running.map(async (place) => {
      const { trigger } = await versionOf(ports, versionIn(place));
      return { place, stop: seriesOf(trigger).get(place.step) };
    }),
  );
  const [first, ...others] = stops.toSorted(
    (one, other) =>
      byProgress(one.stop, other.stop) || (one.place.arrivedAt < other.place.arrivedAt ? -1 : 1),
  );
  for (const { place } of others) if (!(await endPlace(ports, message, place, 'cancelled'))) return 'changed';
  return first?.place;
};
