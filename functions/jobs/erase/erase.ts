import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Job } from '../../contracts/jobs/job.ts';
import { type EraseParameters, eraseKind } from '../../contracts/jobs/kinds.ts';
import { Checkpoint, type EraseJobPorts, type Progress } from './step.ts';
import { eraseSteps } from './steps.ts';

/** The checkpoint's step once all steps are done. */
const FINISHED = 'finished';

/**
 * Erases a customer: their rows at once; then, once every function that may have read them has ended, the rows written
 * meanwhile, files, failures, raw deliveries, what CRMs hold, push endpoints and the archive of the bus; and signs the
 * receipt. Every step may be interrupted and repeated: what is gone is skipped.
 *
 * The checkpoint names the next step, so that a release with more, fewer or reordered steps continues correctly. A step
 * that this release does not know fails the job with `unknown-step`: nothing is skipped silently.
 */
export const eraseJob = (ports: EraseJobPorts): Job<EraseParameters, Checkpoint> => {
  const steps = eraseSteps(ports);
  const [first = FINISHED] = steps.keys();
  const stepAfter = (name: string): string => {
    const names = [...steps.keys()];
    return names[names.indexOf(name) + 1] ?? FINISHED;
  };
  return {
    ...eraseKind,
    checkpoint: Checkpoint,
    start: async () => ({ checkpoint: { step: first, after: '', systems: {} }, total: steps.size }),
    async slice({ parameters, checkpoint, timeLeft }) {
      let now = checkpoint;
      let done = 0;
      while (now.step !== FINISHED) {
        const run = steps.get(now.step);
        if (run === undefined) throw unknownStep(now.step, parameters.erasure);
        const { after, systems: before } = now;
        const progress = await run({ parameters, timeLeft, after, systems: before });
        const systems = addReports(before, progress.reports ?? {}, instant(ports.now()));
        if (!progress.done) {
          const { delaySeconds = 0 } = progress;
          const next = { ...now, systems, after: progress.after ?? after };
          return { checkpoint: next, done, finished: false, delaySeconds };
        }
        now = { step: stepAfter(now.step), after: '', systems };
        done++;
        if (!timeLeft()) break;
      }
      return { checkpoint: now, done, finished: now.step === FINISHED };
    },
  };
};

const unknownStep = (step: string, erasure: string): HubError =>
  new HubError(
    'unknown-step',
    `The erasure stopped before the step ${step}, which this release of the hub does not have. Deploy the release that started it, or begin its steps anew: POST /erasures/${erasure}/resume.`,
    { retry: 'never' },
  );

/** Adds the counts of one step to those of earlier slices and steps. */
const addReports = (
  before: Checkpoint['systems'],
  reports: NonNullable<Progress['reports']>,
  doneAt: string,
): Checkpoint['systems'] => {
  const next = { ...before };
  for (const [system, { what, count, left = [] }] of Object.entries(reports)) {
    const present = next[system];
    next[system] = {
      ...{ what, doneAt },
      count: count + (present?.count ?? 0),
      left: [...new Set([...(present?.left ?? []), ...left])],
    };
  }
  return next;
};
