import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MIB = 1024 * 1024;
const url = 'https://sw.api.mailgun.net/v3/files/1';

let hub: TestHub;
/** How many bytes the vendor sends, and how many it has sent so far. */
let size: number;
let sent: number;
/** How much had been sent, less what the bucket had, each time that the bucket was given something. */
let held: number[];
let operations: string[];
let breaksAt: number;

const chunkAt = (at: number, length: number): Uint8Array => new Uint8Array(length).fill((at / length) % 251);

async function* flow(): AsyncGenerator<Uint8Array> {
  for (; sent < size; ) {
    if (sent >= breaksAt) throw new Error('connection lost');
    const length = Math.min(64 * 1024, size - sent);
    const chunk = chunkAt(sent, length);
    sent += length;
    yield chunk;
  }
}

beforeEach(async () => {
  [sent, held, operations, breaksAt] = [0, [], [], Number.POSITIVE_INFINITY];
  let stored = 0;
  hub = await openTestHub({
    fetch: async () =>
      new Response(ReadableStream.from(flow()), { headers: { 'content-type': 'video/mp4' } }),
    before(service, operation, caller) {
      if (service !== 's3' || !/Record/u.test(caller)) return;
      operations.push(operation);
      if (operation !== 'UploadPart') return;
      held.push(sent - stored);
      stored += 8 * MIB;
    },
  });
  await hub.connect('mailgun', { signingKey: 'k', apiKey: 'key' });
});
afterEach(() => hub.stop());

const s3 = () => new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true });
const keep = async (bytes: number): Promise<void> => {
  size = bytes;
  hub.send(/^DeliveriesQueue/, { type: 'file', provider: 'mailgun', url, key: 'attachments/x/0' });
  await hub.settle();
};
const kept = async () => {
  const Bucket = hub.cloud.outputs['Bucket'];
  const object = await s3().send(new GetObjectCommand({ Bucket, Key: 'attachments/x/0' }));
  return { type: object.ContentType, bytes: await object.Body?.transformToByteArray() };
};

it('copies a large file in parts, with one part in memory', async () => {
  await keep(20 * MIB + 5);
  const { type, bytes = new Uint8Array() } = await kept();
  expect([type, bytes.byteLength]).toEqual(['video/mp4', 20 * MIB + 5]);
  for (let at = 0; at < 20 * MIB; at += 64 * 1024)
    expect([at, bytes[at], bytes[at + 65_535]]).toEqual([at, (at / 65_536) % 251, (at / 65_536) % 251]);
  expect(operations).toEqual([
    'CreateMultipartUpload',
    ...['UploadPart', 'UploadPart', 'UploadPart'],
    'CompleteMultipartUpload',
  ]);
  // What the stream itself keeps ready is a few chunks.
  for (const bytes of held) expect(bytes).toBeLessThanOrEqual(8 * MIB + 8 * 64 * 1024);
});

it.each([0, 1, 8 * MIB])('copies a file of %i bytes in one request', async (bytes) => {
  await keep(bytes);
  expect((await kept()).bytes?.byteLength).toBe(bytes);
  expect(operations).toEqual(['PutObject']);
});

it('stores nothing of an interrupted file, and copies it whole later', async () => {
  breaksAt = 10 * MIB;
  await keep(20 * MIB);
  const listed = await s3().send(new ListObjectsV2Command({ Bucket: hub.cloud.outputs['Bucket'] }));
  expect(listed.Contents ?? []).toEqual([]);
  expect(await hub.failures()).toEqual([]);
  breaksAt = Number.POSITIVE_INFINITY;
  sent = 0;
  await hub.clock.runUntil(hub.clock.now() + 5000);
  expect((await kept()).bytes?.byteLength).toBe(20 * MIB);
});

it('stops reading a file above 100 MB, and stores a failure', async () => {
  await keep(200_000_000);
  expect(sent).toBeLessThan(102_000_000);
  expect(await hub.failures()).toMatchObject([{ code: 'refused-content' }]);
  await expect(kept()).rejects.toThrow();
});
