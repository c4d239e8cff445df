import type { Instant } from '../../../core/interaction/interaction.ts';
import { channelDeliveriesKey, channelPartition, channelRefusalsPrefix } from '../../contracts/keys.ts';
import {
  type ChannelRefusals,
  channelDeliveriesOf,
  channelRefusalsOf,
} from '../../contracts/rows/channels.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import type { Table } from '../clients/dynamo.ts';

/** What has come of the webhooks of a provider, as the API shows it. */
export interface ShownChannel {
  readonly channel: string;
  /** When the first authentic delivery came. Without it none has. */
  readonly firstDeliveryAt?: Instant;
  /** The last one, to within five minutes. */
  readonly lastDeliveryAt?: Instant;
  /** Of the last seven days; `count` may lack those of the last minute. The rest is about the last of them. */
  readonly refused?: ChannelRefusals;
}

const SHOWN_MS = 7 * 86_400_000;

/** Reads what `receive` noted of the webhooks of providers. */
export const channels =
  (runtime: Pick<Runtime, 'now'>, table: Table): ((ids: readonly string[]) => Promise<ShownChannel[]>) =>
  (ids) =>
    Promise.all(
      ids.map(async (channel): Promise<ShownChannel> => {
        let deliveries: ReturnType<typeof channelDeliveriesOf> | undefined;
        let refused: ChannelRefusals | undefined;
        for await (const row of table.query(channelPartition(channel))) {
          if (row.sk === channelDeliveriesKey(channel).sk) deliveries = channelDeliveriesOf(row);
          if (!row.sk.startsWith(channelRefusalsPrefix)) continue;
          const day = channelRefusalsOf(row);
          // DynamoDB may delete an expired row days later.
          if (Date.parse(day.lastAt) > runtime.now() - SHOWN_MS)
            refused = refused ? { ...day, since: refused.since, count: refused.count + day.count } : day;
        }
        return {
          channel,
          ...(deliveries && { firstDeliveryAt: deliveries.firstAt, lastDeliveryAt: deliveries.lastAt }),
          ...(refused && { refused }),
        };
      }),
    );
