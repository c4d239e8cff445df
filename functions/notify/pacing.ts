import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { instant } from '../../core/interaction/interaction.ts';
import type { Notification, NotificationMessage } from '../../core/triggers/notification.ts';
import {
  bookSlots,
  dailyLimitReached,
  endsStop,
  initialPace,
  isPaced,
  type Line,
  observeAccount,
  type Pace,
  senderRefused,
  senderWorked,
  sendingLimitsOf,
} from '../../core/triggers/pace.ts';
import type { NotNow, Sender } from '../../core/triggers/sender.ts';
import type { Notifications } from '../aws/triggers/notifications.ts';
import type { Paces } from '../aws/triggers/paces.ts';
import type { Failed, QueuedMessage } from '../middleware/queue.ts';
import { senderIdOf } from './notify.ts';
import type { Held } from './ports.ts';
import type { SenderStops } from './sender-stops.ts';

export type QueuedNotification = QueuedMessage<NotificationMessage>;

export interface PacingPorts {
  readonly notifications: Pick<Notifications, 'get' | 'getAll' | 'save'>;
  readonly paces: Paces;
  readonly stops: SenderStops;
  readonly hub: () => Promise<HubConfig>;
  readonly sender: (id: string) => Sender | undefined;
  /** Sends one notification, or says why it has to wait. */
  readonly notify: (queued: QueuedNotification, known: Notification | undefined) => Promise<Held | undefined>;
  /** Puts messages back on the queue; resolves to the positions of those that it did not accept. */
  readonly requeue: (
    messages: readonly { readonly message: NotificationMessage; readonly delaySeconds: number }[],
  ) => Promise<ReadonlySet<number>>;
  /** Sets a timer that puts a message on the queue. Idempotent. `at`: epoch milliseconds. */
  readonly schedule: (message: NotificationMessage, at: number) => Promise<void>;
  /** Whether the function has time for one more send. */
  readonly hasTime: () => boolean;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The longest delay of a message in a queue; a longer wait is a timer's. */
const LONGEST_DELAY_MS = 900_000;
/** SQS delays whole seconds, and a message may come a little before its slot. */
const SECOND_MS = 1000;
/** The pause of one message that its vendor could not take; it doubles each time. */
const FIRST_DEFERRAL_MS = 10_000;
/** What the vendor says of the account is asked for again after this time. */
const QUOTA_FRESH_MS = 900_000;

/** A notification of a batch, with the sender whose slots it needs. */
interface Item {
  readonly queued: QueuedNotification;
  readonly row: Notification | undefined;
  readonly sender: string | undefined;
}

/** A notification that waits. `at`: epoch milliseconds. */
interface Waiting {
  readonly item: Item;
  readonly message: NotificationMessage;
  readonly at: number;
  /** Why, for the notification's own row, where it waits long. */
  readonly because: string;
}

/**
 * Sends a batch of notifications at the pace of their senders. One whose slot is later goes back to the queue as a new
 * message that comes at its slot, so that waiting costs no receive and ends in no dead letter; a wait of more than 15 minutes
 * is a timer, and is written down in the notification's row. Resolves to the messages that failed.
 */
export const notifyAtPace =
  (ports: PacingPorts) =>
  async (batch: readonly QueuedNotification[]): Promise<Failed> => {
    const { now } = ports;
    const hub = await ports.hub();
    const rows = await ports.notifications.getAll(batch.map(({ message }) => message));
    const items = batch.map((queued, at): Item => {
      const row = rows[at];
      return {
        queued,
        row,
        sender: row && needsSlot(row, queued.message) ? senderIdOf(row, hub) : undefined,
      };
    });
    const paces = await ports.paces.read([...new Set(items.flatMap(({ sender }) => sender ?? []))]);
    const paceOf = (sender = ''): Pace => paces.get(sender) ?? initialPace;
    const isPaused = ({ sender }: Item): boolean => paceOf(sender).pausedUntil > now();
    const change = async (sender: string, next: (pace: Pace) => Pace): Promise<Pace> => {
      const changed = await ports.paces.change(sender, paceOf(sender), next);
      paces.set(sender, changed);
      return changed;
    };

    const failed = new Map<string, unknown>();
    const waiting: Waiting[] = [];
    /** Takes slots. Resolves to those that may be sent now. */
    const book = async (wanted: readonly Item[], earliest: number): Promise<Item[]> => {
      const due: Item[] = [];
      for (const [key, group] of Map.groupBy(wanted, (item) => `${lineOf(item)} ${item.sender}`)) {
        const [line, sender = ''] = key.split(' ') as [Line, string];
        try {
          const slots = await slotsFor(sender, line, group.length, earliest);
          for (const [position, item] of group.entries()) {
            const at = slots[position] ?? earliest;
            if (at <= now()) due.push(item);
            else waiting.push(waitingForSlot(item, at));
          }
        } catch (error) {
          for (const { queued } of group) failed.set(queued.id, error);
        }
      }
      return due;
    };
    const slotsFor = async (
      sender: string,
      line: Line,
      count: number,
      earliest: number,
    ): Promise<readonly number[]> => {
      const built = ports.sender(sender);
      const configured = Object.values(hub.senders).find(({ use }) => use === sender) ?? {};
      const quota = isQuotaNeeded(configured, paceOf(sender), now())
        ? await ports.stops.quota(built)
        : undefined;
      let booked: ReturnType<typeof bookSlots> | undefined;
      const pace = await change(sender, (present) => {
        const known = quota === undefined ? present : observeAccount(present, quota, now());
        const limits = sendingLimitsOf(configured, known, built?.usual);
        booked = isPaced(limits, known, now())
          ? bookSlots(known, limits, line, count, earliest)
          : { pace: known, slots: [] };
        const { fullUntil } = booked;
        if (fullUntil === undefined) return booked.pace;
        const reason = `${sender} has sent, or has promised to send, the ${limits.daily} messages that it may send in 24 hours. The next are sent from ${instant(fullUntil)} on. Have the limit raised by the vendor, or raise \`daily\` in hub.yaml.`;
        return dailyLimitReached(booked.pace, { reason, until: fullUntil }, now());
      });
      if (booked?.fullUntil !== undefined && pace.stop !== undefined)
        await ports.stops.announce(sender, pace.stop);
      return booked?.slots ?? [];
    };
    const hold = async (item: Item, held: Held): Promise<Item[]> => {
      const { notBefore: _, ...message } = item.queued.message;
      if ('quietUntil' in held) {
        waiting.push({ item, message, at: held.quietUntil, because: 'quiet hours' });
        return [];
      }
      const { by, sender = '' } = held;
      if (by.why === 'rate') return [{ ...item, sender }];
      if (by.why === 'account' || by.why === 'down') {
        const pace = await noteRefusal(sender, by);
        if (pace.pausedUntil > now()) return [{ ...item, sender }];
      }
      const deferrals = (message.deferrals ?? 0) + 1;
      const asked = typeof by.retry === 'object' ? by.retry.afterSeconds * SECOND_MS : 0;
      const wait = Math.max(
        asked,
        Math.min(LONGEST_DELAY_MS, FIRST_DEFERRAL_MS * 2 ** Math.min(deferrals - 1, 10)),
      );
      waiting.push({ item, message: { ...message, deferrals }, at: now() + wait, because: by.message });
      return [];
    };
    const noteRefusal = async (sender: string, { why, message }: NotNow): Promise<Pace> => {
      const quota = why === 'account' ? await ports.stops.quota(ports.sender(sender)) : undefined;
      const pace = await change(sender, (present) => {
        const known = quota === undefined ? present : observeAccount(present, quota, now());
        return senderRefused(known, why === 'account' ? why : 'down', message, now());
      });
      if (pace.stop !== undefined && (why === 'account' || pace.stop.tries > 1))
        await ports.stops.announce(sender, pace.stop);
      return pace;
    };
    const isDue = (item: Item): boolean => {
      const { notBefore } = item.queued.message;
      if (item.sender === undefined) return true;
      return notBefore !== undefined && Date.parse(notBefore) <= now() + SECOND_MS && !isPaused(item);
    };

    const due = [
      ...items.filter(isDue),
      ...(await book(
        items.filter((item) => !isDue(item)),
        now(),
      )),
    ];
    const again: Item[] = [];
    for (const item of due) {
      if (isPaused(item) || !ports.hasTime()) {
        again.push(item);
        continue;
      }
      try {
        await ports.sleep(Math.max(0, Date.parse(item.queued.message.notBefore ?? '') - now() || 0));
        const held = await ports.notify(item.queued, item.row);
        if (held !== undefined) again.push(...(await hold(item, held)));
        else if (item.sender !== undefined && endsStop(paceOf(item.sender), now()))
          await ports.stops.end(item.sender, paceOf(item.sender).stop, () =>
            change(item.sender ?? '', (pace) => senderWorked(pace, now())),
          );
      } catch (error) {
        failed.set(item.queued.id, error);
      }
    }
    // The vendor has refused these at this moment, so that they take slots from the next second on.
    for (const item of await book(again, now() + SECOND_MS))
      waiting.push(waitingForSlot(item, now() + SECOND_MS));
    await putBack(ports, waiting, failed);
    return failed;
  };

/** Only what is yet to be sent takes a slot; the rest of a send that was interrupted does not wait. */
const needsSlot = ({ status, replays = 0 }: Notification, { replay = 0 }: NotificationMessage): boolean =>
  status === 'reserved' || (status === 'failed' && replay > replays);

const lineOf = ({ row }: Item): Line => (row?.category === 'transactional' ? 'transactional' : 'others');

const waitingForSlot = (item: Item, at: number): Waiting => ({
  item,
  message: { ...item.queued.message, notBefore: instant(at) },
  at,
  because: `the next free slot of ${item.sender}`,
});

const isQuotaNeeded = (
  { rate, daily }: { readonly rate?: unknown; readonly daily?: unknown },
  { account }: Pace,
  now: number,
): boolean =>
  (rate === undefined || daily === undefined) &&
  (account === undefined || account.at + QUOTA_FRESH_MS <= now);

const putBack = async (
  ports: PacingPorts,
  waiting: readonly Waiting[],
  failed: Map<string, unknown>,
): Promise<void> => {
  const now = ports.now();
  const short = waiting.filter(({ at }) => at - now <= LONGEST_DELAY_MS);
  for (const one of waiting.filter(({ at }) => at - now > LONGEST_DELAY_MS))
    try {
      await waitLong(ports, one);
    } catch (error) {
      failed.set(one.item.queued.id, error);
    }
  if (short.length === 0) return;
  const refused = await ports.requeue(
    short.map(({ message, at }) => ({ message, delaySeconds: Math.ceil((at - now) / SECOND_MS) })),
  );
  for (const position of refused) failed.set(short[position]?.item.queued.id ?? '', notEnqueued());
};

/** The row says until when, and why, before the timer is set: a crash in between repeats both. */
const waitLong = async (ports: PacingPorts, { message, at, because }: Waiting): Promise<void> => {
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

/** Ends the pause of a sender, so that the next message finds out whether it takes messages again. */
export const endPause = async (
  { paces, now }: Pick<PacingPorts, 'paces' | 'now'>,
  sender: string,
): Promise<void> => {
  const present = (await paces.read([sender])).get(sender) ?? initialPace;
  await paces.change(sender, present, (pace) =>
    pace.stop === undefined ? pace : { ...pace, pausedUntil: 0, stop: { ...pace.stop, until: now() } },
  );
};
