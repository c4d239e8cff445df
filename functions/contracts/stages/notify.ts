import { NotificationMessage } from '../../../core/triggers/notification.ts';
import { stage } from './stage.ts';

export const notifyStage = stage('notify', {
  title: 'Notifications that were decided',
  toReplay: (message, count) => ({ ...message, replay: count }),
  schema: NotificationMessage,
  identity: ({ profileId, trigger, interaction }) => [profileId, trigger, interaction],
  about: ({ profileId, trigger, interaction }) => ({ profileId, trigger, interaction }),
});
