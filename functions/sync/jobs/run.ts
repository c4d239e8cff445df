import type { CrmConnector, CrmSession } from '../../../core/crm/connector.ts';
import type { Accounts } from '../../../core/identity/crm/accounts.ts';
import { bucket } from '../../aws/clients/bucket.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { waitingIn } from '../../aws/clients/queue-depth.ts';
import { sendAllTo } from '../../aws/clients/queue-many.ts';
import { directory } from '../../aws/customers/lists/directory.ts';
import { placesOfPart } from '../../aws/customers/lists/lists.ts';
import { attemptOf } from '../../aws/operations/attempts.ts';
import { jobs } from '../../aws/operations/jobs.ts';
import { runSlice } from '../../aws/operations/run-slice.ts';
import { type Job, type SealedJob, sealed } from '../../contracts/jobs/job.ts';
import type { JobMessage } from '../../contracts/messages/jobs.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { openInAccount } from '../connection/open.ts';
import { carryOut, type WorkPorts } from '../connection/work.ts';
import type { UseCases } from '../use-cases.ts';
import { adoptJob } from './adoption/adopt.ts';
import { adoptionNotes } from './adoption/holders.ts';
import { backfillJob } from './backfill/backfill.ts';
import type { BulkLots } from './backfill/lot.ts';
import { withWritten } from './backfill/written.ts';
import { pauseAfter, secondsUntilOpen } from './pause.ts';

interface CrmJobPorts {
  readonly connector: Pick<CrmConnector, 'backfillBatch'>;
  readonly work: WorkPorts;
  readonly useCases: UseCases;
  readonly table: Table;
  readonly runtime: Runtime;
  readonly lots?: BulkLots | undefined;
}

const BACKFILL_BATCH = 200;

/** Runs slices of the jobs about one CRM, with what of its budget live traffic leaves. */
export const crmJobs = ({ connector, work, useCases, table, runtime, lots }: CrmJobPorts) => {
  const { now } = runtime;
  const imports = runtime.env['QUEUE_URL_IMPORTS'];
  const customers = directory(placesOfPart(table));
  const pause = pauseAfter({ ...work, now });
  const whileOpen = <Parameters, Checkpoint>(job: Job<Parameters, Checkpoint>): SealedJob =>
    sealed({
      ...job,
      async slice(slice) {
        const { contact } = await useCases.mapping();
        const seconds = await secondsUntilOpen({ ...work, now }, contact.object);
        const waiting = { checkpoint: slice.checkpoint, done: 0, finished: false };
        if (seconds !== undefined) return { ...waiting, delaySeconds: seconds };
        try {
          return await job.slice(slice);
        } catch (error) {
          const delaySeconds = await pause(error);
          if (delaySeconds === undefined) throw error;
          return { ...waiting, delaySeconds };
        }
      },
    });
  const registry = (
    signal: AbortSignal,
    accounts: Accounts | undefined,
  ): Readonly<Record<string, SealedJob>> => {
    const call = work.budget.callWith(signal, 'backfill');
    const open = (): Promise<CrmSession> => openInAccount(work, accounts, signal);
    const sync = useCases.portsOf({ open, call, accounts, parked: new Set() });
    const ports = { sync, directory: customers, pauseAfter: pause };
    return {
      adopt: whileOpen(
        adoptJob(
          {
            ...ports,
            notes: (job) => adoptionNotes(table, job, now),
            send: sendAllTo(runtime, imports),
            waiting: () => waitingIn(runtime, imports),
            put: bucket(runtime).put,
          },
          sync,
        ),
      ),
      backfill: whileOpen(
        backfillJob({
          ...{ ...ports, lots, batch: connector.backfillBatch ?? BACKFILL_BATCH },
          parked: async () => new Set(Object.keys((await work.connection.read()).parked)),
          async carryOut(job, messages, written) {
            const pending = messages.map((message, position) => ({
              ...{ id: String(position), message, body: JSON.stringify(message), receives: 1 },
              ...{ attributes: {}, occurrence: `${job}:${message.profileId}:${message.interaction ?? ''}` },
            }));
            const { parked } = await work.connection.read();
            const run = {
              ...{ signal, connection: { parked, accounts }, priority: 'backfill' as const },
              through: (session: CrmSession) => withWritten(session, written),
            };
            return (await carryOut(work, pending, run)).deferred;
          },
        }),
      ),
    };
  };
  return async (message: JobMessage, remainingMs: number, signal: AbortSignal): Promise<void> => {
    const { accounts } = await work.connection.read();
    await runSlice({
      ...{ jobs: jobs(runtime, table), registry: registry(signal, accounts), attemptOf, now },
      newId: runtime.newId,
    })(message, remainingMs);
  };
};
