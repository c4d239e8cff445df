import * as z from 'zod';
import { answerOf } from '../consent/consent.ts';
import { Channel, Instant, type Interaction } from '../interaction/interaction.ts';

/** Acts of either side that follow each other without a silence; across channels. */
const Thread = z.strictObject({
  startedAt: Instant,
  lastAt: Instant,
  channels: z.array(Channel),
  /** The first question. */
  asked: Instant.optional(),
  /** The answers nearest to it: enough to know which was the first, should a question be told late. */
  answers: z.array(Instant),
});
type Thread = z.infer<typeof Thread>;

/**
 * What is known of the talk with one half of a customer. Facts that can be united in any order: the order of arrival
 * does not matter as long as little is late, and the talk with a person is the union of that with each half.
 */
export const Conversation = z.strictObject({
  /** The newest, oldest first. */
  threads: z.array(Thread),
  /** Questions that nobody has answered, oldest first. */
  open: z.array(Instant),
  lastAsked: Instant.optional(),
  answeredAt: Instant.optional(),
  closedAt: Instant.optional(),
});
export type Conversation = z.infer<typeof Conversation>;

/** An act that is at most one silence late can change the newest stretch and join it to the one before, never to a third. */
const MOST_THREADS = 2;
/** So many questions of one person without an answer are told apart; of more, the oldest and the newest. */
const MOST_OPEN = 10;
/** How many answers before the first question, and how many after it, are kept. */
const MOST_ANSWERS = 2;

/** What an act is in a conversation; undefined where it is none: statuses, opens, orders, our automated messages. */
export type ConversationRole = 'asks' | 'answers' | 'talks' | 'closes';

/** Where providers' words say that a call was spoken, and that it was not. */
const SPOKEN: ReadonlySet<unknown> = new Set(['completed', 'answered', 'in-progress', 'connected']);
const MISSED: ReadonlySet<unknown> = new Set(['no-answer', 'missed', 'busy', 'voicemail']);

export const conversationRole = (interaction: Interaction): ConversationRole | undefined => {
  const { kind, direction, properties = {} } = interaction;
  switch (kind) {
    case 'message':
    case 'comment':
      // Whoever says STOP wants to be left alone.
      if (direction === 'inbound') return answerOf(interaction) === 'denied' ? 'talks' : 'asks';
      return direction === 'outbound' && properties['automated'] !== true ? 'answers' : undefined;
    case 'echo':
      return properties['automated'] === true ? undefined : 'answers';
    case 'postback':
      return 'asks';
    case 'form':
      // A rating asks for nothing.
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

/** The conversation with one more act. `silence` in milliseconds is what parts two stretches. */
export const applyToConversation = (
  conversation: Conversation | undefined,
  interaction: Interaction,
  silence: number,
): Conversation | undefined => {
  const part = conversationRole(interaction);
  if (part === undefined) return conversation;
  const { occurredAt: at, channel } = interaction;
  const asks = part === 'asks';
  const answers = part === 'answers';
  const stretch: Thread = {
    ...{ startedAt: at, lastAt: at, channels: [channel] },
    ...(asks && { asked: at }),
    answers: answers ? [at] : [],
  };
  return boundConversation(
    mergeConversations(conversation, {
      threads: part === 'closes' ? [] : [stretch],
      open: asks ? [at] : [],
      ...(asks && { lastAsked: at }),
      ...(answers && { answeredAt: at }),
      ...(part === 'closes' && { closedAt: at }),
    }),
    silence,
  );
};

/** The conversation after somebody of the business has said that it is done. What is asked later opens it again. */
export const closedConversation = (
  conversation: Conversation | undefined,
  at: Instant,
  silence: number,
): Conversation =>
  boundConversation(mergeConversations(conversation, { ...emptyConversation, closedAt: at }), silence);

/** All that is known of either. Not yet parted by silence, which only whoever knows how long it is can do. */
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

/** Stretches that a silence parts, oldest first; what lies closer together is one. */
const splitBySilence = (stretches: readonly Thread[], silence: number): Thread[] => {
  const whole: Thread[] = [];
  for (const stretch of stretches.toSorted((one, other) => (one.startedAt < other.startedAt ? -1 : 1))) {
    const last = whole.at(-1);
    if (last === undefined || Date.parse(stretch.startedAt) - Date.parse(last.lastAt) > silence)
      whole.push(stretch);
    else whole[whole.length - 1] = mergeThreads(last, stretch);
  }
  return whole;
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

/** How long an answer took. */
export const Reply = z.strictObject({
  /** Since the oldest open question, in whole seconds. */
  seconds: z.int().nonnegative(),
  /** It is the first answer of the conversation. */
  first: z.boolean(),
});
export type Reply = z.infer<typeof Reply>;

/** What an act answers; `conversation` is the whole person's without it. Undefined where nothing was open. */
export const replyOf = (
  conversation: Conversation | undefined,
  interaction: Interaction,
  silence: number,
): Reply | undefined => {
  const { occurredAt: at } = interaction;
  const asked = conversation?.open[0];
  if (conversationRole(interaction) !== 'answers' || asked === undefined || asked > at) return undefined;
  const stretch = splitBySilence(
    applyToConversation(conversation, interaction, silence)?.threads ?? [],
    silence,
  ).find(({ startedAt, lastAt }) => startedAt <= at && at <= lastAt);
  return { seconds: secondsBetween(asked, at), first: stretch !== undefined && firstAnswer(stretch) === at };
};

const firstAnswer = ({ asked, answers }: Thread): Instant | undefined =>
  asked === undefined ? undefined : answers.find((at) => at >= asked);

/** A person's present conversation, as agents see it. */
export interface ConversationView {
  /** `waiting`: for us. `answered`: we have said the last that was owed. `resolved`: closed by somebody, or silent since. */
  readonly state: 'waiting' | 'answered' | 'resolved';
  readonly startedAt: Instant;
  readonly lastAt: Instant;
  readonly channels: readonly Channel[];
  /** The oldest question that nobody has answered, however long the silence since. */
  readonly waitingSince?: Instant;
  readonly firstResponseSeconds?: number;
  readonly resolvedAt?: Instant;
  /** From the first question until somebody closed the conversation. */
  readonly resolutionSeconds?: number;
}

/** Undefined where nothing was ever said. `now` in epoch milliseconds. */
export const conversationView = (
  conversation: Conversation | undefined,
  silence: number,
  now: number,
): ConversationView | undefined => {
  const stretch = splitBySilence(conversation?.threads ?? [], silence).at(-1);
  if (conversation === undefined || stretch === undefined) return undefined;
  const { startedAt, lastAt, channels, asked } = stretch;
  const { closedAt, lastAsked = '' } = conversation;
  const [waitingSince] = conversation.open;
  const answer = firstAnswer(stretch);
  const byHand = closedAt !== undefined && closedAt >= lastAsked && closedAt >= startedAt;
  const silentSince = Date.parse(lastAt) + silence;
  const resolvedAt =
    waitingSince !== undefined
      ? undefined
      : byHand
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
      byHand &&
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
