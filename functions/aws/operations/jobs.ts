import type { JobRow } from '../../contracts/jobs/job.ts';
import { jobKey, jobListPartition, jobListSortKey } from '../../contracts/keys.ts';
import type { JobMessage } from '../../contracts/messages/jobs.ts';
import { jobOf } from '../../contracts/rows/operations.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';
import { sendTo } from '../clients/queue.ts';

/** The rows of jobs, by id and by time, and the queue of their slices. */
export interface Jobs {
  get(id: string): Promise<JobRow | undefined>;
  /** False where there is a job of this id. */
  create(job: JobRow): Promise<boolean>;
  /** Writes the row, with the next version, and resolves to it; undefined where it is no longer at the given version. */
  save(job: JobRow): Promise<JobRow | undefined>;
  /** Newest first, at most `limit`, behind the entry `before` (see `jobListSortKey`). */
  list(limit: number, before?: string): Promise<readonly JobRow[]>;
  /** Queues a slice; a delay of at most 900 seconds. */
  enqueue(message: JobMessage, delaySeconds: number): Promise<void>;
}

const RETENTION_SECONDS = 400 * 86_400;

/** A job is stored for 400 days after its creation. */
export const jobs = (runtime: Runtime, table: Table): Jobs => {
  const send = sendTo(runtime, runtime.env['QUEUE_URL_JOBS']);
  const rowOf = (job: JobRow): Row => ({ ...jobKey(job.id), ...job, expiresAt: expiryOf(job) });
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
        { put: { pk: jobListPartition, sk: jobListSortKey(job), id: job.id, expiresAt: expiryOf(job) } },
      ]),
    async save(job) {
      const changed = { ...job, version: job.version + 1 };
      return (await table.transact([{ put: rowOf(changed), if: { version: job.version } }]))
        ? changed
        : undefined;
    },
    async list(limit, before) {
      const ids: string[] = [];
      const range = { to: before ?? '~', backwards: true, pageSize: limit + 1 };
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
const expiryOf = ({ createdAt }: JobRow): number =>
  Math.floor(Date.parse(createdAt) / 1000) + RETENTION_SECONDS;
