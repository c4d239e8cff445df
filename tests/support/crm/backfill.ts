import type { CrmConnector } from '../../../core/crm/connector.ts';
import type { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { SliceResult } from '../../../functions/contracts/jobs/job.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { backfillJob } from '../../../functions/sync/jobs/backfill/backfill.ts';
import type { BackfillCheckpoint } from '../../../functions/sync/jobs/backfill/checkpoint.ts';
import { bulkLots } from '../../../functions/sync/jobs/backfill/lot.ts';
import { withWritten } from '../../../functions/sync/jobs/backfill/written.ts';
import type { SyncPorts } from '../../../functions/sync/ports.ts';
import { sync as syncOf } from '../../../functions/sync/sync.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { linksInMemory, syncPortsOf } from './in-memory.ts';

interface Stored {
  readonly customers: Map<string, Customer>;
  readonly interactions: Map<string, StoredInteraction>;
  /** The content of the file in `mappings/crm`; default the shipped one. */
  readonly mapping?: unknown;
  /** Customers and interactions that are carried out at once. */
  readonly batch?: number;
  /** Whether a slice goes on after a step. */
  readonly timeLeft?: () => boolean;
}

/** A backfill of a sandbox from customers in memory, slice by slice, with a clock that its delays move on. */
export const openBackfill = (connector: CrmConnector, sandbox: Sandbox, stored: Stored) => {
  let now = Date.parse('2026-03-01T09:00:00.000Z');
  const { links, states } = linksInMemory();
  const failures = new Map<string, HubError>();
  const parked = new Set<string>();
  let messages: readonly { readonly profileId: string; readonly interaction?: string | undefined }[] = [];
  const ports = syncPortsOf(connector, sandbox, {
    ...{ ...stored, links, now: () => now },
    saveFailure(queued, error) {
      const { profileId, interaction } = messages[Number(queued)] ?? { profileId: queued };
      failures.set(interaction ?? profileId, error);
    },
  });
  const sync: SyncPorts = {
    ...ports,
    history: {
      ...ports.history,
      async *timeline({ id }) {
        for (const one of stored.interactions.values()) if (one.profileId === id) yield one;
      },
    },
  };
  const carried: number[] = [];
  const job = backfillJob({
    ...{
      sync,
      lots: bulkLots,
      batch: stored.batch ?? 1000,
      parked: async () => parked,
      pauseAfter: async () => undefined,
    },
    directory: {
      async page(cursor = '0', limit) {
        const ids = [...stored.customers.keys()];
        const end = Number(cursor) + limit;
        return { ids: ids.slice(Number(cursor), end), ...(end < ids.length && { next: String(end) }) };
      },
    },
    async carryOut(_, some, written) {
      messages = some;
      carried.push(some.length);
      const open = async () => withWritten(await sync.open(), written);
      const batch = some.map((message, at) => ({ id: String(at), message }));
      return syncOf({ ...sync, open, parked })(batch);
    },
  });
  /** The checkpoints that were stored, the newest last. */
  const checkpoints: BackfillCheckpoint[] = [];
  const present = (): BackfillCheckpoint =>
    checkpoints.at(-1) ?? { customers: 0, counts: { customers: 0, interactions: 0 }, tries: 0 };
  const slice = async (): Promise<SliceResult<BackfillCheckpoint>> => {
    const result = await job.slice({
      ...{ job: 'j1', by: 'ada', startedAt: '2026-03-01T09:00:00.000Z', parameters: { crm: connector.id } },
      ...{ checkpoint: present(), timeLeft: stored.timeLeft ?? (() => true) },
    });
    now += (result.delaySeconds ?? 0) * 1000;
    checkpoints.push(JSON.parse(JSON.stringify(result.checkpoint)));
    return result;
  };
  return {
    ...{ carried, checkpoints, failures, parked, states },
    cancelled: async () => job.cancelled?.({ job: 'j1', checkpoint: present() }),
    /** Runs slices until the job has finished, or until one ends as `until` says. */
    async run(until: (result: SliceResult<BackfillCheckpoint>) => boolean = ({ finished }) => finished) {
      for (let slices = 0; slices < 200; slices++) {
        const result = await slice();
        if (until(result)) return result;
      }
      throw new Error('The job does not end.');
    },
  };
};
