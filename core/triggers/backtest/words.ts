import type { HubConfig } from '../../config/hub-config.ts';
import type { Trigger } from '../trigger.ts';
import { reasonWords } from '../why/sentences.ts';
import { lengthWords, timeWords } from '../why/words.ts';
import type { BacktestOutcome } from './tally.ts';

/** How long before the days of a backtest the history is read for what waits for an answer. */
export const CONVERSATION_LEAD_MS = 30 * 86_400_000;

/** Whether a trigger asks for what waits for an answer, or for stored notifications. */
export const asksFor = (
  { on, where, unless }: Pick<Trigger, 'on' | 'where' | 'unless'>,
  word: 'conversation' | 'notification',
): boolean => JSON.stringify([on, where, unless]).includes(`"${word}"`);

/** What the stored history cannot say about a trigger, so that a backtest of it differs from what would have been; as sentences. */
export const unknownTo = (
  trigger: Trigger,
  { retention }: Pick<HubConfig, 'retention'>,
  { days, guests }: { readonly days: number; readonly guests: number },
): string[] => [
  'Who is one person, which identifiers they have, and hub.yaml are as they are now. Whoever was erased is not counted.',
  'An address that a bounce or a complaint had closed and that is open now counts as open. What the other owners of an address have answered, and of an address that somebody only claimed all but the last answer, is as it is now.',
  'Of a person who was merged from several records the last answer about consent counts; of a STOP that arrived after a START that was given later, the STOP.',
  'It is played as if the trigger had been published and never paused on these days. That a sender refuses a message, and messages that wait since before these days, are not played.',
  ...(days * 86_400_000 > retention.interactions
    ? [
        `Interactions are kept for ${lengthWords(retention.interactions)}: of the days before, nothing is known.`,
      ]
    : []),
  ...(trigger.once === undefined ? [] : ['`once`: what was used up before these days is not known.']),
  ...(trigger.anyone
    ? [
        '`anyone`: what the interactions of several guests send to one person is limited for each guest alone.',
      ]
    : []),
  ...(asksFor(trigger, 'conversation')
    ? [
        `What waits for an answer is known for questions of the last ${lengthWords(CONVERSATION_LEAD_MS)} before these days; of the conversations that staff closed by hand, only the last closing.`,
      ]
    : []),
  ...(asksFor(trigger, 'notification')
    ? ['Notifications in the history are those that were really sent, not those of this backtest.']
    : []),
  ...(guests > 0
    ? [
        'Messages to guests count against `claims` of the hub with those that were really sent; those of this backtest to other guests are not counted.',
      ]
    : []),
];

/** What would have become of one message, in one sentence. */
export const outcomeSentence = ({ outcome, reason, channel, at, deferred }: BacktestOutcome): string => {
  const after = deferred ? ', after quiet hours' : '';
  if (outcome === 'waiting') return `It would still wait, until ${timeWords(at)}${after}.`;
  if (outcome === 'sent') return `Sent by ${channel ?? 'no channel'}${after}.`;
  return `Held back${after}: ${reasonWords(reason, channel)}`;
};
