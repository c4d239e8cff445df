import { DecisionMessage } from '../../../core/triggers/notification.ts';
import { stage } from './stage.ts';

export const decideStage = stage('decide', {
  title: 'Events that a trigger matched, and the ends of waits',
  schema: DecisionMessage,
  identity: ({ profileId, trigger, version, interaction, timer }) => [
    ...[profileId, trigger, version, interaction, timer ?? null],
  ],
  about: ({ profileId, trigger, interaction }) => ({ profileId, trigger, interaction }),
  type: ({ timer }) => (timer === undefined ? 'event' : 'timer'),
  ids: ({ version, step, timer }) => ({ version, step, timer }),
});
