import type { CrmConnector } from '../../../core/crm/connector.ts';
import type { HubError } from '../../../core/errors.ts';
import type { Customer } from '../../../core/identity/customer.ts';
import type { SliceResult } from '../../../functions/contracts/jobs/job.ts';
import { adoptJob } from '../../../functions/sync/jobs/adoption/adopt.ts';
import {
  type AdoptionCheckpoint,
  firstCheckpoint,
} from '../../../functions/sync/jobs/adoption/checkpoint.ts';
import { adoptionNotes } from '../../../functions/sync/jobs/adoption/holders.ts';
import type { SyncPorts } from '../../../functions/sync/ports.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { found, linksInMemory, syncPortsOf } from './in-memory.ts';

/** An adoption of a sandbox by customers in memory, slice by slice, with a clock that its delays move on. */
export const openAdoption = (connector: CrmConnector, sandbox: Sandbox, customers: readonly Customer[]) => {
  let now = Date.parse('2026-03-01T09:00:00.000Z');
  const { links, states } = linksInMemory();
  const failures = new Map<string, HubError>();
  const queued: string[] = [];
  const byId = new Map(customers.map((one) => [one.id, one]));
  const owner = new Map(
    customers.flatMap(({ id, identifiers }) => identifiers.map((one) => [one, id] as const)),
  );
  const sync = {
    ...syncPortsOf(connector, sandbox, {
      ...{ customers: byId, links, now: () => now },
      saveFailure: (profileId, error) => failures.set(profileId, error),
    }),
    identifierOwners: async (identifiers: Parameters<SyncPorts['identifierOwners']>[0]) =>
      found(owner, identifiers),
    queueAgain: async (messages: Parameters<SyncPorts['queueAgain']>[0]) => {
      queued.push(...messages.flatMap((one) => ('profileId' in one ? [one.profileId] : [])));
    },
  };
  const rows = new Map<string, { pk: string; sk: string }>();
  const table = {
    get: async (keys: readonly { pk: string }[]) => keys.flatMap(({ pk }) => rows.get(pk) ?? []),
    put: async (row: { pk: string; sk: string }) => rows.set(row.pk, row).size > 0,
  };
  const job = adoptJob(
    {
      notes: (id) => adoptionNotes(table, id, () => now),
      directory: { page: async () => ({ ids: [...byId.keys()] }) },
      send: async () => new Set(),
      waiting: async () => 0,
      put: async () => undefined,
      pauseAfter: async () => undefined,
    },
    sync,
  );
  /** The checkpoints that were stored, the newest last. */
  const checkpoints: AdoptionCheckpoint[] = [firstCheckpoint];
  const slice = async (timeLeft: () => boolean = () => true): Promise<SliceResult<AdoptionCheckpoint>> => {
    const result = await job.slice({
      ...{
        job: 'j1',
        by: 'ada',
        startedAt: '2026-03-01T09:00:00.000Z',
        parameters: { crm: connector.id, dryRun: false },
      },
      ...{ checkpoint: checkpoints.at(-1) ?? firstCheckpoint, timeLeft },
    });
    now += (result.delaySeconds ?? 0) * 1000;
    return result;
  };
  return {
    ...{ checkpoints, failures, queued, states, slice },
    cancelled: async () => job.cancelled?.({ job: 'j1', checkpoint: checkpoints.at(-1) ?? firstCheckpoint }),
    /** Runs slices until the job has finished, or until one ends as `until` says. */
    async run(until: (result: SliceResult<AdoptionCheckpoint>) => boolean = ({ finished }) => finished) {
      for (let slices = 0; slices < 200; slices++) {
        const result = await slice();
        checkpoints.push(JSON.parse(JSON.stringify(result.checkpoint)));
        if (until(result)) return result;
      }
      throw new Error('The job does not end.');
    },
  };
};
