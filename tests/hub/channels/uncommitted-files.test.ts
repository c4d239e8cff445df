import { GetObjectTaggingCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const interaction = {
  ...{ key: 'K1', identifiers: ['email:ada@example.com'], channel: 'email' as const },
  text: 'long '.repeat(20_000),
};

let hub: TestHub;
/** Which requests of `record` are lost. */
let isLost: (operation: string) => boolean;
let asked: string[];

beforeEach(async () => {
  isLost = () => false;
  asked = [];
  hub = await openTestHub({
    before(_service, operation, caller) {
      if (!/Record/u.test(caller)) return;
      asked.push(operation);
      if (isLost(operation)) throw new Error('the function was killed');
    },
  });
});
afterEach(() => hub.stop());

/** The files in the bucket, each with its tags. */
const files = async () => {
  const Bucket = hub.cloud.outputs['Bucket'];
  const s3 = new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'texts/' }));
  return Promise.all(
    Contents.map(
      async ({ Key }) => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet?.length,
    ),
  );
};
const EXPIRES = 1;
const STAYS = 0;

it('a file of a recorded interaction stays, and a redelivery does not make it expire', async () => {
  hub.sendInteraction(interaction);
  await hub.wait(MINUTE);
  expect(await files()).toEqual([STAYS]);
  isLost = (operation) => operation === 'DeleteObjectTagging';
  hub.sendInteraction(interaction);
  await hub.wait(MINUTE);
  expect(await files()).toEqual([STAYS]);
});

it('a file whose interaction is never recorded expires after two weeks', async () => {
  isLost = (operation) => operation === 'TransactWriteItems';
  hub.sendInteraction(interaction);
  await hub.wait(MINUTE);
  expect(await files()).toEqual([EXPIRES]);
  await hub.wait(16 * DAY);
  expect(asked).not.toContain('DeleteObjectTagging');
  expect(await files()).toEqual([]);
});

it('a file whose interaction is recorded at the second try stays', async () => {
  isLost = (operation) =>
    operation === 'TransactWriteItems' && asked.filter((one) => one === operation).length === 1;
  hub.sendInteraction(interaction);
  await hub.wait(20 * MINUTE);
  expect(await files()).toEqual([STAYS]);
});

it('a file stays if the function ends between the commit and keeping it', async () => {
  isLost = (operation) =>
    operation === 'DeleteObjectTagging' && asked.filter((one) => one === operation).length === 1;
  hub.sendInteraction(interaction);
  await hub.wait(20 * MINUTE);
  expect(asked.filter((one) => one === 'DeleteObjectTagging')).toHaveLength(2);
  expect(await files()).toEqual([STAYS]);
});
