import { GetObjectTaggingCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { NOW, openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { eraseCustomer } from './erase-customer.ts';

const MINUTE = 60_000;
const LONG = 'long '.repeat(20_000);

let hub: TestHub;
/** Whether `record` loses the requests that keep a file. */
let losesKeeping: boolean;

beforeEach(async () => {
  losesKeeping = false;
  hub = await openTestHub({
    connectCrms: true,
    fetch: async () => new Response('copied from the provider'),
    before(_service, operation) {
      if (losesKeeping && operation === 'DeleteObjectTagging') throw new Error('the function was killed');
    },
  });
  await hub.connect('mailgun', { signingKey: 'k', apiKey: 'key' });
});
afterEach(() => hub.stop());

/** A mail as Mailgun reports it, with a file in the request and one that waits at Mailgun. */
const arrive = async (from: string, text: string): Promise<void> => {
  const waiting = [{ url: `https://sw.api.mailgun.net/v3/files/${from}`, name: 'photo.jpg' }];
  const fields = {
    from,
    'body-plain': text,
    'Message-Id': `<${from}>`,
    attachments: JSON.stringify(waiting),
  };
  const parts = Object.entries(fields).map(([name, value]) => `name="${name}"\r\n\r\n${value}`);
  const file = 'name="attachment-1"; filename="inside.txt"\r\n\r\nin the request';
  const body = [...parts, file].map((part) => `--b\r\nContent-Disposition: form-data; ${part}\r\n`).join('');
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  hub.send(/^DeliveriesQueue/, {
    ...{ type: 'delivery', id: from, provider: 'mailgun', receivedAt: new Date(NOW).toISOString() },
    request: { method: 'POST', url: '', headers, body: Buffer.from(`${body}--b--\r\n`).toString('base64') },
  });
  await hub.wait(MINUTE);
};

/** The number of tags of each stored file, by the beginning of its key. */
const files = async (prefix: string): Promise<(number | undefined)[]> => {
  const Bucket = hub.cloud.outputs['Bucket'];
  const s3 = new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
  const tagged = Contents.map(({ Key }) => s3.send(new GetObjectTaggingCommand({ Bucket, Key })));
  return (await Promise.all(tagged)).map(({ TagSet }) => TagSet?.length);
};

it.each([
  ['that are kept', false],
  ['of which keeping was lost, so that they still expire', true],
])('removes every file of the customer, and of no other: files %s', async (_, lost) => {
  await arrive('grace@example.org', LONG);
  losesKeeping = lost;
  await arrive('ada@example.com', LONG);
  const ofAda = lost ? 1 : 0;
  expect((await files('attachments/')).toSorted()).toEqual([0, 0, ofAda, ofAda]);
  expect((await files('texts/')).toSorted()).toEqual([0, ofAda]);

  const { state, receipt } = await eraseCustomer(hub, 'email:ada@example.com');
  expect([state, JSON.stringify(receipt)]).toEqual(['succeeded', expect.stringContaining('long texts')]);
  expect([await files('attachments/'), await files('texts/')]).toEqual([[0, 0], [0]]);
});
