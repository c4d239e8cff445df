import { NotificationMessage } from '../../../core/triggers/notification.ts';
import { stage } from './stage.ts';

export const notifyStage = stage('notify', {
  title: 'Notifications that were decided',
  again: (message, count) => ({ ...message, again: count }),
  schema: NotificationMessage,
  identity: ({ profileId, trigger, interaction }) => [profileId, trigger, interaction],
  about: ({ profileId, trigger, interaction }) => ({ profileId, trigger, interaction }),
});
