import type { CrmSession } from '../../../core/crm/connector.ts';
import { referenceTo } from '../../../core/identity/crm/accounts.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Rules } from '../contacts/subjects.ts';
import { beingWritten, isParked } from '../contacts/write.ts';
import type { SyncPorts, Waiting } from '../ports.ts';
import { type CaseBatch, type Party, partiesOf } from './parties.ts';
import { type CasePlan, type PlannedCase, planCases } from './plan.ts';
import { type CasesWritten, waitForOthers, writeCases } from './write.ts';

/**
 * Keeps one record per open conversation: what the mapping says begins it, the following messages are records under it, and
 * who closes it in one of the two systems closes it in the other.
 */
export const logCases = async (
  ports: SyncPorts,
  session: CrmSession,
  rules: Rules,
  batch: CaseBatch,
): Promise<CasesWritten> => {
  const written: CasesWritten = { waiting: new Map(), refused: new Map() };
  if (rules.mapping.cases.length === 0) return written;
  const parties = await partiesOf(ports, batch);
  const plans = parties.map((party) => planCases(ports.crm, rules, party));
  const ready: CasePlan[] = [];
  for (const plan of plans) {
    for (const [id, error] of plan.refused) written.refused.set(id, error);
    const open = withoutParked(ports, plan, written);
    if (!open.cases.some(isWork)) continue;
    if (isReserved(ports, open.party)) waitForOthers(ports, open, written);
    else ready.push(open);
  }
  await writeCases({ ports, session, written }, ready);
  for (const plan of ready) await closeConversation(ports, plan);
  return written;
};

const isWork = ({ isChanged, creation, closes, messages }: PlannedCase): boolean =>
  isChanged || creation !== undefined || closes !== undefined || messages.length > 0;

const isReserved = ({ now }: Pick<SyncPorts, 'now'>, { rows }: Party): boolean =>
  [...rows.values()].some(({ reservedUntil = 0 }) => reservedUntil > now());

/** What concerns an object of which nothing can be written now waits for it. */
const withoutParked = (ports: SyncPorts, plan: CasePlan, { waiting }: CasesWritten): CasePlan => ({
  ...plan,
  cases: plan.cases.flatMap((one) => {
    const { rule, state, creation, closes, messages } = one;
    const parked = (object: string): Waiting => ({ error: isParked(ports, object), object });
    if (ports.parked.has(rule.object)) {
      if (creation !== undefined) waiting.set(state.conversation, parked(rule.object));
      if (closes !== undefined) waiting.set(plan.party.contactOf, parked(rule.object));
      for (const { id } of messages) waiting.set(id, parked(rule.object));
      return [];
    }
    const object = rule.messages?.object ?? '';
    if (ports.parked.has(object)) for (const { id } of messages.splice(0)) waiting.set(id, parked(object));
    // A case that another worker has begun is written first, by the message that began it.
    const isUnwritten = state.record === undefined && creation === undefined;
    if (isUnwritten && closes !== undefined)
      waiting.set(plan.party.contactOf, { error: beingWritten(ports) });
    one.isChanged ||= creation !== undefined || messages.length > 0 || (closes !== undefined && !isUnwritten);
    return [one];
  }),
});

/** The CRM has closed a case, so that its conversation is over here too. Of a guest the CRM closes nothing. */
const closeConversation = async (ports: SyncPorts, { party, closedThere }: CasePlan): Promise<void> => {
  if (closedThere === undefined || party.customer.guest) return;
  const { conversation, at } = closedThere;
  await ports.recordCommand({
    ...{ type: 'command', command: 'close', id: `${ports.crm}:${conversation}:${at}` },
    ...{ at: at < instant(ports.now()) ? at : instant(ports.now()), by: ports.title },
    customer: referenceTo(ports.scope, party.contact),
  });
};
