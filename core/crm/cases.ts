import * as z from 'zod';
import { Instant } from '../interaction/interaction.ts';
import { type Conversation, conversationView } from '../timeline/conversation.ts';
import { valueDigest } from './change.ts';
import type { CrmFields } from './connector.ts';

/** One message of a conversation, as a record under its case. Without `record` it is not known whether it was written. */
const CaseMessage = z.strictObject({
  /** The id of the interaction. */
  id: z.string(),
  at: Instant,
  /** Of what it says, by which it is recognised under the case. */
  digest: z.string(),
  /** The CRM's id of the record. */
  record: z.string().optional(),
});
type CaseMessage = z.infer<typeof CaseMessage>;

/** A case of one conversation. Without `record` it is not known whether it was written. */
export const CaseState = z.strictObject({
  /** The id of the interaction that began it, which is the key of the record. */
  conversation: z.string(),
  object: z.string(),
  /** The CRM's id of the record. */
  record: z.string().optional(),
  openedAt: Instant,
  /** When the last message of the conversation was sent. */
  lastAt: Instant,
  closedAt: Instant.optional(),
  /** The time of the newest report of the CRM about whether it is closed. */
  reportedAt: Instant.optional(),
  /**
   * Digests of the fields of the record as the hub wrote them, by which it recognises reports of its own writes. A field that
   * somebody else has changed since is not among them.
   */
  written: z.record(z.string(), z.string()).optional(),
  /** Set where somebody has deleted the record: nothing is written to it any more. */
  isGone: z.literal(true).optional(),
  /** The newest, oldest first. */
  messages: z.array(CaseMessage).default([]),
});
export type CaseState = z.infer<typeof CaseState>;

/** The cases of a source profile in one CRM: the row `cases#<crm>`. */
export const CasesState = z.looseObject({
  /** Increases with every change of the row. */
  version: z.int().nonnegative().default(0),
  /** A worker that is about to write the cases, until then, in epoch milliseconds. */
  reservedUntil: z.number().optional(),
  /** The newest, oldest first. */
  cases: z.array(CaseState).default([]),
});
export type CasesState = z.infer<typeof CasesState>;

export const noCases: CasesState = CasesState.parse({});

/** The row must stay far below the 400 kB of DynamoDB. */
const MOST_CASES = 8;
const MOST_MESSAGES = 200;

export const boundCases = (cases: readonly CaseState[]): CaseState[] =>
  cases
    .toSorted((one, other) => (one.openedAt < other.openedAt ? -1 : 1))
    .slice(-MOST_CASES)
    .map((one) => ({
      ...one,
      messages: one.messages
        .toSorted((message, other) => (message.at < other.at ? -1 : 1))
        .slice(-MOST_MESSAGES),
    }));

/** What is known of a conversation when its cases are written. */
export interface Talk {
  readonly conversation: Conversation | undefined;
  /** Milliseconds without a message after which a new conversation begins. */
  readonly silence: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Whether what was said at `at` belongs to a conversation that is open now: neither closed by staff since, nor ended by
 * silence. So the history of a hub, which a backfill writes, makes no cases.
 */
export const isOpenAt = (at: Instant, { conversation, silence, now }: Talk): boolean => {
  const view = conversationView(conversation, silence, now);
  if (view === undefined || view.state === 'resolved' || (conversation?.closedAt ?? '') >= at) return false;
  return at >= view.startedAt || (view.waitingSince !== undefined && at >= view.waitingSince);
};

/** When a case was closed, in the CRM or here. */
export const closedAtOf = (
  { closedAt, openedAt }: CaseState,
  { conversation }: Talk,
): Instant | undefined => {
  const here = conversation?.closedAt;
  return closedAt ?? (here !== undefined && here >= openedAt ? here : undefined);
};

/** Whether the end of the conversation at `at` is that of a case, and not of a later one only. */
export const endsAt = (
  { lastAt }: CaseState,
  at: Instant,
  { isNewest, silence }: { readonly isNewest: boolean; readonly silence: number },
): boolean => lastAt <= at && (isNewest || millisecondsBetween(lastAt, at) <= silence);

/**
 * The case to which something belongs that was said at `at`: the newest that was open then. A message that arrives before an
 * earlier one of the same conversation has begun the case, which the earlier one then joins. A customer who waits for an
 * answer is in the same conversation, however long ago that began.
 */
export const caseAt = (cases: readonly CaseState[], at: Instant, talk: Talk): CaseState | undefined => {
  const { conversation, silence } = talk;
  const waitingSince = conversation?.open[0];
  const closedHere = conversation?.closedAt ?? '';
  return cases.findLast((one) => {
    const closedAt = closedAtOf(one, talk);
    if (closedAt !== undefined && at > closedAt) return false;
    if (at < one.openedAt)
      return (
        millisecondsBetween(at, one.openedAt) <= silence && !(closedHere >= at && closedHere < one.openedAt)
      );
    const isWaiting = waitingSince !== undefined && waitingSince <= one.lastAt;
    return isWaiting || millisecondsBetween(one.lastAt, at) <= silence;
  });
};

const millisecondsBetween = (from: Instant, to: Instant): number => Date.parse(to) - Date.parse(from);

/** Whether an interaction was written to one of the cases, or may have been. */
export const isInCases = (
  cases: readonly CaseState[],
  { id, at }: { readonly id: string; readonly at: Instant },
): boolean => {
  const [first] = cases;
  if (first !== undefined && cases.length >= MOST_CASES && at < first.openedAt) return true;
  return cases.some(({ conversation, messages, record }) => {
    if (conversation === id) return record !== undefined;
    const [oldest] = messages;
    const isForgotten = oldest !== undefined && messages.length >= MOST_MESSAGES && at < oldest.at;
    return isForgotten || messages.some((one) => one.id === id && one.record !== undefined);
  });
};

/** The field of a message that says the most, by which the message is recognised. */
export const bodyField = (fields: CrmFields): string | undefined =>
  Object.entries(fields)
    .flatMap(([name, value]) => (typeof value === 'string' ? [{ name, length: value.length }] : []))
    .toSorted((one, other) => other.length - one.length)[0]?.name;

/** The digest of what a message says; CRMs change blanks and line ends. */
export const messageDigest = (fields: CrmFields, name = bodyField(fields)): string =>
  valueDigest(String(fields[name ?? ''] ?? '').replace(/\s+/gu, ' '));

/**
 * Which of the messages in doubt are under a case, with the CRM's ids: as many as it has records that say the same and are
 * none of the messages that are known to be written. Entries of a journal have no ids: what was written as one bears that of
 * the case.
 */
export const writtenMessages = (
  { messages, record: ownId }: Pick<CaseState, 'messages' | 'record'>,
  doubtful: readonly Pick<CaseMessage, 'id' | 'digest'>[],
  held: readonly { readonly id: string; readonly digest: string }[],
): ReadonlyMap<string, string> => {
  const known = new Set(messages.flatMap(({ record }) => record ?? []));
  const written = new Map<string, string>();
  for (const [digest, some] of Map.groupBy(doubtful, (one) => one.digest)) {
    const inJournal = messages.filter((one) => one.digest === digest && one.record === ownId);
    const free = held
      .filter((one) => one.digest === digest && (one.id === ownId || !known.has(one.id)))
      .slice(ownId === undefined ? 0 : inJournal.length);
    for (const [position, { id }] of some.entries()) {
      const record = free[position];
      if (record !== undefined) written.set(id, record.id);
    }
  }
  return written;
};
