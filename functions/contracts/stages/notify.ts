import * as z from 'zod';
import { NotificationMessage, SenderMessage } from '../../../core/triggers/notification.ts';
import { stage } from './stage.ts';

export const NotifyMessage = z.union([NotificationMessage, SenderMessage], {
  error: 'expected profileId, trigger and interaction of a notification, or sender',
});
export type NotifyMessage = z.infer<typeof NotifyMessage>;

/** Notifications that are to be sent. A sender that stopped is one failure; its replay ends the pause. */
export const notifyStage = stage('notify', {
  title: 'Notifications that were decided',
  schema: NotifyMessage,
  toReplay: (message, count) => ('sender' in message ? message : replayed(message, count)),
  identity: (message) =>
    'sender' in message
      ? [message.sender]
      : [
          message.profileId,
          message.trigger,
          message.interaction,
          ...(message.step === undefined ? [] : [message.step]),
        ],
  about(message) {
    if ('sender' in message) return { sender: message.sender };
    const { profileId, trigger, interaction, step } = message;
    return { profileId, trigger, interaction, step };
  },
});

/** A replay takes a slot of its own. */
const replayed = (
  { notBefore: _, deferrals: __, ...message }: NotificationMessage,
  count: number,
): NotificationMessage => ({ ...message, replay: count });
