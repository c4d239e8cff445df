import { afterEach, expect, it } from 'vitest';
import { payloads } from '../../../functions/aws/operations/payloads.ts';
import { openStory, type Story } from './story.ts';

let story: Story;
afterEach(() => story.close());

const MAIL = 'email:ada@example.com';

const bucket = () => {
  const BUCKET = [...story.cloud.functions.values()].find(({ environment }) => environment['BUCKET'])
    ?.environment['BUCKET'];
  return payloads({ ...story.runtime, env: { ...story.runtime.env, BUCKET } });
};

/** The document, as whoever has its address reads it. */
const exported = async () => {
  const { id } = (await story.api('GET', `/customers?identifier=${MAIL}`)).body;
  const job = (await story.api('POST', '/jobs', { kind: 'export', parameters: { profileId: id } })).body;
  await story.wait(60_000);
  const done = (await story.api('GET', `/jobs/${job.id}`)).body;
  expect(done.state).toBe('succeeded');
  const answer = await story.runtime.aws?.fetch(new Request(done.result.url));
  const text = await answer?.text();
  return { text: text ?? '', document: JSON.parse(text ?? '') };
};

it('holds everything of every half, files in base64, and nothing of others', async () => {
  story = await openStory();
  await bucket().put('attachments/kept/0', 'a file');
  story.say('M1', [MAIL], {
    channel: 'email',
    text: 'Hello',
    attachments: [{ name: 'a.txt', key: 'attachments/kept/0' }],
  });
  story.say('S1', ['phone:+14155550100'], { text: 'Hi' });
  story.say('G1', ['email:grace@example.org'], { text: 'Somebody else' });
  await story.wait(60_000);
  await story.api('POST', '/commands', { command: 'merge', keep: MAIL, other: 'phone:+14155550100' });
  await story.wait(60_000);
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

it('is written in parts, and is the same document when it is large', async () => {
  story = await openStory();
  const files = bucket();
  for (let at = 0; at < 3; at++) {
    await files.put(`attachments/large/${at}`, `${at}`.repeat(7_000_000));
    story.say(`M${at}`, [MAIL], {
      text: `${at}`,
      attachments: [{ name: `${at}`, key: `attachments/large/${at}` }],
    });
  }
  await story.wait(60_000);
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

it('ends with the reason where the person is gone', async () => {
  story = await openStory();
  const job = (await story.api('POST', '/jobs', { kind: 'export', parameters: { profileId: 'nobody' } }))
    .body;
  await story.wait(60_000);
  expect((await story.api('GET', `/jobs/${job.id}`)).body).toMatchObject({
    state: 'failed',
    error: { code: 'unknown-customer' },
  });
});
