import * as z from 'zod';
import { NotificationMessage, SenderMessage } from '../../../core/triggers/notification.ts';
import { TestMessage } from '../messages/test-message.ts';
import { stage } from './stage.ts';

export const NotifyMessage = z.union([NotificationMessage, SenderMessage, TestMessage], {
  error: 'expected profileId, trigger and interaction of a notification, or sender, or test',
});
export type NotifyMessage = z.infer<typeof NotifyMessage>;

/** Notifications that were decided, and tests of templates. A sender that stopped is one failure; its replay ends the pause. */
export const notifyStage = stage('notify', {
  title: 'Notifications that were decided',
  schema: NotifyMessage,
  toReplay: (message, count) => ('trigger' in message ? replayed(message, count) : message),
  identity(message) {
    if ('sender' in message) return [message.sender];
    if ('test' in message) return [message.test];
    const { profileId, trigger, interaction, step } = message;
    return [profileId, trigger, interaction, ...(step === undefined ? [] : [step])];
  },
  about(message) {
    if ('sender' in message) return { sender: message.sender };
    if ('test' in message) return { profileId: message.profileId };
    const { profileId, trigger, interaction, step } = message;
    return { profileId, trigger, interaction, step };
  },
});

/** A replay takes a slot of its own. */
const replayed = (
  { notBefore: _, deferrals: __, ...message }: NotificationMessage,
  count: number,
): NotificationMessage => ({ ...message, replay: count });
