import type { Customer } from '../../../core/identity/customer.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { HistoryFacts } from '../../../core/triggers/history-facts.ts';
import type { History } from '../../contracts/ports/history.ts';

/**
 * Answers a question about a customer's history, which is read from the newest interaction on and no further than the answer
 * needs. `answer`: undefined as long as older interactions can change it.
 */
export const answerOnHistory = async <Answer>(
  history: Pick<History, 'timeline'>,
  customer: Customer,
  facts: HistoryFacts,
  answer: () => Answer | undefined,
): Promise<Answer> => {
  const known = answer();
  if (known !== undefined) return known;
  const after = facts.start === undefined ? {} : { after: instant(facts.start) };
  for await (const past of history.timeline(customer, { ...after, order: 'newest' })) {
    const found = facts.add(past) ? answer() : undefined;
    if (found !== undefined) return found;
  }
  facts.end();
  const last = answer();
  if (last === undefined) throw new Error('A question is open although the whole history was read.');
  return last;
};
