import type { VirtualClock } from '../../../core/clock.ts';
import type { Decision } from '../../../infra/local/iam/index.ts';

/** Observes a trial. */
export interface TrialObserver {
  /** Called with every decision about a permission. */
  readonly onDecision: (decision: Decision) => void;
  /** Called with the clock of the trial, through which the observer can end it. */
  readonly onClock: (clock: VirtualClock) => void;
}
