import { HubError } from '../../../core/errors.ts';
import { decideStage } from './decide.ts';
import { importStage } from './import.ts';
import { jobsStage } from './jobs.ts';
import { notifyStage } from './notify.ts';
import { projectionsStage } from './projections.ts';
import { recordStage } from './record.ts';
import type { SealedStage } from './stage.ts';
import { connectionStage, syncStage } from './sync.ts';

/** Every stage whose failures are stored. A new queue that feeds a function needs its line here; a test says so. */
export const stages: Readonly<Record<string, SealedStage>> = {
  record: recordStage,
  import: importStage,
  decide: decideStage,
  notify: notifyStage,
  'sync-salesforce': syncStage('salesforce', 'Salesforce'),
  'sync-hubspot': syncStage('hubspot', 'HubSpot'),
  'sync-servicenow': syncStage('servicenow', 'ServiceNow'),
  'connection-salesforce': connectionStage('salesforce', 'Salesforce'),
  'connection-hubspot': connectionStage('hubspot', 'HubSpot'),
  'connection-servicenow': connectionStage('servicenow', 'ServiceNow'),
  projections: projectionsStage,
  jobs: jobsStage,
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
