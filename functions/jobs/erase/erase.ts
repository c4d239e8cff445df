import { instant } from '../../../core/interaction/interaction.ts';
import type { Job } from '../../contracts/jobs/job.ts';
import { type EraseParameters, eraseKind } from '../../contracts/jobs/kinds.ts';
import { Checkpoint, type EraseJobPorts, type Progress } from './step.ts';
import { stepsOf } from './steps.ts';

/**
 * Erases a person: their rows at once; then, when every function that may have read them has ended, what was written
 * meanwhile, files, failures, raw deliveries, what CRMs hold, push endpoints and the archive of the bus; and signs what
 * was done. Every step may break off and be repeated: what is gone already is passed by.
 */
export const eraseJob = (ports: EraseJobPorts): Job<EraseParameters, Checkpoint> => {
  const steps = stepsOf(ports);
  return {
    ...eraseKind,
    checkpoint: Checkpoint,
    start: async () => ({ checkpoint: { step: 0, place: '', systems: {} }, total: steps.length }),
    async slice({ parameters, checkpoint, timeLeft, startedAt }) {
      let now = checkpoint;
      let done = 0;
      for (let step = steps[now.step]; step !== undefined; step = steps[now.step]) {
        const progress = await step.run({
          parameters,
          timeLeft,
          startedAt,
          place: now.place,
          systems: now.systems,
        });
        const systems = told(now.systems, progress.told ?? {}, instant(ports.now()));
        if (!progress.done) {
          const place = progress.place ?? now.place;
          const { delaySeconds = 0 } = progress;
          return { checkpoint: { ...now, systems, place }, done, finished: false, delaySeconds };
        }
        now = { step: now.step + 1, place: '', systems };
        done++;
        if (!timeLeft()) break;
      }
      return { checkpoint: now, done, finished: now.step >= steps.length };
    },
  };
};

const told = (
  before: Checkpoint['systems'],
  news: NonNullable<Progress['told']>,
  doneAt: string,
): Checkpoint['systems'] => {
  const next = { ...before };
  for (const [system, { what, count, left = [] }] of Object.entries(news)) {
    const present = next[system];
    next[system] = {
      ...{ what, doneAt },
      count: count + (present?.count ?? 0),
      left: [...new Set([...(present?.left ?? []), ...left])],
    };
  }
  return next;
};
