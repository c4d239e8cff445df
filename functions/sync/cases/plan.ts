import {
  bodyField,
  type CaseState,
  caseAt,
  closedAtOf,
  endsAt,
  isInCases,
  isOpenAt,
  messageDigest,
} from '../../../core/crm/cases.ts';
import { valueDigest } from '../../../core/crm/change.ts';
import type { CrmFields } from '../../../core/crm/connector.ts';
import type { CompiledCase, MappedInteraction } from '../../../core/crm/mapping/mapping.ts';
import { HubError } from '../../../core/errors.ts';
import type { Instant } from '../../../core/interaction/interaction.ts';
import { conversationRole } from '../../../core/timeline/conversation.ts';
import type { StoredInteraction } from '../../contracts/ports/history.ts';
import { mappedInteraction } from '../activities.ts';
import type { Rules } from '../contacts/subjects.ts';
import { casesOfParty, type Party } from './parties.ts';

/** A message of a conversation that becomes a record under its case. */
export interface PlannedMessage {
  readonly id: string;
  readonly at: Instant;
  readonly fields: CrmFields;
  readonly digest: string;
  /** `doubtful`: it may have been written before; `sent`: it was written now, or may have been. */
  status: 'new' | 'doubtful' | 'sent';
  record?: string;
}

/** One case as it is to be, and what has to be written for that. */
export interface PlannedCase {
  readonly rule: CompiledCase;
  readonly profileId: string;
  state: CaseState;
  /** The fields of the new record. */
  creation?: CrmFields;
  /** When it was closed here, where the CRM does not have that yet. */
  closes?: Instant;
  readonly messages: PlannedMessage[];
  /** Whether the row changes, also where nothing is written to the CRM. */
  isChanged: boolean;
}

export interface CasePlan {
  readonly party: Party;
  readonly cases: readonly PlannedCase[];
  /** Whether the CRM has closed the newest case, so that the conversation is over here too, and when. */
  readonly closedThere?: { readonly conversation: string; readonly at: Instant };
  /** Interactions of which a value cannot be mapped. */
  readonly refused: ReadonlyMap<string, HubError>;
}

/** What has to be written for a party: which interactions begin a case, belong to one, or close one. */
export const planCases = (crm: string, { mapping }: Rules, party: Party): CasePlan => {
  const ruleOf = (object: string) => mapping.cases.find((one) => one.object === object);
  const cases = casesOfParty(party).flatMap(({ profileId, state }): PlannedCase[] => {
    const rule = ruleOf(state.object);
    return rule === undefined ? [] : [{ rule, profileId, state, messages: [], isChanged: false }];
  });
  const refused = new Map<string, HubError>();
  let closedThere: CasePlan['closedThere'];
  for (const interaction of party.interactions)
    try {
      if (interaction.provider === crm) closedThere = followCrm(cases, interaction) ?? closedThere;
      else if (isSaid(interaction)) planMessage(mapping.cases, party, cases, interaction);
    } catch (error) {
      if (!(error instanceof HubError) || error.retry !== 'never') throw error;
      refused.set(interaction.id, error);
    }
  for (const one of cases) planClosing(party, one, one === cases.at(-1));
  return { party, cases, refused, ...(closedThere && { closedThere }) };
};

const isSaid = (interaction: StoredInteraction): boolean => {
  const role = conversationRole(interaction);
  return role !== undefined && role !== 'closes';
};

/** Kinds that a person would read as a message. */
const messageKinds: ReadonlySet<string> = new Set(['message', 'echo', 'comment', 'form', 'postback']);

const planMessage = (
  rules: readonly CompiledCase[],
  party: Party,
  cases: PlannedCase[],
  interaction: StoredInteraction,
): void => {
  const { id, occurredAt: at } = interaction;
  const states = cases.map(({ state }) => state);
  if (isInCases(states, { id, at })) return;
  const mapped = mappedInteraction(interaction);
  const begun = cases.find(({ state }) => state.conversation === id);
  if (begun !== undefined) {
    begun.creation = begun.rule.fields(mapped);
    return;
  }
  const state =
    states.find(({ messages }) => messages.some((one) => one.id === id)) ?? caseAt(states, at, party.talk);
  const present = cases.find((one) => one.state === state);
  if (present !== undefined) addMessage(present, interaction, mapped);
  else if (isOpenAt(at, party.talk)) {
    const rule = rules.find((one) => one.begins(mapped));
    if (rule !== undefined) cases.push(beginCase(rule, party, interaction, mapped));
  }
};

const beginCase = (
  rule: CompiledCase,
  party: Party,
  { id, occurredAt }: StoredInteraction,
  mapped: MappedInteraction,
): PlannedCase => ({
  ...{ rule, profileId: party.customer.id, messages: [], isChanged: true },
  state: {
    ...{ conversation: id, object: rule.object },
    ...{ openedAt: occurredAt, lastAt: occurredAt, messages: [] },
  },
  creation: rule.fields(mapped),
});

const addMessage = (
  one: PlannedCase,
  { id, kind, occurredAt: at }: StoredInteraction,
  mapped: MappedInteraction,
): void => {
  const { rule, state } = one;
  if (state.isGone) return;
  if (at > state.lastAt) {
    one.state = { ...state, lastAt: at };
    one.isChanged = true;
  }
  if (rule.messages === undefined || !messageKinds.has(kind)) return;
  const fields = rule.messages.fields(mapped);
  if (bodyField(fields) === undefined) return;
  const isKnown = state.messages.some((message) => message.id === id);
  one.messages.push({ id, at, fields, digest: messageDigest(fields), status: isKnown ? 'doubtful' : 'new' });
};

/** What the CRM reports of one of the cases. Whether the newest of them was closed there is returned once only. */
const followCrm = (
  cases: PlannedCase[],
  { externalId, occurredAt: at, properties = {} }: StoredInteraction,
): CasePlan['closedThere'] => {
  const one = cases.find(({ state }) => state.record !== undefined && state.record === externalId);
  if (one === undefined) return undefined;
  forgetWritten(one, properties['set']);
  const { closed } = one.rule;
  const value = closed === undefined ? undefined : valueIn(properties['set'], closed.field);
  if (closed === undefined || value === undefined) return undefined;
  if (at <= (one.state.reportedAt ?? '')) return undefined;
  const state = { ...one.state, reportedAt: at };
  one.state = state;
  one.isChanged = true;
  const isClosed = closed.values.some((closing) => String(closing) === String(value));
  if (isClosed && state.closedAt === undefined) {
    one.state = { ...state, closedAt: at };
    return one === cases.at(-1) ? { conversation: state.conversation, at } : undefined;
  }
  if (!isClosed && state.closedAt !== undefined && at > state.closedAt) {
    const { closedAt: _, ...open } = state;
    one.state = open;
  }
  return undefined;
};

/** What somebody else has changed is recognised as the hub's no more, also where it is changed back. */
const forgetWritten = (one: PlannedCase, set: unknown): void => {
  const { written = {} } = one.state;
  const kept = Object.entries(written).filter(([name, digest]) => {
    const value = valueIn(set, name);
    return value === undefined || valueDigest(value) === digest;
  });
  if (kept.length === Object.keys(written).length) return;
  one.state = { ...one.state, written: Object.fromEntries(kept) };
  one.isChanged = true;
};

const valueIn = (set: unknown, field: string): unknown =>
  typeof set === 'object' && set !== null && field in set
    ? Object.entries(set).find(([name]) => name === field)?.[1]
    : undefined;

/** A conversation that was closed here is closed in the CRM, unless something was said in it since. */
const planClosing = ({ talk }: Party, one: PlannedCase, isNewest: boolean): void => {
  const { state, rule } = one;
  const at = state.closedAt === undefined ? closedAtOf(state, talk) : undefined;
  if (at === undefined || state.isGone || rule.closed === undefined) return;
  if (endsAt(state, at, { isNewest, silence: talk.silence })) one.closes = at;
};
