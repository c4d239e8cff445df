import type { Relations } from '../../core/interaction/relation.ts';
import { targetOf } from '../../core/interaction/relation.ts';
import { suppressedMeasure, type TriggerAmounts } from '../../core/triggers/results/report.ts';
import type { TriggerCountable, TriggerFiguresStore } from '../aws/triggers/trigger-figures.ts';
import type { NotificationReport } from '../contracts/messages/projections.ts';
import type { Projection } from '../contracts/ports/projections.ts';
import type { InteractionRow } from '../contracts/rows/interactions.ts';

/** A message of a trigger and what has been reported about it so far. */
interface ReportedMessage {
  readonly notification: InteractionRow;
  readonly relations: Relations;
}

interface TriggerFiguresPorts {
  readonly store: Pick<TriggerFiguresStore, 'count'>;
  /** The hub's time zone, in which a day begins and ends. */
  readonly timeZone: () => Promise<string>;
  /** The messages of triggers among those with these ids of their providers, with what was reported about each. */
  readonly messages: (
    ids: readonly { readonly provider: string; readonly externalId: string }[],
  ) => Promise<readonly ReportedMessage[]>;
}

/** Counts what became of the notifications of each trigger: by day, template, reason, and each message's furthest stage. */
export const triggerFigures =
  ({ store, timeZone, messages }: TriggerFiguresPorts): Projection =>
  async ({ interactions, notifications }) => {
    const reported = interactions.flatMap(reportedMessage);
    const countables = [
      ...notifications.flatMap(countableReports),
      ...(reported.length > 0 ? await messages(reported) : []).flatMap(countableStages),
    ];
    if (countables.length > 0) await store.count(countables, await timeZone());
  };

const stages = new Set(['delivery-status', 'read', 'open', 'click']);

/** The message that an interaction reports a stage of; a notification itself, because a report may come before it. */
const reportedMessage = (interaction: InteractionRow): { provider: string; externalId: string }[] => {
  const { kind, provider, externalId } = interaction;
  const target = kind === 'notification' ? externalId : stages.has(kind) ? targetOf(interaction) : undefined;
  return target === undefined ? [] : [{ provider, externalId: target }];
};

const countableReports = (report: NotificationReport): TriggerCountable[] => {
  const { event, trigger, interaction, template, at, reason, waited, goal } = report;
  const of = (name: string, amounts: TriggerAmounts): TriggerCountable => ({
    ...{ id: `${name} ${trigger} ${interaction} ${at}`, trigger, template, at, amounts },
  });
  if (event === 'notification.waiting') return [of('trigger waits', { waits: 1 })];
  if (event === 'notification.goal-checked') {
    const group = reason === 'holdout' ? 'holdout' : 'goal';
    return [
      of('trigger goal', { [`${group}Checked`]: 1, ...(goal === 'reached' && { [`${group}Reached`]: 1 }) }),
    ];
  }
  const result: TriggerAmounts =
    event === 'notification.sent'
      ? { sent: 1 }
      : event === 'notification.failed'
        ? { failed: 1 }
        : { [suppressedMeasure(reason)]: 1 };
  return [
    of(`trigger ${event}`, result),
    // Once, however often it failed and was replayed.
    ...(waited === '' ? [] : [{ ...of('', { waited: 1 }), id: `trigger waited ${trigger} ${interaction}` }]),
  ];
};

const countableStages = ({ notification, relations }: ReportedMessage): TriggerCountable[] => {
  const { properties = {}, occurredAt: at } = notification;
  const { trigger, template, notification: id } = properties;
  if (typeof trigger !== 'string' || typeof id !== 'string') return [];
  const facts = Object.values(relations);
  const clicked = facts.some(({ kind }) => kind === 'click');
  const opened = clicked || facts.some(({ kind }) => kind === 'open' || kind === 'read');
  const delivered = opened || facts.some(({ status }) => status === 'delivered' || status === 'read');
  const reached = { delivered, opened, clicked };
  return Object.entries(reached).flatMap(([stage, isReached]) =>
    isReached
      ? [
          {
            ...{ id: `trigger ${stage} ${id}`, trigger, at, amounts: { [stage]: 1 } },
            template: typeof template === 'string' ? template : '',
          },
        ]
      : [],
  );
};
