import type { Job, SliceResult } from '../../../contracts/jobs/job.ts';
import { type AdoptParameters, adoptKind } from '../../../contracts/jobs/kinds.ts';
import type { SyncPorts } from '../../ports.ts';
import { endBulk } from '../bulk-contacts.ts';
import { AdoptionCheckpoint, firstCheckpoint } from './checkpoint.ts';
import type { Adopting, AdoptionPorts, Pass, Step } from './context.ts';
import { importPass } from './import-pass.ts';
import { indexPass } from './index-pass.ts';
import { linkPass } from './link-pass.ts';
import { peoplePass } from './people-pass.ts';

const passes: Readonly<Record<Exclude<AdoptionCheckpoint['pass'], 'drain'>, Pass>> = {
  index: indexPass,
  people: peoplePass,
  import: importPass,
  link: linkPass,
};

/** The pass waits while the imports queue holds more messages than this. */
const MAX_QUEUED_MESSAGES = 25;
const PAUSE_SECONDS = 2;
/** After so many checks without progress the job goes on: messages that keep failing never leave the queue in time. */
const MAX_DRAIN_CHECKS = 60;

/**
 * Reads the whole CRM and links its contacts to customers, so that nobody is made twice when they are heard from. Counts
 * come from one pass that depends on nothing the job writes, so a dry run counts what the real one does. Every pass may be
 * repeated from its page: imports are executed once by their ids, links are conditional rows, and keys are written again.
 */
export const adoptJob = (
  ports: AdoptionPorts,
  sync: SyncPorts,
): Job<AdoptParameters, AdoptionCheckpoint> => ({
  ...adoptKind,
  checkpoint: AdoptionCheckpoint,
  start: async () => ({ checkpoint: firstCheckpoint }),
  async slice({ job, by, startedAt, parameters, checkpoint: first, timeLeft }) {
    const rules = { mapping: await sync.mapping(), identity: await sync.identity() };
    const session = await sync.open();
    const notes = ports.notes(job);
    const adopting: Adopting = {
      ...{ ports, sync, session, rules, notes, job, by, startedAt, parameters, timeLeft },
    };
    let checkpoint = first;
    do {
      if (checkpoint.pass === 'drain') return drain(adopting, first, checkpoint);
      const sends = checkpoint.pass === 'import' && !parameters.dryRun;
      if (sends && (await ports.waiting()) > MAX_QUEUED_MESSAGES)
        return { ...progressOf(first, checkpoint), finished: false, delaySeconds: PAUSE_SECONDS };
      const { pass } = checkpoint;
      let step: Step;
      try {
        step = await passes[pass](adopting, checkpoint);
      } catch (error) {
        const delaySeconds = await ports.pauseAfter(error);
        if (delaySeconds === undefined) throw error;
        return { ...progressOf(first, checkpoint), finished: false, delaySeconds };
      }
      ({ checkpoint } = step);
      if (step.isLast) return { ...progressOf(first, checkpoint), finished: true };
      if (step.afterSeconds !== undefined)
        return { ...progressOf(first, checkpoint), finished: false, delaySeconds: step.afterSeconds };
    } while (timeLeft());
    return { ...progressOf(first, checkpoint), finished: false };
  },
  async cancelled({ job, checkpoint: { bulk } }) {
    if (typeof bulk !== 'object') return;
    const session = await sync.open();
    if (session.bulkWrites !== undefined)
      await endBulk(
        { sync, session, rules: { mapping: await sync.mapping() }, job },
        session.bulkWrites,
        bulk.work,
      );
  },
});

const progressOf = (
  first: AdoptionCheckpoint,
  checkpoint: AdoptionCheckpoint,
): Omit<SliceResult<AdoptionCheckpoint>, 'finished'> => ({
  ...{ checkpoint, counts: checkpoint.counts, refusedParts: checkpoint.reportedParts },
  done: checkpoint.counts.read - first.counts.read,
  total: checkpoint.total,
});

/** Goes on once the people whom the job imported are recorded. A dry run has ended. */
const drain = async (
  { ports, parameters }: Adopting,
  first: AdoptionCheckpoint,
  checkpoint: AdoptionCheckpoint,
): Promise<SliceResult<AdoptionCheckpoint>> => {
  if (parameters.dryRun) return { ...progressOf(first, checkpoint), finished: true };
  const waiting = await ports.waiting();
  const last = checkpoint.drain;
  const checks = last === undefined || waiting < last.waiting ? 0 : last.checks + 1;
  const { drain: _, ...rest } = checkpoint;
  const next: AdoptionCheckpoint =
    waiting === 0 || checks > MAX_DRAIN_CHECKS
      ? { ...rest, pass: 'link' }
      : { ...rest, drain: { waiting, checks } };
  return { ...progressOf(first, next), finished: false, delaySeconds: PAUSE_SECONDS + checks };
};
