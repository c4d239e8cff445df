import type { Customer } from '../../core/identity/customer.ts';
import type { DecisionMessage, Notification } from '../../core/triggers/notification.ts';
import type { Place } from '../../core/triggers/series/place.ts';
import type { Notifications } from '../aws/triggers/notifications.ts';

/** What enters a trigger with `once`: `taken` leaves no entry, `changed` is decided again. */
export type Entry = 'first' | 'taken' | 'changed';

/**
 * Uses up a value of the trigger's `once` for an event, unless another event of the customer has. One whose notification was
 * cancelled, failed, or had no address to go to does not use it up, nor does a series that was cancelled (`places`).
 */
export const enterOnce = async (
  notifications: Pick<Notifications, 'get' | 'usedBy' | 'useUp'>,
  message: DecisionMessage,
  customer: Customer,
  value: string,
  places: readonly Pick<Place, 'interaction' | 'reason'>[] = [],
): Promise<Entry> => {
  const isCancelled = (cause: string): boolean =>
    places.some(({ interaction, reason }) => interaction === cause && reason === 'cancelled');
  const used = await notifications.usedBy(customer, message.trigger, value);
  if (used.some(({ interaction }) => interaction === message.interaction)) return 'first';
  for (const { profileId, interaction } of used)
    if (!isCancelled(interaction) && !isVoid(await notifications.get({ ...message, profileId, interaction })))
      return 'taken';
  const own = used.find(({ profileId }) => profileId === message.profileId);
  return (await notifications.useUp(message, value, own)) ? 'first' : 'changed';
};

/** A notification that is not stored yet is about to be: its event is delivered again after a crash. */
const isVoid = (notification: Notification | undefined): boolean =>
  notification?.status === 'failed' ||
  (notification?.status === 'suppressed' && /^(?:cancelled|no-address)$/u.test(notification.reason ?? ''));

/**
 * Whether a waiting notification of an audience comes second since its customer was merged: another source profile entered
 * for the same occasion earlier, or got its message already.
 */
export const isLaterEntry = async (
  notifications: Pick<Notifications, 'get' | 'usedBy'>,
  waiting: Notification,
  customer: Customer,
  occasion: string,
): Promise<boolean> => {
  if (customer.sourceProfiles.length === 1) return false;
  for (const { profileId, interaction } of await notifications.usedBy(customer, waiting.trigger, occasion)) {
    if (interaction === waiting.interaction) continue;
    const other = await notifications.get({ ...waiting, profileId, interaction });
    if (other === undefined || isVoid(other)) continue;
    if (other.status !== 'waiting' || keyOf(other) < keyOf(waiting)) return true;
  }
  return false;
};

const keyOf = ({ arrivedAt, interaction }: Notification): string => `${arrivedAt} ${interaction}`;
