import { HubError } from '../../../core/errors.ts';
import { decideStage } from './decide.ts';
import { importStage } from './import.ts';
import { jobsStage } from './jobs.ts';
import { notifyStage } from './notify.ts';
import { projectionsStage } from './projections.ts';
import { recordStage } from './record.ts';
import type { SealedStage } from './stage.ts';
import { connectionStage, connectionStageId, crmTitle, syncStage, syncStageId } from './sync.ts';

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

/** The stages of CRMs that hub.yaml names itself; the others are in `stages`. */
export const stagesOfCrms = (crms: readonly string[]): string[] =>
  crms
    .flatMap((crm) => [syncStageId(crm), connectionStageId(crm)])
    .filter((id) => !Object.hasOwn(stages, id));

export const stageOf = (id: string): SealedStage => {
  const found = Object.hasOwn(stages, id) ? stages[id] : undefined;
  if (found) return found;
  const [, kind, crm = ''] = /^(sync|connection)-([a-z][a-z0-9-]*)$/u.exec(id) ?? [];
  if (kind !== undefined) return (kind === 'sync' ? syncStage : connectionStage)(crm, crmTitle(crm));
  throw new HubError(
    'unknown-stage',
    `There is no stage ${id}. There are: ${Object.keys(stages).join(', ')}.`,
    {
      retry: 'never',
    },
  );
};
