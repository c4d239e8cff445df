import type { RecordedAnswer } from '../../consent/evidence.ts';
import type { Interaction } from '../../interaction/interaction.ts';
import type { Check } from '../checks.ts';
import type { Notification } from '../notification.ts';
import type { Trigger } from '../trigger.ts';
import { lengthWords, timeWords } from './words.ts';

/** What is said of a decision beside its row. */
export interface DecisionContext {
  /** The version that decided; absent where it is not stored. */
  readonly trigger: Pick<Trigger, 'id' | 'name' | 'category'> | undefined;
  /** Absent where it has expired. */
  readonly cause: Pick<Interaction, 'kind' | 'channel' | 'provider' | 'occurredAt'> | undefined;
  /** The answer about the channel of the message that counted then; left out, nothing is said of consent. */
  readonly consent?: string;
}

/** A decision in one sentence: what became of it and why. */
export const summaryOf = ({ status, reason, channel, until, at, steps }: Notification): string => {
  const by = channel === undefined ? '' : ` by ${channel}`;
  if (status === 'sent') return `Sent${by} at ${timeWords(at)}.`;
  if (status === 'suppressed') return `Not sent: ${reasonWords(reason, channel)}`;
  if (status === 'failed') return `Not sent: sending${by} failed (${reason ?? 'unknown-failure'}).`;
  if (status === 'waiting')
    return steps.at(-1)?.step === 'quiet hours'
      ? `Deferred by quiet hours until ${timeWords(until ?? at)}.`
      : `Waits until ${timeWords(until ?? at)}.`;
  return until === undefined
    ? `Decided to send${by}; on its way.`
    : `Decided to send${by}; its sender takes it at ${timeWords(until)} or later.`;
};

const reasons: Readonly<Record<string, string>> = {
  condition: 'a condition of `where` did not hold',
  'no-address': 'the customer has no address for it',
  'address-closed': 'the address is closed by a STOP, a hard bounce or a complaint',
  'no-consent': 'the consent does not allow it',
  'channel-closed':
    'the customer has not written on WhatsApp in the last 24 h, and the template is not an approved one',
  'no-template': 'the template has no text for it',
  'frequency-cap': 'as many messages as a limit allows were sent already',
  'claim-cap': 'interactions that nobody vouches for have caused as many messages as `claims` allows',
  holdout: 'the customer is in the holdout, which gets nothing so that it can be compared',
  cancelled: 'an interaction that `unless` names came first',
  paused: 'the trigger was paused',
  erased: 'the person was erased',
  expired: 'it was too late',
};

/** Why a message was held back, as a sentence. */
export const reasonWords = (reason = 'unknown', channel?: string): string =>
  `${reasons[reason] ?? reason} (${reason}${channel === undefined ? '' : `, ${channel}`}).`;

/** An answer about consent with its evidence; undefined: none was ever given. */
export const consentWords = (channel: string, answer: RecordedAnswer | undefined): string => {
  if (answer === undefined) return `Nobody had answered about consent for ${channel}.`;
  const { evidence } = answer;
  const how =
    evidence.type === 'interaction'
      ? `${evidence.kind} by ${evidence.provider}${evidence.word === undefined ? '' : ` (${evidence.word})`}${evidence.address === undefined ? '' : ` from ${evidence.address}`}`
      : `${evidence.type} by ${evidence.by}${evidence.text === undefined ? '' : `: ${evidence.text}`}`;
  return `Consent for ${channel} was ${answer.to} since ${timeWords(answer.at)}, by the ${how} (${answer.source}).`;
};

/** A decision in plain sentences: what set it off, each check with the values compared, and what became of it. */
export const explain = (
  notification: Notification,
  { trigger, cause, consent }: DecisionContext,
): string[] => {
  const { triggerVersion, category, arrivedAt, decidedAt, at, addresses = [] } = notification;
  const name = trigger?.name === undefined ? '' : ` (${trigger.name})`;
  const event =
    cause === undefined
      ? `an interaction of ${timeWords(notification.occurredAt)} that is not stored any more`
      : `the ${cause.kind} on ${cause.channel} (${cause.provider}) of ${timeWords(cause.occurredAt)}`;
  return [
    `Version ${triggerVersion} of ${notification.trigger}${name}, ${category}, was set off by ${event}, which arrived at ${timeWords(arrivedAt)}.`,
    `Decided at ${timeWords(decidedAt ?? at)}:`,
    ...notification.steps.map(stepWords),
    ...(consent === undefined ? [] : [consent]),
    summaryOf(notification),
    ...(notification.status === 'sent' && addresses.length > 0
      ? [`It went to ${addresses.join(', ')}.`]
      : []),
    ...(notification.goal === undefined
      ? []
      : [
          notification.goal.interaction === null
            ? 'Its goal was not reached in time.'
            : `Its goal was reached by ${notification.goal.interaction}.`,
        ]),
  ];
};

/** One check in a sentence; a row of an earlier release has words alone. */
export const stepWords = ({ step, result, values = {} }: Check): string => {
  const text = (key: string): string => {
    const value = values[key];
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  const [, kind = step, name = ''] = /^(\S+) (.*)$/su.exec(step) ?? [];
  if (values['within'] !== undefined) {
    const bounds = (['atLeast', 'atMost', 'exactly'] as const).flatMap((bound) =>
      values[bound] === undefined ? [] : [`${boundWords[bound]} ${text(bound)}`],
    );
    return `Interactions like ${name} in the ${lengthWords(Number(values['within']))} before: ${result}; ${bounds.join(' and ')} needed.`;
  }
  if (values['found'] !== undefined)
    return `The profile ${result === 'holds' ? 'fits' : 'does not fit'} ${name}: it had ${text('found')}.`;
  if (kind === 'channel') {
    const consent = values['consent'] === undefined ? '' : `; consent was ${text('consent')}`;
    return result === 'chosen'
      ? `The channel ${name} was chosen${consent}.`
      : `The channel ${name} was passed over: ${reasons[result] ?? result} (${result})${consent}.`;
  }
  if (values['window'] !== undefined) {
    const limit = step === 'cap' ? 'the cap of its category' : 'the limit per customer';
    return `Of ${limit}, ${text('most')} in ${lengthWords(Number(values['window']))}, ${text('count')} were used.`;
  }
  if (step === 'quiet hours' && values['zone'] !== undefined)
    return `It was quiet for the customer (${text('zone')}) until ${timeWords(text('until'))}.`;
  if (step === 'wait' && values['until'] !== undefined) return `It waited until ${timeWords(text('until'))}.`;
  if (step === 'unless')
    return values['kind'] === undefined
      ? `Whether something of \`unless\` came meanwhile: ${result}.`
      : `The ${text('kind')} of ${timeWords(text('occurredAt'))} is what \`unless\` names.`;
  return `${step}: ${result}.`;
};

const boundWords = { atLeast: 'at least', atMost: 'at most', exactly: 'exactly' } as const;
