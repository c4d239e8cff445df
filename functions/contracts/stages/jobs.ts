import { JobMessage } from '../messages/jobs.ts';
import { stage } from './stage.ts';

export const jobsStage = stage('jobs', {
  title: 'Slices of long jobs',
  schema: JobMessage,
  identity: ({ job, slice }) => [job, slice],
  about: ({ job }) => ({ job }),
  type: () => 'slice',
  ids: ({ slice }) => ({ slice }),
});
