import type { HubConfig } from '../../../core/config/hub-config.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Notification, NotificationMessage } from '../../../core/triggers/notification.ts';
import { initialPace, type Line } from '../../../core/triggers/sending/pace.ts';
import type { Notifications } from '../../aws/triggers/notifications.ts';
import type { Failed, QueuedMessage } from '../../middleware/queue.ts';
import { sendersFor } from '../notify.ts';
import type { Held } from '../ports.ts';
import { type BatchSenders, type BatchSendersPorts, batchSenders } from './batch-senders.ts';
import { LONGEST_DELAY_MS, letWait, type Waiting, type WaitingPorts } from './waiting.ts';

export type QueuedNotification = QueuedMessage<NotificationMessage>;

export interface PacingPorts extends BatchSendersPorts, WaitingPorts {
  readonly notifications: Pick<Notifications, 'get' | 'getAll' | 'save'>;
  readonly hub: () => Promise<HubConfig>;
  /** Sends one notification through a sender, or says why it has to wait. */
  readonly notify: (
    queued: QueuedNotification,
    known: Notification | undefined,
    sender: string | undefined,
  ) => Promise<Held | undefined>;
  /** Whether the function has time for one more send. */
  readonly hasTime: () => boolean;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** SQS delays whole seconds, and a message may come a little before its slot. */
const SECOND_MS = 1000;
/** The pause of one message that its vendor could not take; it doubles each time. */
const FIRST_DEFERRAL_MS = 10_000;

/** A notification of a batch. */
interface Item {
  readonly queued: QueuedNotification;
  readonly row: Notification | undefined;
  /** Those that may send it, in the order in which they are tried; empty where it needs no slot. */
  readonly senders: readonly string[];
  /** The one whose slots it needs. */
  readonly sender: string | undefined;
}

/**
 * Sends a batch of notifications at the pace of their senders. One whose slot is later goes back to the queue as a new
 * message that comes at its slot, so that waiting costs no receive and ends in no dead letter; a wait of more than 15 minutes
 * is a timer, and is written down in the notification's row. A sender that takes nothing for now is passed over for the next
 * one of the channel. Resolves to the messages that failed.
 */
export const notifyAtPace =
  (ports: PacingPorts) =>
  async (batch: readonly QueuedNotification[]): Promise<Failed> => {
    const { now } = ports;
    const { items, senders } = await readBatch(ports, batch);
    const failed = new Map<string, unknown>();
    const waiting: Waiting[] = [];
    /** Takes slots. Resolves to those that may be sent now. */
    const book = async (wanted: readonly Item[], earliest: number): Promise<Item[]> => {
      const booked = await bookItems(senders, wanted, earliest);
      for (const [id, error] of booked.failed) failed.set(id, error);
      waiting.push(...booked.slots.filter(({ at }) => at > now()).map(waitingForSlot));
      return booked.slots.filter(({ at }) => at <= now()).map(({ item }) => item);
    };

    const again: Item[] = [];
    const due = [
      ...items.filter((item) => isDue(item, senders, now())),
      ...(await book(
        items.filter((item) => !isDue(item, senders, now())),
        now(),
      )),
    ];
    for (const item of due) {
      if ((item.sender !== undefined && senders.isPaused(item.sender)) || !ports.hasTime()) {
        again.push(item);
        continue;
      }
      try {
        await ports.sleep(Math.max(0, Date.parse(item.queued.message.notBefore ?? '') - now() || 0));
        const held = await ports.notify(item.queued, item.row, item.sender);
        if (held === undefined) {
          if (item.sender !== undefined) await senders.worked(item.sender);
          continue;
        }
        const outcome = await hold(item, held, senders, now);
        if ('at' in outcome) waiting.push(outcome);
        else again.push(outcome);
      } catch (error) {
        failed.set(item.queued.id, error);
      }
    }
    // The vendor has refused these at this moment, so that they take slots from the next second on.
    const later = again.map((item) => ({ ...item, sender: senders.choose(item.senders) ?? item.sender }));
    for (const item of await book(later, now() + SECOND_MS))
      waiting.push(waitingForSlot({ item, at: now() + SECOND_MS }));
    for (const [id, error] of await letWait(ports, waiting)) failed.set(id, error);
    return failed;
  };

const readBatch = async (
  ports: PacingPorts,
  batch: readonly QueuedNotification[],
): Promise<{ readonly items: readonly Item[]; readonly senders: BatchSenders }> => {
  const hub = await ports.hub();
  const rows = await ports.notifications.getAll(batch.map(({ message }) => message));
  const found = batch.map((queued, at) => {
    const row = rows[at];
    return { queued, row, senders: row && needsSlot(row, queued.message) ? sendersFor(row, hub) : [] };
  });
  const senders = await batchSenders(
    ports,
    hub,
    found.flatMap((one) => one.senders),
  );
  return { senders, items: found.map((one) => ({ ...one, sender: senders.choose(one.senders) })) };
};

/** Only what is yet to be sent takes a slot; the rest of a send that was interrupted does not wait. */
const needsSlot = ({ status, replays = 0 }: Notification, { replay = 0 }: NotificationMessage): boolean =>
  status === 'reserved' || (status === 'failed' && replay > replays);

const isDue = ({ sender, queued }: Item, senders: BatchSenders, now: number): boolean => {
  const { notBefore } = queued.message;
  if (sender === undefined) return true;
  return notBefore !== undefined && Date.parse(notBefore) <= now + SECOND_MS && !senders.isPaused(sender);
};

/** An item with its slot, in epoch milliseconds. */
interface Slot {
  readonly item: Item;
  readonly at: number;
}

const lineOf = ({ row }: Item): Line => (row?.category === 'transactional' ? 'transactional' : 'others');

/** Takes a slot for each item; what the daily limit of a sender leaves over goes through the next one of its channel. */
const bookItems = async (
  senders: BatchSenders,
  wanted: readonly Item[],
  earliest: number,
): Promise<{ readonly slots: readonly Slot[]; readonly failed: ReadonlyMap<string, unknown> }> => {
  const slots: Slot[] = [];
  const failed = new Map<string, unknown>();
  let open = wanted;
  while (open.length > 0) {
    const left: Item[] = [];
    const groups = Map.groupBy(open, (item) => JSON.stringify([lineOf(item), item.sender, item.senders]));
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const { sender = '' } = first;
      const line = lineOf(first);
      const others = first.senders.slice(first.senders.indexOf(sender) + 1);
      const isReplaceable = others.length > 0;
      try {
        const booked = await senders.book(sender, { line, count: group.length, earliest, isReplaceable });
        slots.push(
          ...group.slice(0, booked.length).map((item, at) => ({ item, at: booked[at] ?? earliest })),
        );
        left.push(...group.slice(booked.length).map((item) => ({ ...item, sender: senders.choose(others) })));
      } catch (error) {
        for (const { queued } of group) failed.set(queued.id, error);
      }
    }
    open = left;
  }
  return { slots, failed };
};

/** What a notification that its sender did not take waits for: a new slot, or a time. */
const hold = async (
  item: Item,
  held: Held,
  senders: BatchSenders,
  now: () => number,
): Promise<Item | Waiting> => {
  const { notBefore: _, ...message } = item.queued.message;
  const replaces = item.queued.id;
  if ('quietUntil' in held) return { replaces, message, at: held.quietUntil, because: 'quiet hours' };
  const { by, sender = '' } = held;
  if (by.why === 'rate') return { ...item, sender };
  if ((by.why === 'account' || by.why === 'down') && (await senders.refused(sender, by)))
    return { ...item, sender };
  const deferrals = (message.deferrals ?? 0) + 1;
  const asked = typeof by.retry === 'object' ? by.retry.afterSeconds * SECOND_MS : 0;
  const pause = Math.min(LONGEST_DELAY_MS, FIRST_DEFERRAL_MS * 2 ** Math.min(deferrals - 1, 10));
  return {
    replaces,
    message: { ...message, deferrals },
    at: now() + Math.max(asked, pause),
    because: by.message,
  };
};

const waitingForSlot = ({ item, at }: Slot): Waiting => ({
  replaces: item.queued.id,
  message: { ...item.queued.message, notBefore: instant(at) },
  at,
  because: `the next free slot of ${item.sender}`,
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
