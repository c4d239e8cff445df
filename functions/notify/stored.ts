import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import type { SuppressionReason } from '../../core/triggers/decision.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import type { NotifyPorts } from './ports.ts';

/** Another delivery of the message may still be sending it, or has changed its row. */
export class ConcurrentDelivery extends HubError {
  constructor() {
    super(
      'write-conflict',
      'Another delivery of this message is being processed. The message is retried automatically.',
      { retry: 'later' },
    );
  }
}

/** Resolves to the saved row. Throws `ConcurrentDelivery` if another delivery of the message has changed it. */
export const save = async (ports: NotifyPorts, notification: Notification): Promise<Notification> => {
  if (!(await ports.notifications.save(notification))) throw new ConcurrentDelivery();
  return { ...notification, version: notification.version + 1 };
};

/** Ends a notification that is not to be sent any more. */
export const suppress = async (
  ports: NotifyPorts,
  notification: Notification,
  reason: SuppressionReason,
): Promise<undefined> => {
  const suppressed = await save(ports, {
    ...notification,
    ...{ status: 'suppressed', reason, at: instant(ports.now()) },
  });
  await ports.publishEvent('notification.suppressed', suppressed);
};

/** Stores a failure and ends the notification with it. */
export const fail = async (
  ports: NotifyPorts,
  notification: Notification,
  error: HubError,
): Promise<undefined> => {
  await ports.saveFailure(error);
  const { until: _, ...rest } = notification;
  const failed = await save(ports, {
    ...rest,
    status: 'failed',
    reason: error.code,
    at: instant(ports.now()),
    steps: [...notification.steps, { step: 'send', result: error.message }],
  });
  await ports.publishEvent('notification.failed', failed);
};
