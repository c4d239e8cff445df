import { HubError } from '../../../core/errors.ts';
import { DecisionMessage } from '../../../core/triggers/notification.ts';
import { JobMessage } from '../messages/jobs.ts';
import { ProjectionMessage } from '../messages/projections.ts';
import { ImportMessage } from '../messages/record.ts';
import { notifyStage } from './notify.ts';
import { recordStage } from './record.ts';
import { type SealedStage, stage } from './stage.ts';
import { syncStage } from './sync.ts';

/** Every stage whose failures are kept. A new queue that feeds a function needs its line here; a test says so. */
export const stages: Readonly<Record<string, SealedStage>> = {
  record: recordStage,
  import: stage('import', {
    title: 'Rows of imported files on their way to the customer record',
    schema: ImportMessage,
    identity: ({ job, line }) => [job, line],
    about: ({ job }) => ({ job }),
  }),
  decide: stage('decide', {
    title: 'Events that a trigger matched, and the ends of waits',
    schema: DecisionMessage,
    identity: ({ profileId, trigger, version, interaction, timer }) => [
      ...[profileId, trigger, version, interaction, timer ?? null],
    ],
    about: ({ profileId, trigger, interaction }) => ({ profileId, trigger, interaction }),
  }),
  notify: notifyStage,
  'sync-salesforce': syncStage('salesforce', 'Salesforce'),
  'sync-hubspot': syncStage('hubspot', 'HubSpot'),
  projections: stage('projections', {
    title: 'What figures, lists and the status of messages are made of',
    schema: ProjectionMessage,
    identity: ({ event, profileId, ...rest }) => [event, profileId, ...Object.values(rest)],
    about: ({ profileId, ...rest }) => ({
      profileId,
      interaction: 'interaction' in rest ? rest.interaction : undefined,
    }),
  }),
  jobs: stage('jobs', {
    title: 'Slices of long jobs',
    schema: JobMessage,
    identity: ({ job, slice }) => [job, slice],
    about: ({ job }) => ({ job }),
  }),
};

export const stageOf = (id: string): SealedStage => {
  const found = stages[id];
  if (found) return found;
  throw new HubError(
    'unknown-stage',
    `There is no stage ${id}. There are: ${Object.keys(stages).join(', ')}.`,
    {
      retry: 'never',
    },
  );
};
