import type { HubConfig } from '../../../core/config/hub-config.ts';
import { instant } from '../../../core/interaction/interaction.ts';
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
} from '../../../core/triggers/sending/pace.ts';
import type { NotNow, Sender } from '../../../core/triggers/sending/sender.ts';
import type { Paces } from '../../aws/triggers/paces.ts';
import type { SenderStops } from './sender-stops.ts';

export interface BatchSendersPorts {
  readonly paces: Paces;
  readonly stops: SenderStops;
  readonly sender: (id: string) => Sender | undefined;
  readonly now: () => number;
}

/** What vendors say of an account is asked for again after this time. */
const QUOTA_FRESH_MS = 900_000;

/** The senders that the notifications of a batch may go through, with their paces as this batch knows them. */
export interface BatchSenders {
  /** Whether a sender takes nothing for now. */
  isPaused(sender: string): boolean;
  /** The first of several that takes messages now, else the first. */
  choose(senders: readonly string[]): string | undefined;
  /**
   * Takes slots of a sender, in epoch milliseconds, and resolves to them. With `isReplaceable` those are left out that its
   * daily limit would move: another sender has them.
   */
  book(
    sender: string,
    wanted: {
      readonly line: Line;
      readonly count: number;
      readonly earliest: number;
      readonly isReplaceable: boolean;
    },
  ): Promise<readonly number[]>;
  /** Notes that a sender could not take a message; resolves to whether it is paused. */
  refused(sender: string, by: NotNow): Promise<boolean>;
  /** Notes that a sender has sent a message. */
  worked(sender: string): Promise<void>;
}

/** `senders`: all whose paces may be needed. */
export const batchSenders = async (
  { paces, stops, sender: built, now }: BatchSendersPorts,
  hub: HubConfig,
  senders: readonly string[],
): Promise<BatchSenders> => {
  const known = await paces.read([...new Set(senders)]);
  const paceOf = (sender: string): Pace => known.get(sender) ?? initialPace;
  const change = async (sender: string, next: (pace: Pace) => Pace): Promise<Pace> => {
    const changed = await paces.change(sender, paceOf(sender), next);
    known.set(sender, changed);
    return changed;
  };
  const isPaused = (sender: string): boolean => paceOf(sender).pausedUntil > now();
  const isFree = (sender: string): boolean => !isPaused(sender) && (paceOf(sender).stop?.until ?? 0) <= now();

  return {
    isPaused,
    choose: (several) => several.find(isFree) ?? several[0],
    async book(sender, { line, count, earliest, isReplaceable }) {
      const configured = Object.values(hub.senders).find(({ use }) => use.includes(sender)) ?? {};
      const quota = isQuotaNeeded(configured, paceOf(sender), now())
        ? await stops.quota(built(sender))
        : undefined;
      let booked: ReturnType<typeof bookSlots> | undefined;
      const pace = await change(sender, (present) => {
        const observed = quota === undefined ? present : observeAccount(present, quota, now());
        const limits = sendingLimitsOf(configured, observed, built(sender)?.usual);
        if (!isPaced(limits, observed, now())) {
          booked = { pace: observed, slots: Array<number>(count).fill(earliest) };
          return observed;
        }
        const all = bookSlots(observed, limits, line, count, earliest);
        const { fullUntil } = all;
        if (fullUntil === undefined) {
          booked = all;
          return all.pace;
        }
        const fitting = all.slots.filter((slot) => slot < fullUntil).length;
        const kept = isReplaceable ? bookSlots(observed, limits, line, fitting, earliest) : all;
        booked = { ...kept, fullUntil };
        const reason = `${sender} has sent, or has promised to send, the ${limits.daily} messages that it may send in 24 hours. The next are sent from ${instant(fullUntil)} on${isReplaceable ? ', and until then through the other senders of the channel' : ''}. Have the limit raised by the vendor, or raise \`daily\` in hub.yaml.`;
        return dailyLimitReached(kept.pace, { reason, until: fullUntil }, now());
      });
      if (booked?.fullUntil !== undefined) await stops.announce(sender, pace);
      return booked?.slots ?? [];
    },
    async refused(sender, { why, message }) {
      const quota = why === 'account' ? await stops.quota(built(sender)) : undefined;
      const pace = await change(sender, (present) => {
        const observed = quota === undefined ? present : observeAccount(present, quota, now());
        return senderRefused(observed, why === 'account' ? why : 'down', message, now());
      });
      if (pace.stop !== undefined && (why === 'account' || pace.stop.tries > 1))
        await stops.announce(sender, pace);
      return pace.pausedUntil > now();
    },
    async worked(sender) {
      const pace = paceOf(sender);
      if (!endsStop(pace, now())) return;
      await stops.end(sender, pace, () => change(sender, (present) => senderWorked(present, now())));
    },
  };
};

const isQuotaNeeded = (
  { rate, daily }: { readonly rate?: unknown; readonly daily?: unknown },
  { account }: Pace,
  now: number,
): boolean =>
  (rate === undefined || daily === undefined) &&
  (account === undefined || account.at + QUOTA_FRESH_MS <= now);
