import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { NotificationMessage } from '../../../core/triggers/notification.ts';
import type { Notifications } from '../../aws/triggers/notifications.ts';

/** The longest delay of a message in a queue; a longer wait is a timer's. */
export const LONGEST_DELAY_MS = 900_000;
const SECOND_MS = 1000;

/** A notification that waits. */
export interface Waiting {
  /** The message of the queue that its new message replaces. */
  readonly replaces: string;
  readonly message: NotificationMessage;
  /** When its new message comes, in epoch milliseconds. */
  readonly at: number;
  /** Why, for the notification's own row, where it waits long. */
  readonly because: string;
}

export interface WaitingPorts {
  readonly notifications: Pick<Notifications, 'get' | 'save'>;
  /** Puts messages back on the queue; resolves to the positions of those that it did not accept. */
  readonly requeue: (
    messages: readonly { readonly message: NotificationMessage; readonly delaySeconds: number }[],
  ) => Promise<ReadonlySet<number>>;
  /** Sets a timer that puts a message on the queue. Idempotent. `at`: epoch milliseconds. */
  readonly schedule: (message: NotificationMessage, at: number) => Promise<void>;
  readonly now: () => number;
}

/** Lets notifications wait. Resolves to the errors of those that could not be put back, by the messages they replace. */
export const letWait = async (
  ports: WaitingPorts,
  waiting: readonly Waiting[],
): Promise<Map<string, unknown>> => {
  const now = ports.now();
  const failed = new Map<string, unknown>();
  const short = waiting.filter(({ at }) => at - now <= LONGEST_DELAY_MS);
  for (const one of waiting.filter(({ at }) => at - now > LONGEST_DELAY_MS))
    try {
      await waitLong(ports, one);
    } catch (error) {
      failed.set(one.replaces, error);
    }
  if (short.length === 0) return failed;
  const refused = await ports.requeue(
    short.map(({ message, at }) => ({ message, delaySeconds: Math.ceil((at - now) / SECOND_MS) })),
  );
  for (const position of refused) failed.set(short[position]?.replaces ?? '', notEnqueued());
  return failed;
};

/** The row says until when, and why, before the timer is set: a crash in between repeats both. */
const waitLong = async (ports: WaitingPorts, { message, at, because }: Waiting): Promise<void> => {
  const row = await ports.notifications.get(message);
  if (row?.status === 'reserved') {
    const until = instant(at);
    const steps = [...row.steps, { step: 'pace', result: `waits until ${until}: ${because}` }];
    await ports.notifications.save({ ...row, until, steps });
  }
  await ports.schedule(message, at);
};

const notEnqueued = (): HubError =>
  new HubError('enqueue-failure', 'SQS did not take the message back. It is retried automatically.', {
    retry: 'later',
  });
