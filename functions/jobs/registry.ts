import { failures } from '../aws/failures.ts';
import { stageQueues } from '../aws/replays.ts';
import type { Table } from '../aws/table.ts';
import { replay } from '../failures/replay.ts';
import type { Runtime } from '../runtime.ts';
import { type SealedJob, sealed } from './job.ts';
import { replayJob } from './replay.ts';

/** How each kind of job is done. */
export const registry = (runtime: Runtime, table: Table): Readonly<Record<string, SealedJob>> => {
  const kept = failures(runtime, table);
  return {
    replay: sealed(
      replayJob({
        list: kept.list,
        replay: replay({ failures: kept, enqueue: stageQueues(runtime), now: runtime.now }),
        now: runtime.now,
      }),
    ),
  };
};
