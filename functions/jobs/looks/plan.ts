import type { HubConfig } from '../../../core/config/hub-config.ts';
import { type Instant, instant } from '../../../core/interaction/interaction.ts';
import { dueLooks } from '../../../core/triggers/audience/each.ts';
import type { Jobs } from '../../aws/operations/jobs.ts';
import type { Triggers } from '../../aws/triggers/triggers.ts';
import type { JobRow } from '../../contracts/jobs/job.ts';
import { listKind, lookKind } from '../../contracts/jobs/kinds.ts';
import type { Audience, Audiences, Zones } from '../../contracts/ports/audiences.ts';

export interface PlanPorts {
  readonly audiences: Audiences;
  readonly triggers: Triggers;
  readonly zones: Pick<Zones, 'inUse'>;
  readonly hub: () => Promise<HubConfig>;
  readonly jobs: Pick<Jobs, 'create' | 'enqueue'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Plans are made every quarter of an hour, which is also the longest delay of a queue. */
const AHEAD_MS = 15 * 60_000;

/**
 * Plans the looks of every trigger that fall due until the next plan: a job for each, which starts at its time. A look that an
 * earlier plan has missed starts at once. A repeated plan makes the same jobs, and a job runs once.
 */
export const planLooks = (ports: PlanPorts) => async (): Promise<void> => {
  const audiences = await ports.audiences.all();
  if (audiences.length === 0) return;
  // Before the first look of a trigger, once: the job keeps its id.
  if (audiences.some(({ upTo }) => upTo === undefined))
    await startJob(ports, { kind: listKind.kind, id: 'list-customers', parameters: {} }, 0);
  const { timeZone } = await ports.hub();
  const inUse = await ports.zones.inUse();
  const timeZones = new Set([timeZone, ...inUse.filter((zone) => zone !== '')]);
  for (const audience of audiences) await planAudience(ports, audience, timeZones);
};

const planAudience = async (
  ports: PlanPorts,
  { trigger, upTo }: Audience,
  timeZones: ReadonlySet<string>,
): Promise<void> => {
  const current = await ports.triggers.current(trigger);
  if (current === undefined || current.paused) return;
  const each = (await ports.triggers.version(trigger, current.version))?.trigger.each;
  if (each === undefined) return;
  const now = ports.now();
  // The instant of the publication itself counts.
  const since = (current.since === undefined ? now : Date.parse(current.since)) - 1;
  let from = upTo === undefined ? since : Math.max(Date.parse(upTo), since);
  for (const to of dueLooks(each, timeZones, { from, now, until: now + AHEAD_MS })) {
    await startJob(ports, lookJob(trigger, instant(from), instant(to)), Math.max(0, to - now));
    from = to;
  }
  await ports.audiences.save({ trigger, upTo: instant(from) });
};

const lookJob = (
  trigger: string,
  from: Instant,
  to: Instant,
): Pick<JobRow, 'id' | 'kind' | 'parameters'> => ({
  ...{ id: `look-${trigger}-${to}`, kind: lookKind.kind },
  parameters: { trigger, from, to },
});

const startJob = async (
  { jobs, now }: PlanPorts,
  job: Pick<JobRow, 'id' | 'kind' | 'parameters'>,
  delayMs: number,
): Promise<void> => {
  const isNew = await jobs.create({
    ...{ ...job, by: 'hub', createdAt: instant(now()), state: 'queued', slice: 0, tries: 0 },
    ...{ progress: { done: 0, refused: 0 }, result: false, version: 1 },
  });
  // The plan that created it may have ended before this, so a look is queued again; a slice runs once.
  if (isNew || job.kind === lookKind.kind) await jobs.enqueue({ job: job.id, slice: 0 }, delayMs / 1000);
};
