import { ProjectionMessage } from '../messages/projections.ts';
import { stage } from './stage.ts';

export const projectionsStage = stage('projections', {
  title: 'What figures, lists and the status of messages are made of',
  schema: ProjectionMessage,
  identity: ({ event, profileId, ...rest }) => [event, profileId, ...Object.values(rest)],
  about: ({ profileId, ...rest }) => ({
    profileId,
    interaction: 'interaction' in rest ? rest.interaction : undefined,
  }),
  type: ({ event }) => event,
});
