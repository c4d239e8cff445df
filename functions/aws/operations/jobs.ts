import type { JobRow } from '../../contracts/jobs/job.ts';
import { jobKey, jobListPartition, jobListSortKey } from '../../contracts/keys.ts';
import type { JobMessage } from '../../contracts/messages/jobs.ts';
import { jobOf } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import { sendTo } from '../clients/queue.ts';

export interface Jobs {
  get(id: string): Promise<JobRow | undefined>;
  /** False where there is one of this id. */
  create(job: JobRow): Promise<boolean>;
  /** Writes the row if it is still at the version given, and resolves to it as it then stands. */
  save(job: JobRow): Promise<JobRow | undefined>;
  /** Newest first, those created before the place. */
  list(limit: number, before?: string): Promise<readonly JobRow[]>;
  enqueue(message: JobMessage, delaySeconds: number): Promise<void>;
}

const KEPT_SECONDS = 400 * 86_400;

/** The rows of jobs, a list of them in the order of time, and their queue. A job is kept for 400 days. */
export const jobs = (runtime: Runtime, table: Table): Jobs => {
  const send = sendTo(runtime, runtime.env['QUEUE_URL_JOBS']);
  const rowOf = (job: JobRow): Row => ({ ...jobKey(job.id), ...job, expiresAt: expiry(job) });
  const many = async (ids: readonly string[]): Promise<JobRow[]> => {
    const rows = await table.get(ids.map(jobKey));
    const found = new Map(rows.map((row) => [row.pk, jobOf(row)]));
    return ids.flatMap((id) => found.get(jobKey(id).pk) ?? []);
  };
  return {
    async get(id) {
      return (await many([id]))[0];
    },
    create: (job) =>
      table.transact([
        { put: rowOf(job), if: { absent: true } },
        { put: { pk: jobListPartition, sk: jobListSortKey(job), id: job.id, expiresAt: expiry(job) } },
      ]),
    async save(job) {
      const changed = { ...job, version: job.version + 1 };
      return (await table.transact([{ put: rowOf(changed), if: { version: job.version } }]))
        ? changed
        : undefined;
    },
    async list(limit, before) {
      const ids: string[] = [];
      const range = { from: '', to: before ?? '~', backwards: true, pageSize: limit + 1 };
      for await (const { sk, id } of table.query(jobListPartition, range)) {
        if (sk !== before) ids.push(String(id));
        if (ids.length === limit) break;
      }
      return many(ids);
    },
    enqueue: (message, delaySeconds) => send(message, { delaySeconds }),
  };
};

/** Epoch seconds. */
const expiry = ({ createdAt }: JobRow): number => Math.floor(Date.parse(createdAt) / 1000) + KEPT_SECONDS;
