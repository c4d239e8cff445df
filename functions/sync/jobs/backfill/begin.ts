import { type Instant, instant } from '../../../../core/interaction/interaction.ts';
import type { Jobs } from '../../../aws/operations/jobs.ts';
import type { JobRow } from '../../../contracts/jobs/job.ts';
import { backfillKind } from '../../../contracts/jobs/kinds.ts';

const BY = 'hub';

/** Starts the backfill after a pause in which messages may have expired; once for each pause. */
export const backfills =
  (crm: string, jobs: Pick<Jobs, 'create' | 'enqueue'>, now: () => number) =>
  async (since: Instant): Promise<void> => {
    const job: JobRow = {
      ...{ id: `backfill-${crm}-${since}`, kind: backfillKind.kind, parameters: { crm, since }, by: BY },
      ...{ createdAt: instant(now()), state: 'queued', slice: 0, tries: 0, result: false, version: 1 },
      progress: { done: 0, refused: 0 },
    };
    await jobs.create(job);
    // Also where it was created before: that run may have ended before this. A slice runs once.
    await jobs.enqueue({ job: job.id, slice: 0 }, 0);
  };
