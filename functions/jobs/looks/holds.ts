import type { Customer } from '../../../core/identity/customer.ts';
import { snapshotCustomer } from '../../../core/interaction/customer-snapshot.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Condition } from '../../../core/triggers/condition.ts';
import { meetsConditions } from '../../../core/triggers/decision.ts';
import { historyFacts } from '../../../core/triggers/history-facts.ts';
import { answerOnHistory } from '../../aws/triggers/on-history.ts';
import type { History } from '../../contracts/ports/history.ts';

/** Whether conditions hold of a customer now, decided as for the event of an interaction. */
export const holdsFor = (
  history: Pick<History, 'timeline'>,
  where: readonly Condition[],
  customer: Customer,
  now: number,
): Promise<boolean> => {
  const facts = historyFacts({ where: [...where] }, undefined, now);
  // Nothing is newer than the customer was last seen: a customer who is silent for so long costs no request.
  if (facts.start !== undefined && customer.lastSeenAt <= instant(facts.start)) facts.end();
  const profile = snapshotCustomer(customer, customer.id, false);
  return answerOnHistory(history, customer, facts, () =>
    meetsConditions(where, { customer, history: facts }, profile),
  );
};
