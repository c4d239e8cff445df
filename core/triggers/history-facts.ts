import type { CustomerSnapshot } from '../interaction/customer-snapshot.ts';
import { type Interaction, instant } from '../interaction/interaction.ts';
import type { Condition } from './condition.ts';
import { cachedPattern, matches } from './pattern/index.ts';
import type { Trigger } from './trigger.ts';

/** A recorded interaction as a decision reads it. `customer`: as it was when the interaction was recorded. */
export interface PastInteraction extends Interaction {
  readonly receivedAt: string;
  readonly customer: CustomerSnapshot;
}

export type CountCondition = Extract<Condition, { readonly count: unknown }>;

/** The interactions that match a question: all of them, or as many as make the rest of the history irrelevant. */
interface Tally {
  readonly count: number;
  readonly isAll: boolean;
  /** The newest of them. */
  readonly newest: PastInteraction | undefined;
}

/**
 * What a decision asks of a customer's history: its counts and its `unless`. The history is added from the newest interaction
 * on, and each question is answered as soon as nothing older can change its answer; no interaction is kept but the newest
 * match of each question, so that a long history costs time, not memory.
 */
export interface HistoryFacts {
  /** Interactions up to this time are asked for by nobody, in epoch milliseconds; undefined if no question needs the history. */
  readonly start: number | undefined;
  /** Takes the next older interaction; whether it answered a question. */
  add(past: PastInteraction): boolean;
  /** Tells that there is no older interaction: every question has its answer. */
  end(): void;
  /** The answer to a count; undefined as long as older interactions may change it. */
  counted(condition: CountCondition): Tally | undefined;
  /** The answer to `unless`: matches that have arrived and did not occur before the cause. */
  cancelling(): Tally | undefined;
}

interface Question {
  /** In epoch milliseconds; what occurred then or before does not count. */
  readonly after: number;
  /** So many matches are enough to answer it. */
  readonly enough: number;
  readonly isMatch: (past: PastInteraction) => boolean;
  tally: Tally;
  isAnswered: boolean;
}

/**
 * The questions of a trigger about the history of the customer who caused it; without a cause those of its conditions alone.
 * `now`: epoch milliseconds.
 */
export const historyFacts = (
  trigger: Pick<Trigger, 'where' | 'unless'>,
  cause: Pick<PastInteraction, 'id' | 'occurredAt'> | undefined,
  now: number,
): HistoryFacts => {
  const counts = new Map(
    trigger.where.flatMap(countsIn).map((condition) => [condition, countQuestion(condition, now)]),
  );
  const { unless } = trigger;
  const unlessQuestion = unless && cause && cancelQuestion(unless, cause, now);
  const questions = [...counts.values(), ...(unlessQuestion ? [unlessQuestion] : [])];
  return {
    start: questions.length === 0 ? undefined : Math.min(...questions.map(({ after }) => after)),
    add(past) {
      let hasAnswered = false;
      for (const question of questions)
        if (!question.isAnswered) hasAnswered = advance(question, past) || hasAnswered;
      return hasAnswered;
    },
    end() {
      for (const question of questions) question.isAnswered = true;
    },
    counted: (condition) => answerTo(counts.get(condition)),
    cancelling: () => answerTo(unlessQuestion),
  };
};

const countsIn = (condition: Condition): CountCondition[] => {
  if ('count' in condition) return [condition];
  if ('not' in condition) return countsIn(condition.not);
  if ('any' in condition) return condition.any.flatMap(countsIn);
  return 'all' in condition ? condition.all.flatMap(countsIn) : [];
};

/** Counts this customer's matching interactions in (now - window, now]. */
const countQuestion = (condition: CountCondition, now: number): Question => {
  const { count, within, atLeast, atMost, exactly } = condition;
  const pattern = cachedPattern(count);
  const upTo = instant(now);
  const tooMany = [atMost, exactly].flatMap((most) => (most === undefined ? [] : [most + 1]));
  const enough = tooMany.length > 0 ? Math.min(...tooMany) : (atLeast ?? 0);
  return question(now - within, enough, (past) => past.occurredAt <= upTo && matches(pattern, past));
};

const cancelQuestion = (
  unless: NonNullable<Trigger['unless']>,
  cause: Pick<PastInteraction, 'id' | 'occurredAt'>,
  now: number,
): Question => {
  const pattern = cachedPattern(unless);
  return question(
    Date.parse(cause.occurredAt) - 1,
    1,
    (past) => past.id !== cause.id && Date.parse(past.receivedAt) <= now && matches(pattern, past),
  );
};

const question = (after: number, enough: number, isMatch: Question['isMatch']): Question => ({
  ...{ after, enough, isMatch },
  tally: { count: 0, isAll: true, newest: undefined },
  isAnswered: enough === 0,
});

/** Whether this interaction answers the question. */
const advance = (question: Question, past: PastInteraction): boolean => {
  if (past.occurredAt <= instant(question.after)) question.isAnswered = true;
  else if (question.isMatch(past)) {
    const { count, newest } = question.tally;
    question.isAnswered = count + 1 === question.enough;
    question.tally = { count: count + 1, isAll: !question.isAnswered, newest: newest ?? past };
  }
  return question.isAnswered;
};

const answerTo = (question: Question | undefined): Tally | undefined =>
  question?.isAnswered ? question.tally : undefined;
