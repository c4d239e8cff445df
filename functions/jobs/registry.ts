import { config } from '../aws/config.ts';
import { failures } from '../aws/failures.ts';
import { history as historyOf } from '../aws/history.ts';
import { jobFiles } from '../aws/job-files.ts';
import { multipart } from '../aws/multipart.ts';
import { objects } from '../aws/objects.ts';
import { stageQueues } from '../aws/replays.ts';
import type { Table } from '../aws/table.ts';
import { replay } from '../failures/replay.ts';
import type { Runtime } from '../runtime.ts';
import { eraseJob } from './erase.ts';
import { erasing } from './erasing.ts';
import { exportJob } from './export.ts';
import { importJob } from './import.ts';
import { type SealedJob, sealed } from './job.ts';
import { customersKind, historyKind } from './kinds.ts';
import { customers, history } from './listings.ts';
import { replayJob } from './replay.ts';

/** How each kind of job is done. */
export const registry = (runtime: Runtime, table: Table): Readonly<Record<string, SealedJob>> => {
  const kept = failures(runtime, table);
  const importing = {
    ...jobFiles(runtime),
    identity: config(runtime, table).identity,
    now: runtime.now,
  };
  return {
    'import-customers': sealed(importJob(importing, customersKind, customers)),
    'import-interactions': sealed(importJob(importing, historyKind, history)),
    export: sealed(
      exportJob({
        table,
        history: historyOf(table),
        objects: objects(runtime),
        files: multipart(runtime),
      }),
    ),
    erase: sealed(eraseJob(erasing(runtime, table))),
    replay: sealed(
      replayJob({
        list: kept.list,
        replay: replay({ failures: kept, enqueue: stageQueues(runtime), now: runtime.now }),
        now: runtime.now,
      }),
    ),
  };
};
