import { describe, expect, it } from 'vitest';
import type { HubError } from '../../../core/errors.ts';
import { parseJson } from '../../../core/formats/payload.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { type ChannelMapping, channel, refused } from '../../../core/webhooks/channel.ts';
import type { Sending } from '../../../functions/aws/clients/queue.ts';
import { RecordMessage } from '../../../functions/contracts/messages/record.ts';
import { parseMessage } from '../../../functions/middleware/queue.ts';
import { contents } from '../../../functions/record/content/content.ts';
import type { MessagePorts } from '../../../functions/record/messages/ports.ts';
import { readMessage } from '../../../functions/record/messages/read-message.ts';
import { queueRecord } from '../../support/queue-event.ts';
import { bucket, runtimeWith } from './stored-files.ts';

const receivedAt = '2026-03-02T09:00:00.000Z';

const shop = channel({
  id: 'shop',
  title: 'Shop',
  docs: 'https://shop.example',
  secrets: { token: { about: 'a token' } },
  schemes: {},
  content: {
    hosts: /^(?:files|api)\.shop\.example$/u,
    authorise: (url, { token }) =>
      token[0] === undefined ? undefined : { url, headers: { authorization: `Bearer ${token[0]}` } },
    follow: (url, answer) => (url.endsWith('/where') ? JSON.parse(answer).url : undefined),
  },
  verify: () => refused('not here'),
});

const mapping: ChannelMapping = {
  id: 'shop',
  channels: ['email'],
  kinds: ['message'],
  vouching: [{ field: 'any', type: '*', proof: 'proven', why: 'a test' }],
  decode: ({ body }) => ({ interactions: [(parseJson(body) as { act: never }).act], ignored: [] }),
  complete: (act, { bytes }) => ({
    ...act,
    key: 'changed',
    text: Buffer.from(bytes).toString(),
    attachments: [{ url: 'https://files.shop.example/after', keep: true }],
  }),
};

type Answers = Readonly<Record<string, () => Response>>;

const hub = (
  answers: Answers,
  secrets: Record<string, string[]> = { token: ['t'] },
  isErased = () => false,
  isRecorded = () => false,
) => {
  const asked: [string, string | undefined][] = [];
  const { stored, uncommitted, files } = bucket();
  const queued: object[] = [];
  const delays: (Sending | undefined)[] = [];
  const failures: { error: HubError; payload: string; tries: number | undefined }[] = [];
  const runtime = runtimeWith((url, authorization) => {
    asked.push([url, authorization]);
    const answer = answers[url];
    if (answer === undefined) throw new Error('no such host');
    return answer();
  });
  const ports: MessagePorts = {
    identity: async () => IdentityConfig.parse({}),
    mapping: () => mapping,
    files,
    contents: contents(runtime, { connector: () => shop, secrets: async () => secrets, files }),
    isErased: async () => isErased(),
    isRecorded: async () => isRecorded(),
    saveFailure: async ({ body }, error, tries) => {
      failures.push({ error, payload: body, tries });
    },
    enqueue: async (message, sending) => {
      queued.push(message);
      delays.push(sending);
    },
  };
  const send = async (message: object, replayOf?: string) => {
    const attributes = replayOf === undefined ? {} : { attributes: { failure: replayOf } };
    return (await readMessage(ports, parseMessage(RecordMessage, queueRecord(message, attributes)))).works;
  };
  const act = (more: object) =>
    send({
      type: 'event',
      provider: 'shop',
      event: { id: 'e', time: receivedAt, act: { ...base, ...more } },
    });
  return { asked, stored, uncommitted, queued, delays, failures, send, act };
};

const base = {
  key: 'k',
  kind: 'message',
  channel: 'email',
  direction: 'inbound',
  identifiers: ['email:a@b.c'],
};

const fileUrl = 'https://files.shop.example/1';
const file = { type: 'file', provider: 'shop', url: fileUrl, key: 'attachments/x/0' };
const text = (body: string, init?: ResponseInit) => () => new Response(body, init);

describe('files of an interaction', () => {
  it('get their key in the bucket at once, and are fetched later or stored at once', async () => {
    const { act, queued, stored } = hub({});
    const content = Buffer.from('hello').toString('base64');
    const works = await act({
      attachments: [
        { url: fileUrl, keep: true },
        { content, name: 'h.txt' },
        { url: 'https://elsewhere.example/x', keep: true },
        { url: fileUrl },
      ],
    });
    const [work] = works;
    const id = work?.type === 'interaction' ? work.interaction.id : '';
    expect(work).toMatchObject({
      interaction: {
        attachments: [
          { url: fileUrl, key: `attachments/${id}/0` },
          { name: 'h.txt', size: 5, key: `attachments/${id}/1` },
          { url: 'https://elsewhere.example/x' },
          { url: fileUrl },
        ],
      },
    });
    expect(JSON.stringify(works)).not.toMatch(/keep|content"|"key":"attachments[^"]*\/[23]"/);
    expect(queued).toEqual([{ ...file, key: `attachments/${id}/0` }]);
    expect(stored).toEqual({ [`attachments/${id}/1`]: 'hello' });
  });

  it('are at most fifty, and share what one interaction may take', async () => {
    const { act, queued } = hub({});
    const many = Array.from({ length: 60 }, (_, at) => ({ url: fileUrl, keep: true, size: at }));
    const [work] = await act({ attachments: many, properties: { a: 1 } });
    const interaction = work?.type === 'interaction' ? work.interaction : undefined;
    expect(interaction?.attachments).toHaveLength(50);
    expect(interaction?.properties).toEqual({ a: 1, attachmentsLeftOut: 10 });
    expect(queued).toHaveLength(50);
    for (const copy of queued) expect(copy).toMatchObject({ most: 5_000_000 });
  });

  it('stay at the provider where they are too large', async () => {
    const { act, queued } = hub({});
    const [work] = await act({ attachments: [{ url: fileUrl, keep: true, size: 100_000_001 }] });
    expect(work).toMatchObject({ interaction: { attachments: [{ url: fileUrl, size: 100_000_001 }] } });
    expect(queued).toEqual([]);
  });

  it('are copied as far as their share allows', async () => {
    const { send, stored, failures } = hub({ [fileUrl]: text('bytes') });
    expect(await send({ ...file, most: 4 })).toEqual([]);
    expect([stored, failures.length]).toEqual([{}, 1]);
    expect(await send({ ...file, most: 5 })).toEqual([]);
    expect(stored).toEqual({ 'attachments/x/0': 'bytes' });
  });

  it('expire when they are copied before their interaction is recorded, and stay when after it', async () => {
    let isRecorded = false;
    const { send, uncommitted } = hub({ [fileUrl]: text('bytes') }, undefined, undefined, () => isRecorded);
    await send(file);
    expect([...uncommitted]).toEqual(['attachments/x/0']);
    isRecorded = true;
    await send(file);
    expect([...uncommitted]).toEqual([]);
  });

  it('stay at the provider where its secret is missing', async () => {
    const { act, queued } = hub({}, {});
    const [work] = await act({ attachments: [{ url: fileUrl, keep: true }] });
    expect(work).toMatchObject({ interaction: { attachments: [{ url: fileUrl }] } });
    expect(queued).toEqual([]);
  });

  it('are copied from the URL of an answer, through a redirect without the secret', async () => {
    const { send, stored, asked } = hub({
      'https://api.shop.example/where': text('{"url":"https://api.shop.example/there"}'),
      'https://api.shop.example/there': text('', { status: 302, headers: { location: fileUrl } }),
      [fileUrl]: text('bytes'),
    });
    expect(await send({ ...file, url: 'https://api.shop.example/where' })).toEqual([]);
    expect(stored).toEqual({ 'attachments/x/0': 'bytes' });
    expect(asked.map(([, secret]) => secret)).toEqual(['Bearer t', 'Bearer t', undefined]);
  });

  it.each([
    'http://files.shop.example/1',
    'https://files.shop.example.evil.example/1',
    'https://evil.example/files.shop.example',
    'https://files.shop.example:8443/1',
    'https://user@files.shop.example/1',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'file:///etc/passwd',
    'nothing',
  ])('are never fetched from %s', async (url) => {
    const { send, asked, failures, stored } = hub({});
    await send({ ...file, url });
    expect(asked).toEqual([]);
    expect([stored, failures.map(({ error }) => error.code)]).toEqual([{}, ['refused-content']]);
  });

  it('are not fetched through a redirect to another host, or through many', async () => {
    const away = hub({
      [fileUrl]: text('', { status: 302, headers: { location: 'https://evil.example/' } }),
    });
    await away.send(file);
    const round = hub({ [fileUrl]: text('', { status: 307, headers: { location: fileUrl } }) });
    await round.send(file);
    const nowhere = hub({ [fileUrl]: text('', { status: 302, headers: { location: 'https://:hunter2' } }) });
    await nowhere.send(file);
    expect(nowhere.failures[0]?.error.message).not.toContain('hunter2');
    for (const { asked, failures, stored } of [away, round, nowhere]) {
      expect(asked.length).toBeLessThan(6);
      expect([stored, failures.map(({ error }) => error.code)]).toEqual([{}, ['refused-content']]);
    }
    expect(away.asked).toHaveLength(1);
  });

  it('are deleted where their customer was erased meanwhile', async () => {
    let erased = false;
    const { send, stored, asked } = hub(
      {
        [fileUrl]: () => {
          erased = true;
          return new Response('bytes');
        },
      },
      undefined,
      () => erased,
    );
    await send(file);
    expect([asked.length, stored]).toEqual([1, {}]);
    await send(file);
    expect([asked.length, stored]).toEqual([1, {}]);
  });

  it('are too large above the limit', async () => {
    const endless = async function* () {
      for (;;) yield new Uint8Array(1_000_000);
    };
    const { send, failures, stored } = hub({ [fileUrl]: () => new Response(ReadableStream.from(endless())) });
    await send(file);
    expect(failures[0]?.error.message).toMatch(/larger than 100000000 bytes/);
    expect(stored).toEqual({});
  });

  it('that are read into memory are refused above a tenth of that, and so is content', async () => {
    const endless = async function* () {
      for (;;) yield new Uint8Array(1_000_000);
    };
    const { send, failures } = hub({ [fileUrl]: () => new Response(ReadableStream.from(endless())) });
    const works = await send({
      ...{ type: 'content', receivedAt },
      interaction: { ...base, provider: 'shop', fetch: { url: fileUrl } },
    });
    expect(failures[0]?.error.message).toMatch(/larger than 10000000 bytes/);
    expect(works).toMatchObject([{ interaction: { incomplete: true } }]);
  });

  it('are retried with growing delays, then become a failure that can be replayed', async () => {
    const { send, queued, delays, failures } = hub({ [fileUrl]: text('', { status: 503 }) });
    await send(file, 'f1');
    await send(queued[0] ?? {}, 'f1');
    await send(queued[1] ?? {}, 'f1');
    expect(failures).toEqual([]);
    expect(queued).toEqual([1, 2, 3].map((tries) => ({ ...file, tries })));
    const attributes = { failure: 'f1' };
    expect(delays).toEqual([5, 30, 120].map((delaySeconds) => ({ delaySeconds, attributes })));
    await send(queued[2] ?? {}, 'f1');
    expect(queued).toHaveLength(3);
    expect(failures).toMatchObject([
      { error: { code: 'unreachable-content' }, payload: JSON.stringify({ ...file, tries: 3 }), tries: 4 },
    ]);
    const gone = hub({ [fileUrl]: text('', { status: 404 }) });
    await gone.send(file);
    expect([gone.queued, gone.failures.length]).toEqual([[], 1]);
  });
});

describe('content that completes an interaction', () => {
  const mail = { fetch: { url: fileUrl } };

  it('is fetched first, and the interaction keeps its id', async () => {
    const { act, queued, send } = hub({ [fileUrl]: text('the body') });
    expect(await act(mail)).toEqual([]);
    const [work] = await send(queued[0] ?? {});
    expect(work).toMatchObject({ receivedAt, completes: true, interaction: { text: 'the body' } });
    const [plain] = await hub({}).act({});
    expect(work?.type === 'interaction' && plain?.type === 'interaction').toBe(true);
    if (work?.type === 'interaction' && plain?.type === 'interaction')
      expect(work.interaction.id).toBe(plain.interaction.id);
    expect(queued.at(-1)).toMatchObject({ type: 'file', url: 'https://files.shop.example/after' });
  });

  it('is left out where it cannot be fetched, with a failure', async () => {
    const { act, queued, send, failures } = hub({});
    await act(mail);
    for (const tries of [0, 1, 2]) expect(await send(queued[tries] ?? {})).toEqual([]);
    const works = await send(queued[3] ?? {});
    expect(works).toMatchObject([{ interaction: { identifiers: ['email:a@b.c'], incomplete: true } }]);
    expect(works[0]).not.toHaveProperty('completes');
    expect(failures).toHaveLength(1);
  });

  it('is not fetched where the secret is missing', async () => {
    expect(await hub({}, {}).act(mail)).toMatchObject([{ type: 'interaction' }]);
  });
});
