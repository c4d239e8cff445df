import type { HubConfig } from '../../core/config/hub-config.ts';
import type { Customer } from '../../core/identity/customer.ts';
import { instant } from '../../core/interaction/interaction.ts';
import {
  endOfEntry,
  isEntryLimitReached,
  isTriggeredBy,
  type SuppressionReason,
} from '../../core/triggers/decision.ts';
import { type HistoryFacts, historyFacts } from '../../core/triggers/history-facts.ts';
import type { SendReservation } from '../../core/triggers/limits.ts';
import type { DecisionMessage, Notification } from '../../core/triggers/notification.ts';
import {
  arrivalsFor,
  type Due,
  dueOf,
  expiredAt,
  factsFor,
  type Move,
  moveOf,
  type SeriesSituation,
} from '../../core/triggers/series/move.ts';
import { isRunning, type Place } from '../../core/triggers/series/place.ts';
import { sendingTrigger } from '../../core/triggers/series/sending-trigger.ts';
import { byProgress, seriesOf } from '../../core/triggers/series/steps.ts';
import { templateChannels } from '../../core/triggers/template-files.ts';
import { onceValue } from '../../core/triggers/trigger.ts';
import type { SendReservations } from '../aws/triggers/notifications.ts';
import type { Places, PresentPlaces } from '../aws/triggers/places.ts';
import type { TriggerVersion } from '../aws/triggers/triggers.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import type { CurrentTrigger } from '../contracts/rows/triggers.ts';
import {
  type DecidePorts,
  isPaused,
  newNotification,
  readUntilKnown,
  runFollowUps,
  suppress,
  versionOf,
  wholeSecond,
  withReservations,
} from './decide.ts';
import { enterOnce } from './once.ts';

export interface SeriesPorts extends Omit<DecidePorts, 'guests'> {
  readonly places: Places;
  readonly guests: Pick<Guests, 'ownerFor' | 'guestsOf'>;
}

/** What one message of the decisions queue is about, as it is stored now. */
interface Work {
  readonly message: DecisionMessage;
  /** The version that the message names; a place may be of another. */
  readonly version: TriggerVersion;
  readonly current: CurrentTrigger | undefined;
  readonly customer: Customer;
  readonly cause: StoredInteraction;
  readonly hub: HubConfig;
}

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
  const { profileId, occurredAt, interaction } = message;
  const [current, known, cause, hub] = await Promise.all([
    ports.triggers.current(message.trigger),
    ports.history.customer(profileId),
    ports.history.interaction({ profileId, occurredAt, id: interaction }),
    ports.hub(),
  ]);
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
  const present = await ports.places.of(
    [profileId, ...[customer, ...guests].flatMap(profileIdsOf)],
    message.trigger,
  );
  for (const place of present.all)
    if (!isRunning(place) && place.movedBy === nameOf(message)) await repeatFollowUps(ports, place);
  const work = { message, version, current, customer, cause, hub };
  const found = await placeAmong(ports, work, present);
  if (found === 'changed') return false;
  if (found !== undefined) return takeOn(ports, work, found);
  const isKnown = message.timer !== undefined || present.all.some((one) => isOf(one, message));
  return isKnown || enter(ports, work, present);
};

const profileIdsOf = ({ sourceProfiles }: Customer): string[] =>
  sourceProfiles.map(({ profile }) => profile.id);

const isOf = (place: Place, { profileId, interaction }: DecisionMessage): boolean =>
  place.profileId === profileId && place.interaction === interaction;

/**
 * The customer's one running place. Of several, after a merge, the one that is further stays, of equals the earlier; one of
 * before a pause ends.
 */
const placeAmong = async (
  ports: SeriesPorts,
  { current, message }: Work,
  { all }: PresentPlaces,
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

const versionIn = ({ trigger, triggerVersion }: Place): Pick<DecisionMessage, 'trigger' | 'version'> => ({
  trigger,
  version: triggerVersion,
});

/** The message of a place, as its timers bring it. */
const messageOf = ({ timers, ...place }: Place): DecisionMessage => ({
  ...{ profileId: place.profileId, trigger: place.trigger, interaction: place.interaction },
  ...{ version: place.triggerVersion, occurredAt: place.occurredAt, arrivedAt: place.arrivedAt },
  ...{ step: place.step, timer: timers },
});

/** The row of the message of a step, before it is decided. */
const draftOf = (place: Place): Notification => ({
  ...{ trigger: place.trigger, triggerVersion: place.triggerVersion, category: place.category },
  ...{ profileId: place.profileId, interaction: place.interaction, step: place.step },
  ...{ occurredAt: place.occurredAt, arrivedAt: place.arrivedAt },
  ...(place.dueAt !== undefined && { dueAt: place.dueAt }),
  ...{ version: 0, status: 'waiting', at: place.since, timers: 0, steps: [] },
});

/** Ends a series for a customer at the step where it stands. `endedAt`: where that was before now. */
const endPlace = async (
  ports: SeriesPorts,
  message: DecisionMessage,
  place: Place,
  reason: SuppressionReason,
  endedAt?: string,
): Promise<boolean> => {
  const at = instant(ports.now());
  const suppressed: Notification = { ...draftOf(place), status: 'suppressed', at, reason };
  const ended = { ...endedPlace(place, endedAt ?? at), last: place.step, movedBy: nameOf(message), reason };
  if (!(await ports.notifications.save(suppressed, ended))) return false;
  await runFollowUps(ports, messageOf(place), suppressed);
  return true;
};

const endedPlace = ({ until: _, dueAt: __, ...place }: Place, endedAt: string): Place => ({
  ...place,
  endedAt,
});

/** Which message it is, whoever delivers it how often. */
const nameOf = ({ timer, interaction }: DecisionMessage): string =>
  timer === undefined ? interaction : `${interaction} ${timer}`;

/** Repeats the follow-ups of the message that was decided last: the process may have ended before them. */
const repeatFollowUps = async (ports: SeriesPorts, place: Place): Promise<void> => {
  if (place.last === undefined) return;
  const message = { ...messageOf(place), step: place.last };
  await repeatOr(ports, message, await ports.notifications.get(message), async () => true);
};

const repeatOr = async (
  ports: SeriesPorts,
  message: DecisionMessage,
  decided: Notification | undefined,
  otherwise: () => Promise<boolean>,
): Promise<boolean> => {
  if (decided === undefined) return otherwise();
  if (decided.status === 'reserved' || decided.status === 'suppressed')
    await runFollowUps(ports, message, decided);
  return true;
};

/** Decides whether an event starts the series. */
const enter = async (ports: SeriesPorts, work: Work, present: PresentPlaces): Promise<boolean> => {
  const { message, version, current, customer, cause } = work;
  const { trigger } = version;
  const known = await ports.notifications.get(message);
  // An event that arrived while the series ran leaves no entry, also where it is delivered later.
  const isMeanwhile = present.all.some(({ endedAt = '' }) => endedAt >= message.arrivedAt);
  if (known !== undefined || isMeanwhile || !isTriggeredBy(trigger, cause, Date.parse(message.arrivedAt)))
    return repeatOr(ports, message, known, async () => true);
  const value = onceValue(trigger, cause);
  if (value !== undefined) {
    const entry = await enterOnce(ports.notifications, message, customer, value, present.all);
    if (entry !== 'first') return entry === 'taken';
  }
  const draft = newNotification(message, version);
  if (isPaused(current, draft)) return suppress(ports, message, draft, 'paused');
  const now = ports.now();
  const limits = await ports.notifications.reservations(customer, []);
  const steps: Notification['steps'] = [];
  const facts = historyFacts({ where: trigger.where }, cause, now);
  const ended = await readUntilKnown(ports.history, customer, facts, () => {
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
  const place: Place = {
    ...{ trigger: trigger.id, triggerVersion: message.version, category: trigger.category },
    ...{ profileId: message.profileId, interaction: message.interaction },
    ...{ occurredAt: message.occurredAt, arrivedAt: message.arrivedAt },
    ...{ version: 0, timers: 0, step: first ?? '', since: message.arrivedAt },
  };
  if (!(await ports.places.enter(place, present, customer, limits, { trigger: trigger.id, at: now })))
    return false;
  const before = present.all.find(({ profileId }) => profileId === place.profileId)?.version ?? 0;
  return takeOn(ports, work, { ...place, version: before + 1 });
};

/** Takes a place on until it waits, or the series has ended. */
const takeOn = async (ports: SeriesPorts, work: Work, start: Place): Promise<boolean> => {
  const { message, current } = work;
  const { trigger, templates } = await versionOf(ports, versionIn(start));
  const cause = isOf(start, message) ? work.cause : await causeOf(ports, start);
  // The customer of the cause is being erased.
  if (cause === undefined) return true;
  // Whoever decided the last message ended before the place waited.
  if (start.until === undefined) await repeatFollowUps(ports, start);
  const moving = { ports, work, trigger, templates, cause };
  for (let place = start; ; ) {
    const situation = await situationOf(moving, place);
    const due = await readUntilKnown(ports.history, work.customer, ...dueIn(situation));
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

const causeOf = (ports: SeriesPorts, place: Place): Promise<StoredInteraction | undefined> =>
  ports.history.interaction({ ...place, id: place.interaction });

/** A message that takes a place on, with the version and the cause of the place. */
interface Moving extends TriggerVersion {
  readonly ports: SeriesPorts;
  readonly work: Work;
  readonly cause: StoredInteraction;
}

const situationOf = async (
  { ports, work, trigger, cause }: Moving,
  place: Place,
): Promise<SeriesSituation> => {
  const { message, customer, hub } = work;
  const isOwn = isOf(place, message);
  return {
    ...{ trigger, hub, cause, customer, place, now: ports.now() },
    ...{ carried: [], addresses: new Map(), hubReservations: [], reservations: [], templates: {} },
    before:
      place.sinceMessage && place.last !== undefined
        ? await ports.notifications.get({ ...messageOf(place), step: place.last })
        : undefined,
    event: isOwn || message.timer !== undefined ? undefined : work.cause,
    hasFired: isOwn && message.timer === place.timers && place.until !== undefined,
  };
};

const dueIn = (situation: SeriesSituation): [HistoryFacts, () => Due | undefined] => {
  const arrivals = arrivalsFor(situation);
  return [arrivals, () => dueOf(situation, arrivals)];
};

const waitAt = async ({ ports, work }: Moving, place: Place, until: number): Promise<boolean> => {
  const at = wholeSecond(until);
  const movedBy = nameOf(work.message);
  const waiting: Place = { ...place, until: instant(at), timers: place.timers + 1, movedBy };
  if (!(await ports.places.save(waiting))) return false;
  await ports.schedule(messageOf(waiting), at);
  return true;
};

/**
 * Does what a due step does. `since`: when it fell due; undefined where its time never comes. Resolves to the place behind
 * it, as it is stored at the latest with its next wait; false if a row changed concurrently.
 */
const act = async (
  moving: Moving,
  situation: SeriesSituation,
  since: number | undefined,
): Promise<Place | 'waits' | false> => {
  const { ports, work } = moving;
  const { place } = situation;
  const limits = await limitsFor(moving, place);
  const full = { ...situation, ...limits.inputs };
  const facts = factsFor(full);
  const move =
    since === undefined
      ? expiredAt(full)
      : await readUntilKnown(ports.history, work.customer, facts, () => moveOf(full, since, facts));
  if (move.move === 'wait') return (await waitAt(moving, place, move.until)) && 'waits';
  const at = instant(ports.now());
  const { until: _, dueAt: __, sinceMessage: ___, ...rest } = place;
  const movedBy = nameOf(work.message);
  if (move.move === 'on') {
    const since = instant(move.since);
    if (move.to !== undefined) return { ...rest, step: move.to, since };
    const ended = { ...rest, endedAt: at, movedBy };
    return (await ports.places.save(ended)) && ended;
  }
  const { decision, ends, to } = move;
  const next: Place = {
    ...rest,
    ...{ last: place.step, movedBy, since: at },
    ...(decision.decision === 'send' && { hasSent: true }),
    ...(ends || to === undefined ? { endedAt: at } : { step: to, sinceMessage: true }),
    ...(ends && decision.decision === 'suppress' && { reason: decision.reason }),
  };
  const notification = decidedMessage(moving, place, move);
  const isSaved =
    decision.decision === 'suppress' || limits.present === undefined
      ? await ports.notifications.save(notification, next)
      : await ports.notifications.reserve(
          notification,
          work.customer,
          limits.present,
          reservationOf(moving, place),
          next,
        );
  if (!isSaved) return false;
  await runFollowUps(ports, { ...messageOf(place), step: place.step }, notification);
  return { ...next, version: next.version + 1 };
};

/** What the decision about a message needs besides the history; nothing for other steps. */
const limitsFor = async (
  { ports, work, trigger, templates, cause }: Moving,
  { step }: Place,
): Promise<{ readonly inputs: Partial<SeriesSituation>; readonly present?: SendReservations }> => {
  if (seriesOf(trigger).get(step)?.step.send === undefined) return { inputs: {} };
  const known = await ports.addresses(sendingTrigger(trigger, step), work.customer, cause);
  const present = await ports.notifications.reservations(work.customer, known.limited);
  return {
    present,
    inputs: {
      carried: known.carried,
      addresses: withReservations(known.addresses, present),
      hubReservations: present.hub.reservations,
      reservations: present.all,
      templates: Object.fromEntries(
        Object.entries(templates).map(([id, files]) => [id, templateChannels(files)]),
      ),
    },
  };
};

/** A message to a team does not count against the customer's caps. */
const reservationOf = ({ ports, trigger }: Moving, { step, category }: Place): SendReservation => ({
  ...{ trigger: trigger.id, step, at: ports.now() },
  category: seriesOf(trigger).get(step)?.step.send?.to ? undefined : category,
});

/** The row of a message that was decided. The goal of a series counts from its first message, or from the holdout. */
const decidedMessage = (
  { ports, trigger: { goal } }: Moving,
  place: Place,
  { decision }: Extract<Move, { move: 'message' }>,
): Notification => {
  const now = ports.now();
  const goalAt = goal && !place.hasSent && { goalAt: instant(wholeSecond(now + goal.within)) };
  const base = { ...draftOf(place), at: instant(now), steps: [...decision.steps] };
  if (decision.decision === 'suppress') {
    const { reason, channel } = decision;
    const heldOut = reason === 'holdout' && goalAt;
    return { ...base, status: 'suppressed', reason, ...(channel && { channel }), ...heldOut };
  }
  const { channel, addresses, template, approved, causeOnly } = decision;
  return {
    ...base,
    ...{ status: 'reserved', channel, addresses: [...addresses], template },
    ...(approved && { approved }),
    ...(causeOnly && { causeOnly }),
    ...goalAt,
  };
};
