import { instant } from '../../../core/interaction/interaction.ts';
import type { SendReservation } from '../../../core/triggers/limits.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { wholeSecond } from '../../../core/triggers/schedule.ts';
import {
  expiredAt,
  factsFor,
  type Move,
  moveOf,
  type SeriesSituation,
} from '../../../core/triggers/series/move.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import { sendingTrigger } from '../../../core/triggers/series/sending-trigger.ts';
import { seriesOf } from '../../../core/triggers/series/steps.ts';
import { templateChannels } from '../../../core/triggers/template-files.ts';
import { withReservations } from '../../aws/triggers/decide-without-effect.ts';
import type { SendReservations } from '../../aws/triggers/notifications.ts';
import { answerOnHistory } from '../../aws/triggers/on-history.ts';
import type { TriggerVersion } from '../../aws/triggers/triggers.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import { runFollowUps } from '../decide.ts';
import { draftOf, messageOf, nameOf } from './place.ts';
import type { SeriesPorts, SeriesWork } from './ports.ts';

/** A message that takes a place on, with the version and the cause of the place. */
export interface Moving extends TriggerVersion {
  readonly ports: SeriesPorts;
  readonly work: SeriesWork;
  readonly cause: StoredInteraction;
}

/** Stores until when a place waits, and sets its timer. False if the row changed concurrently. */
export const waitAt = async ({ ports, work }: Moving, place: Place, until: number): Promise<boolean> => {
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
export const act = async (
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
      : await answerOnHistory(ports.history, work.customer, facts, () => moveOf(full, since, facts));
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
  const languages = { customer: work.customer.language, hub: work.hub.language };
  return {
    present,
    inputs: {
      carried: known.carried,
      addresses: withReservations(known.addresses, present),
      hubReservations: present.hub.reservations,
      reservations: present.all,
      templates: Object.fromEntries(
        Object.entries(templates).map(([id, files]) => [id, templateChannels(files, languages)]),
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
