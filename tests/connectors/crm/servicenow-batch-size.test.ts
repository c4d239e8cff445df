import { afterEach, beforeEach, expect, it } from 'vitest';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import { type Call, unsharedToken } from '../../../core/crm/connector.ts';
import { type Said, type Sent, scriptedServicenow } from './scripted-servicenow.ts';

const start = Date.parse('2026-03-01T09:00:00Z');
let instance: Awaited<ReturnType<typeof scriptedServicenow>>;
let now: number;
/** How long the instance takes for a request of a batch. */
let millisecondsEach: number;
/** How many requests of a batch it does before it cuts it short. */
let most: number;
let done: number;
let sizes: number[];

beforeEach(async () => {
  instance = await scriptedServicenow();
  [now, millisecondsEach, most, done, sizes] = [start, 10, Number.POSITIVE_INFINITY, 0, []];
  instance.script.whole = (sent) => {
    const requests: readonly object[] = Object(sent.body)['rest_requests'] ?? [];
    sizes.push(requests.length);
    now += requests.length * millisecondsEach;
    done = 0;
    return undefined;
  };
  instance.script.item = ({ method, body }: Sent): Said => {
    if (method === 'GET') return { body: { result: [] } };
    done += 1;
    return done > most
      ? { unserviced: true }
      : { status: 200, body: { result: { ...Object(body), sys_id: 'b'.repeat(32) } } };
  };
});
afterEach(() => instance.stop());

const call: Call = {
  ...{ signal: AbortSignal.timeout(30_000), spend: async () => {}, sleep: async () => {} },
  now: () => now,
};
/** The sizes of the batches in which contacts that are linked already are written. */
const batchesOf = async (count: number, by: Call = call): Promise<number[]> => {
  const secret = { instanceUrl: instance.url, username: 'hub', password: 'secret' };
  const session = await servicenow.open(secret, unsharedToken, by.signal);
  await session.describe(['customer_contact'], by);
  sizes = [];
  const records = Array.from({ length: count }, (_, at) => ({
    ...{ key: `hub:c${at}`, id: at.toString(16).padStart(32, '0') },
    fields: { last_name: 'Lovelace' },
  }));
  const results = await session.upsert('customer_contact', 'u_hub_id', records, by);
  expect(results.filter((result) => 'id' in result)).toHaveLength(count);
  return sizes;
};

it('a quick instance gets larger batches, up to a thousand requests', async () => {
  expect(await batchesOf(3750)).toEqual([250, 500, 1000, 1000, 1000]);
});

it('an instance that needs ten seconds for a batch gets no larger ones', async () => {
  millisecondsEach = 41;
  expect(await batchesOf(1000)).toEqual([250, 250, 250, 250]);
});

it('without a clock nothing grows', async () => {
  const { signal, spend, sleep } = call;
  expect(await batchesOf(750, { signal, spend, sleep })).toEqual([250, 250, 250]);
});

it('after one that was cut short, batches are as small as what was done of it', async () => {
  [most, millisecondsEach] = [100, 300];
  expect(await batchesOf(500)).toEqual([250, 100, 50, 100, 100, 50]);
});
