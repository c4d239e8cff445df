import type { SQSRecord } from 'aws-lambda';
import { expect, it } from 'vitest';
import { type Batch, project } from '../../../functions/projections/projections.ts';

const record = (profileId: string, tries = 1): SQSRecord => ({
  messageId: profileId,
  receiptHandle: profileId,
  body: JSON.stringify({ event: 'customer.created', profileId }),
  attributes: {
    ApproximateReceiveCount: String(tries),
    SentTimestamp: '0',
    SenderId: 'x',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn',
  awsRegion: 'eu-south-1',
});

/** Sees the halves of each batch, and cannot do that of `bad`. */
const kept = () => {
  const batches: string[][] = [];
  const use = project({
    load: async (messages) => {
      batches.push(messages.map(({ profileId }) => profileId));
      const none: Batch = { interactions: [], customers: new Map(), unsent: [] };
      return none;
    },
    consumers: [
      async () => {
        if (batches.at(-1)?.includes('bad')) throw new Error('It cannot be done.');
      },
    ],
  });
  return { batches, use };
};

it('works a batch off as one', async () => {
  const { batches, use } = kept();
  expect(await use([record('a'), record('b')])).toEqual(new Map());
  expect(batches).toEqual([['a', 'b']]);
});

it('lets a message that cannot be done take others with it once only', async () => {
  const { batches, use } = kept();
  expect([...(await use([record('a'), record('bad'), record('b')])).keys()]).toEqual(['a', 'bad', 'b']);
  const again = await use([record('a', 2), record('new'), record('bad', 2), record('b', 2)]);
  expect([...again.keys()]).toEqual(['bad']);
  expect(batches.slice(1)).toEqual([['new'], ['a'], ['bad'], ['b']]);
});

it('refuses what it cannot read, and does the rest', async () => {
  const { use } = kept();
  const failed = await use([{ ...record('a'), body: '{"event":"other"}' }, record('b')]);
  expect([...failed.keys()]).toEqual(['a']);
  expect(failed.get('a')).toMatchObject({ code: 'unreadable-message' });
});
