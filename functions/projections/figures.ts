import { type Countable, countable } from '../../core/timeline/figures.ts';
import type { FiguresStore } from '../aws/customers/figures.ts';
import type { NotificationReport } from '../contracts/messages/projections.ts';
import type { Projection } from '../contracts/ports/projections.ts';

interface FiguresPorts {
  readonly store: Pick<FiguresStore, 'count'>;
  /** The hub's time zone, in which a day begins and ends. */
  readonly timeZone: () => Promise<string>;
}

/** Counts inbound and outbound interactions and unsent notifications, per channel and day. */
export const figures =
  ({ store, timeZone }: FiguresPorts): Projection =>
  async ({ interactions, notifications }) => {
    const countables = [
      ...interactions.flatMap((one) => countable(one, one.caused?.reply) ?? []),
      ...notifications.flatMap(countableUnsent),
    ];
    if (countables.length > 0) await store.count(countables, await timeZone());
  };

/** What was sent is counted by its interaction. */
const countableUnsent = ({
  event,
  trigger,
  interaction,
  step,
  channel,
  at,
}: NotificationReport): Countable[] =>
  event === 'notification.failed' || event === 'notification.suppressed'
    ? [
        {
          id: [event, trigger, interaction, ...(step === '' ? [] : [step]), at].join(' '),
          ...{ receivedAt: at, occurredAt: at },
          ...(channel !== '' && { channel }),
          amounts: event === 'notification.failed' ? { failed: 1 } : { suppressed: 1 },
        },
      ]
    : [];
