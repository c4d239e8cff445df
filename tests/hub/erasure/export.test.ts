import { afterEach, expect, it } from 'vitest';
import { bucket as bucketOf } from '../../../functions/aws/clients/bucket.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

let hub: TestHub;
afterEach(() => hub.stop());

const MAIL = 'email:ada@example.com';

const bucket = () => {
  const BUCKET = [...hub.cloud.functions.values()].find(({ environment }) => environment['BUCKET'])
    ?.environment['BUCKET'];
  return bucketOf({ ...hub.runtime, env: { ...hub.runtime.env, BUCKET } });
};

/** The document, as whoever has its address reads it. */
const exported = async () => {
  const { id } = (await hub.api('GET', `/customers?identifier=${MAIL}`)).body;
  const job = (await hub.api('POST', '/jobs', { kind: 'export', parameters: { profileId: id } })).body;
  await hub.wait(60_000);
  const done = (await hub.api('GET', `/jobs/${job.id}`)).body;
  expect(done.state).toBe('succeeded');
  const answer = await hub.runtime.aws?.fetch(new Request(done.result.url));
  const text = await answer?.text();
  return { text: text ?? '', document: JSON.parse(text ?? '') };
};

it('contains every record of every source profile, files in base64, and nothing of other customers', async () => {
  hub = await openTestHub({ triggers: [] });
  await bucket().put('attachments/kept/0', 'a file');
  hub.sendInteraction({
    key: 'M1',
    identifiers: [MAIL],
    channel: 'email',
    text: 'Hello',
    attachments: [{ name: 'a.txt', key: 'attachments/kept/0' }],
  });
  hub.sendInteraction({ key: 'S1', identifiers: ['phone:+14155550100'], text: 'Hi' });
  hub.sendInteraction({ key: 'G1', identifiers: ['email:grace@example.org'], text: 'Somebody else' });
  await hub.wait(60_000);
  await hub.api('POST', '/commands', {
    command: 'merge',
    reason: 'the same person',
    keep: MAIL,
    other: 'phone:+14155550100',
  });
  await hub.wait(60_000);
  const { text, document } = await exported();
  expect(document).toMatchObject({
    format: 'tributary-export-1',
    customer: { identifiers: [MAIL, 'phone:+14155550100'] },
  });
  expect(document.profileIds).toHaveLength(2);
  const types = document.records.map(({ type }: { type: string }) => type);
  expect(types).toEqual(expect.arrayContaining(['profile', 'interaction', 'merge', 'crm', 'activity']));
  const mail = document.records.find(
    (one: { subject?: string; channel?: string }) => one.channel === 'email',
  );
  const content = Buffer.from('a file').toString('base64');
  expect(mail.attachments).toMatchObject([{ name: 'a.txt', content }]);
  expect(text).not.toMatch(/grace|Somebody else|"pk"/u);
});

it('is written in parts, and is one document when it is large', async () => {
  hub = await openTestHub({ triggers: [] });
  const files = bucket();
  for (let at = 0; at < 3; at++) {
    await files.put(`attachments/large/${at}`, `${at}`.repeat(7_000_000));
    hub.sendInteraction({
      key: `M${at}`,
      identifiers: [MAIL],
      text: `${at}`,
      attachments: [{ name: `${at}`, key: `attachments/large/${at}` }],
    });
  }
  await hub.wait(60_000);
  const { document } = await exported();
  const contents = document.records.flatMap(({ attachments = [] }: { attachments?: { content: string }[] }) =>
    attachments.map(({ content }) => Buffer.from(content, 'base64').toString()),
  );
  expect(contents.map((one: string) => [one.length, one.slice(0, 2)]).sort()).toEqual([
    [7_000_000, '00'],
    [7_000_000, '11'],
    [7_000_000, '22'],
  ]);
});

it('fails with the reason where the customer does not exist', async () => {
  hub = await openTestHub({ triggers: [] });
  const job = (await hub.api('POST', '/jobs', { kind: 'export', parameters: { profileId: 'nobody' } })).body;
  await hub.wait(60_000);
  expect((await hub.api('GET', `/jobs/${job.id}`)).body).toMatchObject({
    state: 'failed',
    error: { code: 'unknown-customer' },
  });
});
