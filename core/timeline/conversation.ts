import * as z from 'zod';
import { answerOf } from '../consent/consent.ts';
import { Channel, Instant, type Interaction } from '../interaction/interaction.ts';

/** A thread: interactions of both sides, across channels, with no silence between them. */
const Thread = z.strictObject({
  startedAt: Instant,
  lastAt: Instant,
  channels: z.array(Channel),
  /** When the first question was asked. */
  asked: Instant.optional(),
  /** The answers nearest to it: enough to find the first one even if a question arrives late. */
  answers: z.array(Instant),
});
type Thread = z.infer<typeof Thread>;

/**
 * The conversation with one source profile. Conversations can be merged in any order: the order of arrival does not matter
 * unless an interaction is very late, and a customer's conversation is the merge of those of all source profiles.
 */
export const Conversation = z.strictObject({
  /** The newest threads, oldest first. */
  threads: z.array(Thread),
  /** When the unanswered questions were asked, oldest first. */
  open: z.array(Instant),
  lastAsked: Instant.optional(),
  answeredAt: Instant.optional(),
  closedAt: Instant.optional(),
});
export type Conversation = z.infer<typeof Conversation>;

/** An interaction that is at most one silence late can change the newest thread and merge it with the previous one, never with a third. */
const MOST_THREADS = 2;
/** At most so many unanswered questions are stored: the oldest one and the newest ones. */
const MOST_OPEN = 10;
/** How many answers before the first question, and how many after it, are stored. */
const MOST_ANSWERS = 2;

/** The role of an interaction in a conversation. */
export type ConversationRole = 'asks' | 'answers' | 'talks' | 'closes';

/** The providers' status words for an answered call, and for a missed one. */
const SPOKEN: ReadonlySet<unknown> = new Set(['completed', 'answered', 'in-progress', 'connected']);
const MISSED: ReadonlySet<unknown> = new Set(['no-answer', 'missed', 'busy', 'voicemail']);

/** Undefined for what is no part of a conversation: statuses, opens, orders, automated messages. */
export const conversationRole = (interaction: Interaction): ConversationRole | undefined => {
  const { kind, direction, properties = {} } = interaction;
  switch (kind) {
    case 'message':
    case 'comment':
      // A STOP asks for no answer.
      if (properties['automated'] === true) return undefined;
      if (direction === 'inbound') return answerOf(interaction) === 'denied' ? 'talks' : 'asks';
      return direction === 'outbound' ? 'answers' : undefined;
    case 'echo':
      return properties['automated'] === true ? undefined : 'answers';
    case 'postback':
      return 'asks';
    case 'form':
      // A rating asks for no answer.
      return properties['rating'] === undefined ? 'asks' : 'talks';
    case 'reaction':
      return 'talks';
    case 'call':
      if (SPOKEN.has(properties['status'])) return 'answers';
      return direction === 'inbound' && MISSED.has(properties['status']) ? 'asks' : 'talks';
    case 'system':
      return properties['status'] === 'closed' ? 'closes' : undefined;
    default:
      return undefined;
  }
};

const emptyConversation: Conversation = { threads: [], open: [] };

/** Applies an interaction. `silence`: milliseconds without an interaction after which a new thread begins. */
export const applyToConversation = (
  conversation: Conversation | undefined,
  interaction: Interaction,
  silence: number,
): Conversation | undefined => {
  const role = conversationRole(interaction);
  if (role === undefined) return conversation;
  const { occurredAt: at, channel } = interaction;
  const asks = role === 'asks';
  const answers = role === 'answers';
  const thread: Thread = {
    ...{ startedAt: at, lastAt: at, channels: [channel] },
    ...(asks && { asked: at }),
    answers: answers ? [at] : [],
  };
  return boundConversation(
    mergeConversations(conversation, {
      threads: role === 'closes' ? [] : [thread],
      open: asks ? [at] : [],
      ...(asks && { lastAsked: at }),
      ...(answers && { answeredAt: at }),
      ...(role === 'closes' && { closedAt: at }),
    }),
    silence,
  );
};

/** Closes the conversation at `at` by a decision of staff. A later question opens it again. */
export const closedConversation = (
  conversation: Conversation | undefined,
  at: Instant,
  silence: number,
): Conversation =>
  boundConversation(mergeConversations(conversation, { ...emptyConversation, closedAt: at }), silence);

/** Merges two conversations. The threads are not separated by silence yet; the callers that know the silence do that. */
export const mergeConversations = (
  one: Conversation | undefined = emptyConversation,
  other: Conversation | undefined = emptyConversation,
): Conversation => {
  const answeredAt = laterInstant(one.answeredAt, other.answeredAt);
  const closedAt = laterInstant(one.closedAt, other.closedAt);
  const lastAsked = laterInstant(one.lastAsked, other.lastAsked);
  const done = laterInstant(answeredAt, closedAt) ?? '';
  return {
    threads: [...one.threads, ...other.threads],
    open: sortInstants([...one.open, ...other.open]).filter((asked) => asked > done),
    ...(lastAsked !== undefined && { lastAsked }),
    ...(answeredAt !== undefined && { answeredAt }),
    ...(closedAt !== undefined && { closedAt }),
  };
};

const boundConversation = (conversation: Conversation, silence: number): Conversation => {
  const { open } = conversation;
  return {
    ...conversation,
    threads: splitBySilence(conversation.threads, silence).slice(-MOST_THREADS),
    open: open.length <= MOST_OPEN ? open : [...open.slice(0, 1), ...open.slice(1 - MOST_OPEN)],
  };
};

/** Merges threads with no silence between them. Oldest first. */
const splitBySilence = (threads: readonly Thread[], silence: number): Thread[] => {
  const separate: Thread[] = [];
  for (const thread of threads.toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1))) {
    const last = separate.at(-1);
    if (last === undefined || Date.parse(thread.startedAt) - Date.parse(last.lastAt) > silence)
      separate.push(thread);
    else separate[separate.length - 1] = mergeThreads(last, thread);
  }
  return separate;
};

const mergeThreads = (one: Thread, other: Thread): Thread => {
  const asked = earlierInstant(one.asked, other.asked);
  return {
    startedAt: earlierInstant(one.startedAt, other.startedAt) ?? one.startedAt,
    lastAt: laterInstant(one.lastAt, other.lastAt) ?? one.lastAt,
    channels: [...new Set([...one.channels, ...other.channels])].sort(),
    ...(asked !== undefined && { asked }),
    answers: nearestAnswers(sortInstants([...one.answers, ...other.answers]), asked),
  };
};

const nearestAnswers = (answers: readonly Instant[], asked: Instant | undefined): Instant[] => {
  if (asked === undefined) return answers.slice(-2 * MOST_ANSWERS);
  const first = answers.findIndex((at) => at >= asked);
  const split = first === -1 ? answers.length : first;
  return answers.slice(Math.max(0, split - MOST_ANSWERS), split + MOST_ANSWERS);
};

/** An answer to an open question. */
export const Reply = z.strictObject({
  /** Since the oldest open question, in whole seconds. */
  seconds: z.int().nonnegative(),
  /** Whether it is the first answer of the thread. */
  first: z.boolean(),
});
export type Reply = z.infer<typeof Reply>;

/** The reply that an interaction is; undefined if it answers no open question. `conversation`: the customer's, without the interaction. */
export const replyOf = (
  conversation: Conversation | undefined,
  interaction: Interaction,
  silence: number,
): Reply | undefined => {
  const { occurredAt: at } = interaction;
  const asked = conversation?.open[0];
  if (conversationRole(interaction) !== 'answers' || asked === undefined || asked > at) return undefined;
  const thread = splitBySilence(
    applyToConversation(conversation, interaction, silence)?.threads ?? [],
    silence,
  ).find(({ startedAt, lastAt }) => startedAt <= at && at <= lastAt);
  return { seconds: secondsBetween(asked, at), first: thread !== undefined && firstAnswer(thread) === at };
};

const firstAnswer = ({ asked, answers }: Thread): Instant | undefined =>
  asked === undefined ? undefined : answers.find((at) => at >= asked);

/** The present conversation of a customer, as agents see it. */
export interface ConversationView {
  /** `waiting`: the customer waits for an answer. `answered`: no question is open. `resolved`: closed by staff, or ended by silence. */
  readonly state: 'waiting' | 'answered' | 'resolved';
  readonly startedAt: Instant;
  readonly lastAt: Instant;
  readonly channels: readonly Channel[];
  /** When the oldest unanswered question was asked, however long ago. */
  readonly waitingSince?: Instant;
  readonly firstResponseSeconds?: number;
  readonly resolvedAt?: Instant;
  /** From the first question until staff closed the conversation. */
  readonly resolutionSeconds?: number;
}

/** Undefined before the first message. `silence` in milliseconds, `now` in epoch milliseconds. */
export const conversationView = (
  conversation: Conversation | undefined,
  silence: number,
  now: number,
): ConversationView | undefined => {
  const thread = splitBySilence(conversation?.threads ?? [], silence).at(-1);
  if (conversation === undefined || thread === undefined) return undefined;
  const { startedAt, lastAt, channels, asked } = thread;
  const { closedAt, lastAsked = '' } = conversation;
  const [waitingSince] = conversation.open;
  const answer = firstAnswer(thread);
  const isClosedManually = closedAt !== undefined && closedAt >= lastAsked && closedAt >= startedAt;
  const silentSince = Date.parse(lastAt) + silence;
  const resolvedAt =
    waitingSince !== undefined
      ? undefined
      : isClosedManually
        ? closedAt
        : silentSince < now
          ? new Date(silentSince).toISOString()
          : undefined;
  return {
    state: waitingSince !== undefined ? 'waiting' : resolvedAt === undefined ? 'answered' : 'resolved',
    ...{ startedAt, lastAt, channels },
    ...(waitingSince !== undefined && { waitingSince }),
    ...(asked !== undefined &&
      answer !== undefined && { firstResponseSeconds: secondsBetween(asked, answer) }),
    ...(resolvedAt !== undefined && { resolvedAt }),
    ...(resolvedAt !== undefined &&
      isClosedManually &&
      asked !== undefined && { resolutionSeconds: secondsBetween(asked, resolvedAt) }),
  };
};

const secondsBetween = (from: Instant, to: Instant): number =>
  Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));

const sortInstants = (instants: readonly Instant[]): Instant[] => [...new Set(instants)].sort();

const laterInstant = (one: Instant | undefined, other: Instant | undefined): Instant | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

const earlierInstant = (one: Instant | undefined, other: Instant | undefined): Instant | undefined =>
  one === undefined || (other !== undefined && other < one) ? other : one;
