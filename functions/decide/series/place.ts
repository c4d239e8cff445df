import { instant } from '../../../core/interaction/interaction.ts';
import type { SuppressionReason } from '../../../core/triggers/decision.ts';
import type { DecisionMessage, Notification } from '../../../core/triggers/notification.ts';
import type { Place } from '../../../core/triggers/series/place.ts';
import { runFollowUps } from '../decide.ts';
import type { SeriesPorts } from './ports.ts';

/** Whether a message is the event that started the series, or a timer of the place. */
export const isOf = (place: Place, { profileId, interaction }: DecisionMessage): boolean =>
  place.profileId === profileId && place.interaction === interaction;

export const versionIn = ({
  trigger,
  triggerVersion,
}: Place): Pick<DecisionMessage, 'trigger' | 'version'> => ({
  trigger,
  version: triggerVersion,
});

/** The message of a place, as its timers bring it. */
export const messageOf = ({ timers, ...place }: Place): DecisionMessage => ({
  ...{ profileId: place.profileId, trigger: place.trigger, interaction: place.interaction },
  ...{ version: place.triggerVersion, occurredAt: place.occurredAt, arrivedAt: place.arrivedAt },
  ...{ step: place.step, timer: timers },
  ...(place.occasion !== undefined && { occasion: place.occasion }),
});

/** The row of the message of a step, before it is decided. */
export const draftOf = (place: Place): Notification => ({
  ...{ trigger: place.trigger, triggerVersion: place.triggerVersion, category: place.category },
  ...{ profileId: place.profileId, interaction: place.interaction, step: place.step },
  ...{ occurredAt: place.occurredAt, arrivedAt: place.arrivedAt },
  ...(place.occasion !== undefined && { occasion: place.occasion }),
  ...(place.dueAt !== undefined && { dueAt: place.dueAt }),
  ...{ version: 0, status: 'waiting', at: place.since, timers: 0, steps: [] },
});

/** Ends a series for a customer at the step where it stands. `endedAt`: where that was before now. */
export const endPlace = async (
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
export const nameOf = ({ timer, interaction }: DecisionMessage): string =>
  timer === undefined ? interaction : `${interaction} ${timer}`;

/** Repeats the follow-ups of the message that was decided last: the process may have ended before them. */
export const repeatFollowUps = async (ports: SeriesPorts, place: Place): Promise<void> => {
  if (place.last === undefined) return;
  const message = { ...messageOf(place), step: place.last };
  await repeatOr(ports, message, await ports.notifications.get(message), async () => true);
};

export const repeatOr = async (
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
