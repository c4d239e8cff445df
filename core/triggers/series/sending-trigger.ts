import type { SendingTrigger, Trigger } from '../trigger.ts';
import { seriesOf } from './steps.ts';

/**
 * A trigger as it decides about the message of one step, by default of the first that has one; itself where it is no series. What the series counts as a whole, its
 * entries, is no limit of a message. Throws where it has no such message.
 */
export const sendingTrigger = (trigger: Trigger, step: string | undefined): SendingTrigger => {
  const { steps: _, exit, holdout, send, wait: __, until: ___, limits, ...rest } = trigger;
  if (send !== undefined) return { ...trigger, send };
  const series = seriesOf(trigger);
  const found = (step === undefined ? [...series.values()].find((stop) => stop.step.send) : series.get(step))
    ?.step.send;
  if (found === undefined) throw new Error(`The trigger ${trigger.id} has no message ${step ?? ''}.`);
  const { perCustomer: ____, ...ofMessages } = limits;
  return { ...rest, limits: ofMessages, unless: exit, send: { ...found, holdout } };
};
