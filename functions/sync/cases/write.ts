import {
  bodyField,
  boundCases,
  type CaseState,
  type CasesState,
  messageDigest,
  writtenMessages,
} from '../../../core/crm/cases.ts';
import { valueDigest } from '../../../core/crm/change.ts';
import type { CrmRecord, CrmResult, CrmSession } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { HubError } from '../../../core/errors.ts';
import { beingWritten, RESERVATION_MS } from '../contacts/write.ts';
import type { SyncPorts, Waiting } from '../ports.ts';
import type { CasePlan, PlannedCase, PlannedMessage } from './plan.ts';

/** What became of cases: of interactions by their ids, and of closings by the customer. */
export interface CasesWritten {
  readonly waiting: Map<string, Waiting>;
  readonly refused: Map<string, HubError>;
}

/** What the functions below share. */
export interface CaseWriting {
  readonly ports: SyncPorts;
  readonly session: CrmSession;
  readonly written: CasesWritten;
}

/** Cases of one party whose rows are reserved. */
interface Reserved {
  readonly plan: CasePlan;
  readonly rows: ReadonlyMap<string, CasesState>;
}

/**
 * Writes cases, then the messages under them, then notes both. Before the first call every case and message is noted as
 * begun, so that a worker that finds them later knows that they may be in the CRM: a case is written again by its key, and a
 * message is looked for under its case first.
 */
export const writeCases = async (writing: CaseWriting, plans: readonly CasePlan[]): Promise<void> => {
  const reserved = (await Promise.all(plans.map((plan) => reserve(writing, plan)))).flatMap(
    (one) => one ?? [],
  );
  const cases = reserved.flatMap(({ plan }) => plan.cases.map((one) => ({ plan, one })));
  try {
    await writeRecords(writing, cases);
    await writeMessages(writing, cases);
  } finally {
    await Promise.all(reserved.map((one) => release(writing, one)));
  }
};

interface OfPlan {
  readonly plan: CasePlan;
  readonly one: PlannedCase;
}

/** The states of a row's cases; those of which the mapping has no rule any more stay as they are. */
const nextRows = (
  { party, cases }: CasePlan,
  rows: ReadonlyMap<string, CasesState>,
  stateOf: (one: PlannedCase) => CaseState | undefined,
): Map<string, CasesState> => {
  const next = new Map<string, CasesState>();
  for (const profileId of new Set(cases.filter(({ isChanged }) => isChanged).map((one) => one.profileId))) {
    const row = rows.get(profileId);
    if (row === undefined) continue;
    const planned = cases.filter((one) => one.profileId === profileId);
    const known = new Set(planned.map(({ state }) => state.conversation));
    const others = (party.rows.get(profileId)?.cases ?? []).filter(
      ({ conversation }) => !known.has(conversation),
    );
    next.set(profileId, {
      ...row,
      cases: boundCases([...others, ...planned.flatMap((one) => stateOf(one) ?? [])]),
    });
  }
  return next;
};

const withMessages = (
  { state, messages }: PlannedCase,
  isKept: (one: PlannedMessage) => boolean,
): CaseState => {
  const noted = new Map(state.messages.map((one) => [one.id, one]));
  for (const one of messages) {
    const { id, at, digest, record } = one;
    if (isKept(one)) noted.set(id, { id, at, digest, ...(record !== undefined && { record }) });
    else noted.delete(id);
  }
  return { ...state, messages: [...noted.values()] };
};

/** Undefined where another worker is at the same cases. */
const reserve = async ({ ports, written }: CaseWriting, plan: CasePlan): Promise<Reserved | undefined> => {
  const reservedUntil = ports.now() + RESERVATION_MS;
  const next = nextRows(plan, plan.party.rows, (one) => withMessages(one, () => true));
  const saved = await Promise.all(
    [...next].map(async ([profileId, row]) => ({
      ...{ profileId, row: { ...row, reservedUntil, version: row.version + 1 } },
      isSaved: await ports.cases.save(profileId, { ...row, reservedUntil }),
    })),
  );
  const rows = new Map(saved.flatMap((one) => (one.isSaved ? [[one.profileId, one.row] as const] : [])));
  if (rows.size === saved.length) return { plan, rows };
  await Promise.all(
    [...rows].map(([profileId, { reservedUntil: _, ...row }]) =>
      ports.cases.save(profileId, { ...row, cases: plan.party.rows.get(profileId)?.cases ?? [] }),
    ),
  );
  waitForOthers(ports, plan, written);
  return undefined;
};

/** Everything of a party waits for another worker. */
export const waitForOthers = (
  ports: Pick<SyncPorts, 'title'>,
  { party, cases }: CasePlan,
  { waiting }: CasesWritten,
): void => {
  const error = beingWritten(ports);
  for (const { state, creation, closes, messages } of cases) {
    if (creation !== undefined) waiting.set(state.conversation, { error });
    if (closes !== undefined) waiting.set(party.contactOf, { error });
    for (const { id } of messages) waiting.set(id, { error });
  }
};

/** Notes how far the work came, and lets others at the cases. */
const release = async ({ ports, written }: CaseWriting, { plan, rows }: Reserved): Promise<void> => {
  const next = nextRows(plan, rows, (one) =>
    one.state.conversation === '' ? undefined : withMessages(one, ({ status }) => status !== 'new'),
  );
  for (const [profileId, { reservedUntil: _, ...row }] of next)
    if (!(await ports.cases.save(profileId, row))) waitForOthers(ports, plan, written);
};

/** New cases, and those that were closed here. */
const writeRecords = async (
  { ports, session, written }: CaseWriting,
  cases: readonly OfPlan[],
): Promise<void> => {
  const wanted = cases.flatMap(({ plan, one }) =>
    recordsOf(plan, one).map((record) => ({ plan, one, record })),
  );
  for (const [place, some] of Map.groupBy(wanted, ({ one: { rule } }) => `${rule.object}\n${rule.key}`)) {
    const [object = '', key = ''] = place.split('\n');
    const byKey = new Map(some.map((each) => [each.record.key, each]));
    const records = some.map(({ record }) => record);
    for (const result of await session.upsert(object, key, records, ports.call)) {
      const found = byKey.get(result.key);
      if (found !== undefined) noteRecord(found, result, written);
    }
  }
};

const recordsOf = ({ party }: CasePlan, { rule, state, creation, closes }: PlannedCase): CrmRecord[] => {
  const { conversation: key, record: id } = state;
  const [value] = rule.closed?.values ?? [];
  if (creation !== undefined)
    return [
      { key, fields: creation, links: Object.fromEntries(rule.links.map((name) => [name, party.contact])) },
    ];
  return closes === undefined || id === undefined || rule.closed === undefined
    ? []
    : [{ key, id, fields: { [rule.closed.field]: value } }];
};

const noteRecord = ({ plan, one }: OfPlan, result: CrmResult, { waiting, refused }: CasesWritten): void => {
  const { state, creation, closes, rule } = one;
  const about = creation === undefined ? plan.party.contactOf : state.conversation;
  if (!('fault' in result)) {
    const [value] = rule.closed?.values ?? [];
    const closing = rule.closed && closes ? { [rule.closed.field]: value } : {};
    const written = digestsOf({ ...(creation ?? closing), ...result.held });
    one.state = {
      ...{ ...state, record: result.id, written: { ...state.written, ...written } },
      ...(creation === undefined && closes && { closedAt: closes }),
    };
    return;
  }
  const { fault } = result;
  if (fault.why === 'gone' && creation === undefined) one.state = { ...state, isGone: true };
  else if (fault.scope === 'record' && fault.retry === 'never') {
    refused.set(about, fault);
    // Another interaction of the conversation, or the same when it is replayed, begins a case anew.
    if (creation !== undefined) one.state = { ...state, conversation: '' };
  } else waiting.set(about, { error: fault, ...(fault.scope === 'object' && { object: rule.object }) });
};

const digestsOf = (fields: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueDigest(value)]));

/** The messages of cases that are in the CRM; those of the others wait. */
const writeMessages = async (writing: CaseWriting, cases: readonly OfPlan[]): Promise<void> => {
  const { ports, written } = writing;
  const open = cases.flatMap(({ one }) => {
    if (one.state.record !== undefined) return [one];
    for (const { id } of one.messages) written.waiting.set(id, { error: beingWritten(ports) });
    return [];
  });
  for (const [place, some] of Map.groupBy(
    open,
    ({ rule: { messages } }) => `${messages?.object}\n${messages?.parent}`,
  )) {
    const [object = '', parent = ''] = place.split('\n');
    if (some.some(({ messages }) => messages.length > 0)) await writeUnder(writing, { object, parent }, some);
  }
};

interface Place {
  readonly object: string;
  readonly parent: string;
}

const writeUnder = async (
  writing: CaseWriting,
  place: Place,
  cases: readonly PlannedCase[],
): Promise<void> => {
  const { ports, session } = writing;
  const { object, parent } = place;
  await findDoubtful(writing, place, cases);
  const sent = new Map(
    cases.flatMap((one) =>
      one.messages.flatMap((message) =>
        message.record === undefined && !one.state.isGone ? [[message.id, { one, message }] as const] : [],
      ),
    ),
  );
  if (sent.size === 0) return;
  const records = [...sent.values()].map(({ one, message: { id: key, fields } }) => ({
    ...{ key, fields, parent: one.state.record ?? '' },
  }));
  for (const { message } of sent.values()) message.status = 'sent';
  try {
    for (const result of await session.addChildren(object, parent, records, ports.call)) {
      const found = sent.get(result.key);
      if (found !== undefined) noteMessage(writing, object, found, result);
    }
  } catch (error) {
    if (error instanceof CrmFault && !mayBeDone(error))
      for (const { message } of sent.values()) message.status = 'new';
    throw error;
  }
};

/** Whether a call with this fault may have been carried out all the same: it was not answered, or not for every record. */
const mayBeDone = ({ why }: CrmFault): boolean => why === 'down' || why === 'raced';

/** Looks for the messages under their cases of which it is not known whether they were written. */
const findDoubtful = async (
  { ports, session }: CaseWriting,
  { object, parent }: Place,
  cases: readonly PlannedCase[],
): Promise<void> => {
  const doubtful = cases.flatMap((one) => {
    const messages = one.messages.filter(({ status }) => status === 'doubtful');
    return messages.length === 0 ? [] : [{ one, messages }];
  });
  if (doubtful.length === 0) return;
  const ids = doubtful.map(({ one }) => one.state.record ?? '');
  const names = [
    ...new Set(doubtful.flatMap(({ messages }) => messages.flatMap(({ fields }) => bodyField(fields) ?? []))),
  ];
  const held = await session.children(object, parent, ids, names, ports.call);
  for (const { one, messages } of doubtful) {
    const under = (held.get(one.state.record ?? '') ?? []).map(({ id, fields }) => ({
      ...{ id, digest: messageDigest(fields) },
    }));
    const found = writtenMessages(one.state, messages, under);
    for (const message of messages) {
      const record = found.get(message.id);
      message.status = record === undefined ? 'new' : 'sent';
      if (record !== undefined) message.record = record;
    }
  }
};

const noteMessage = (
  { written: { waiting, refused } }: CaseWriting,
  object: string,
  { one, message }: { readonly one: PlannedCase; readonly message: PlannedMessage },
  result: CrmResult,
): void => {
  if (!('fault' in result)) {
    message.record = result.id;
    return;
  }
  const { fault } = result;
  if (!mayBeDone(fault)) message.status = 'new';
  if (fault.why === 'gone') one.state = { ...one.state, isGone: true };
  else if (fault.scope === 'record' && fault.retry === 'never') refused.set(message.id, fault);
  else waiting.set(message.id, { error: fault, ...(fault.scope === 'object' && { object }) });
};
