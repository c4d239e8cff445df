import { instant } from '../../../core/interaction/interaction.ts';
import type { SenderMessage } from '../../../core/triggers/notification.ts';
import { type AccountQuota, type Pace, senderStatus } from '../../../core/triggers/sending/pace.ts';
import type { Sender } from '../../../core/triggers/sending/sender.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { closeFailure, saveFailure } from '../../aws/operations/failure-rows.ts';
import { senderChanged } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import { log } from '../../contracts/log.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { notifyStage } from '../../contracts/stages/notify.ts';

/** How people learn that a sender takes no messages for now, or takes them again. */
export interface SenderStops {
  /** What the vendor says of the account; undefined where it cannot be asked, which is logged. */
  quota(sender: Sender | undefined): Promise<AccountQuota | undefined>;
  /**
   * Stores one failure for the stop of a pace, however often it is announced, publishes `connection.changed` and logs what
   * the alarm counts.
   */
  announce(sender: string, pace: Pace): Promise<void>;
  /** Closes the failure of a stop that is over, publishes `connection.changed`, then stores that it is over. */
  end(sender: string, pace: Pace, store: () => Promise<unknown>): Promise<void>;
}

/** Who closes a failure whose cause is gone. */
const HUB = 'the hub';

export const senderStops = (
  runtime: Runtime,
  table: Table,
  publish: (event: BusEvent) => Promise<void>,
): SenderStops => {
  const save = saveFailure(runtime, table);
  const close = closeFailure(runtime, table);
  return {
    async quota(sender) {
      if (sender?.quota === undefined) return undefined;
      try {
        return await sender.quota();
      } catch (error) {
        log('warn', 'unknown-quota', { sender: sender.id }, error);
        return undefined;
      }
    },
    async announce(sender, pace) {
      if (pace.stop === undefined) return;
      const { since, reason, tries } = pace.stop;
      const stopped = { code: 'stopped-sender', origin: 'refused' } as const;
      await save(notifyStage, { ...stopped, reason, payload: payloadOf(sender), occurrence: since, tries });
      await publish(senderChanged(sender, senderStatus(pace), { since, reason }, instant(runtime.now())));
      log('error', 'stopped-sender', { sender, since });
    },
    async end(sender, { stop }, store) {
      const isClosed = stop !== undefined && (await close(notifyStage, payloadOf(sender), HUB));
      if (isClosed) await publish(senderChanged(sender, 'working', stop, instant(runtime.now())));
      await store();
      if (isClosed) log('info', 'working-sender', { sender, since: stop.since });
    },
  };
};

const payloadOf = (sender: string): string => {
  const message: SenderMessage = { sender };
  return JSON.stringify(message);
};
