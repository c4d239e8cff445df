import * as z from 'zod';
import type { Operation } from '../../protocol/json.ts';
import { parseInput } from '../input.ts';
import { ConsumedCapacity } from '../items/capacity.ts';
import { TableName } from '../items/items.ts';
import { invalid } from '../values/values.ts';
import { isDue, type Store } from './store.ts';
import { Table } from './table.ts';

const Named = z.looseObject({ TableName });
const Update = Named.extend({
  TimeToLiveSpecification: z.object({ AttributeName: z.string().min(1).max(255), Enabled: z.boolean() }),
});

export const timeToLive = (store: Store): Record<string, Operation> => ({
  UpdateTimeToLive(input) {
    const table = store.table(parseInput(Named, input).TableName, true);
    const { TimeToLiveSpecification: ttl } = parseInput(Update, input);
    const { ttl: present } = table.details;
    if (ttl.Enabled && present !== undefined)
      throw invalid(
        present === ttl.AttributeName
          ? 'TimeToLive is already enabled'
          : `TimeToLive is active on a different AttributeName: current AttributeName is ${present}`,
      );
    if (!ttl.Enabled && present === undefined) throw invalid('TimeToLive is already disabled');
    const details = { ...table.details, ttl: ttl.Enabled ? ttl.AttributeName : undefined };
    store.replace(new Table(table.definition, details));
    return { TimeToLiveSpecification: ttl };
  },
  DescribeTimeToLive(input) {
    const { ttl } = store.table(parseInput(Named, input).TableName, true).details;
    return {
      TimeToLiveDescription:
        ttl === undefined
          ? { TimeToLiveStatus: 'DISABLED' }
          : { TimeToLiveStatus: 'ENABLED', AttributeName: ttl },
    };
  },
});

/** Deletes expired items and expired transaction tokens. DynamoDB itself deletes within days, not at once. */
export const sweep = (store: Store, now: number): void => {
  store.forgetTokens(now);
  const seconds = Math.floor(now / 1000);
  for (const table of store.expiring()) {
    const attribute = table.details.ttl ?? '';
    const due = store.expired(table, seconds).filter((item) => isDue(item, attribute, seconds));
    if (due.length === 0) continue;
    store.atomically(() => {
      for (const item of due)
        store.write(table.keyOf(item), item, undefined, new ConsumedCapacity(table, 'write'));
    });
  }
};
