import { signedCalls } from '../aws/clients/signed.ts';
import { channelDeliveriesKey, channelRefusalsKey, type Key } from '../contracts/keys.ts';
import { log } from '../contracts/log.ts';
import type { Runtime } from '../contracts/runtime.ts';

/** Why a webhook was refused. */
interface RefusedWebhook {
  /** The provider, or the provider and the account, as hub.yaml switches them on; otherwise `unknown`. */
  readonly route: string;
  readonly status: number;
  /** Holds nothing of the request. */
  readonly reason: string;
  /** The address from which it came. */
  readonly source: string;
}

/** What admins are shown of a provider's webhooks. No method rejects: an answer does not depend on what is shown. */
export interface ChannelActivity {
  /** Notes that an authentic delivery has come. */
  delivered(provider: string): Promise<void>;
  /** Counts a refused webhook under a provider that is switched on, or under `unknown`, and notes why. */
  refused(provider: string, webhook: RefusedWebhook): Promise<void>;
}

/** A container writes at most this often for each provider, so that a flood of forged webhooks costs cents. */
const REFUSALS_EVERY_MS = 60_000;
/** As often as a warm function reads its secrets. Of the deliveries in between none makes a second request. */
const DELIVERIES_EVERY_MS = 300_000;
/** The rows of refusals hold source addresses, which are personal data. */
const KEPT_SECONDS = 7 * 86_400;
const TIME_LIMIT_MS = 500;

type Values = Readonly<Record<string, string | number>>;

export const channelActivity = (runtime: Runtime): ChannelActivity => {
  const deliveriesAt = new Map<string, number>();
  const refusals = new Map<string, { writtenAt: number; count: number }>();
  const write = rowWriter(runtime);
  return {
    async delivered(provider) {
      const now = runtime.now();
      if (now - (deliveriesAt.get(provider) ?? Number.NEGATIVE_INFINITY) < DELIVERIES_EVERY_MS) return;
      deliveriesAt.set(provider, now);
      const at = new Date(now).toISOString();
      await write(channelDeliveriesKey(provider), { first: { firstAt: at }, set: { lastAt: at } });
    },
    async refused(provider, webhook) {
      const now = runtime.now();
      const seen = refusals.get(provider) ?? { writtenAt: Number.NEGATIVE_INFINITY, count: 0 };
      refusals.set(provider, seen);
      seen.count++;
      if (now - seen.writtenAt < REFUSALS_EVERY_MS) return;
      const { count } = seen;
      Object.assign(seen, { writtenAt: now, count: 0 });
      // The next delivery is noted at once: it shows that the fault is mended.
      deliveriesAt.delete(provider);
      const at = new Date(now).toISOString();
      const isWritten = await write(channelRefusalsKey(provider, at.slice(0, 'yyyy-mm-dd'.length)), {
        first: { since: at },
        set: { ...webhook, lastAt: at, expiresAt: Math.ceil(now / 1000) + KEPT_SECONDS },
        add: { count },
      });
      if (!isWritten) seen.count += count;
    },
  };
};

/** `first`: stays as it is where it is there already. */
interface RowChange {
  readonly first: Values;
  readonly set: Values;
  readonly add?: Values;
}

/** Changes one row in one request; resolves to whether DynamoDB has done it. */
const rowWriter = (runtime: Runtime): ((key: Key, change: RowChange) => Promise<boolean>) => {
  const aws = signedCalls(runtime, { attempts: 1, timeLimit: () => AbortSignal.timeout(TIME_LIMIT_MS) });
  return async ({ pk, sk }, { first, set, add = {} }) => {
    const values = Object.entries({ ...first, ...set, ...add });
    const assignments = [
      ...Object.keys(first).map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
      ...Object.keys(set).map((name) => `#${name} = :${name}`),
    ];
    const additions = Object.keys(add).map((name) => `#${name} :${name}`);
    try {
      await aws.json('dynamodb', 'UpdateItem', {
        TableName: runtime.env['TABLE'],
        Key: { pk: { S: pk }, sk: { S: sk } },
        UpdateExpression: `SET ${assignments.join(', ')}${additions.length === 0 ? '' : ` ADD ${additions.join(', ')}`}`,
        ExpressionAttributeNames: Object.fromEntries(values.map(([name]) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(
          values.map(([name, value]) => [
            `:${name}`,
            typeof value === 'number' ? { N: String(value) } : { S: value },
          ]),
        ),
      });
      return true;
    } catch (error) {
      log('warn', 'unsaved-activity', { row: pk }, error);
      return false;
    }
  };
};
