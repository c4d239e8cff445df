import { type Decision, decide, type Situation } from '../decision.ts';
import {
  type CountCondition,
  type HistoryFacts,
  historyFacts,
  type PastInteraction,
} from '../history-facts.ts';

/** What a decision read, whole, so that it can be made again with one input changed. */
export interface Inputs extends Omit<Situation, 'history'> {
  /** The interactions that had arrived, newest first, as far back as the trigger asks. */
  readonly history: readonly PastInteraction[];
  /** Counts in place of those of the history. */
  readonly counts?: ReadonlyMap<CountCondition, number>;
  /** Set where nothing is to cancel it. */
  readonly ignoresUnless?: true;
}

/** The questions of the trigger, answered by the whole history. */
export const factsOf = ({ trigger, cause, now, history }: Inputs): HistoryFacts => {
  const facts = historyFacts(trigger, cause, now);
  for (const past of history) facts.add(past);
  facts.end();
  return facts;
};

/** Makes a decision again by its inputs. */
export const redecide = (inputs: Inputs): Decision => {
  const { history: _, counts, ignoresUnless, ...rest } = inputs;
  const facts = factsOf(inputs);
  const decision = decide({
    ...rest,
    history: {
      ...facts,
      counted: (condition) => {
        const count = counts?.get(condition);
        return count === undefined ? facts.counted(condition) : { count, isAll: true, newest: undefined };
      },
      cancelling: () => (ignoresUnless ? { count: 0, isAll: true, newest: undefined } : facts.cancelling()),
    },
  });
  if (decision === undefined) throw new Error('A decision is open although the whole history was read.');
  return decision;
};
