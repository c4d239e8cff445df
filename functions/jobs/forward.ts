import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import type { Jobs } from '../aws/operations/jobs.ts';
import { crmOfJob } from '../contracts/jobs/kinds.ts';
import type { JobMessage } from '../contracts/messages/jobs.ts';
import { connectionStageId } from '../contracts/stages/sync.ts';

interface ForwardPorts {
  readonly jobs: Pick<Jobs, 'get' | 'save'>;
  /** Puts a message on the queue of a stage. Rejects with `HubError` `inactive-stage` (never). */
  readonly enqueue: (stage: string, message: JobMessage) => Promise<void>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Hands a job about a CRM to the function of that CRM, which alone has its credentials. False where it is no such job. A job
 * about a CRM that is not switched on fails.
 */
export const forwardToCrm =
  ({ jobs, enqueue, now }: ForwardPorts) =>
  async (message: JobMessage): Promise<boolean> => {
    const row = await jobs.get(message.job);
    const crm = row && crmOfJob(row);
    if (row === undefined || crm === undefined) return false;
    try {
      await enqueue(connectionStageId(crm), message);
    } catch (error) {
      if (!(error instanceof HubError) || error.retry !== 'never') throw error;
      const reason = `${crm} is not switched on in this hub. Add it to \`crms\` in mappings/hub.yaml and deploy, then start the job again.`;
      const failed = {
        state: 'failed',
        finishedAt: instant(now()),
        error: { code: 'unknown-crm', reason },
      } as const;
      if (row.finishedAt === undefined) await jobs.save({ ...row, ...failed });
    }
    return true;
  };
