import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { log } from '../../../functions/contracts/log.ts';
import { stage } from '../../../functions/contracts/stages/stage.ts';
import {
  eachMessage,
  type QueueEvent,
  type QueueResult,
  queueStack,
} from '../../../functions/middleware/queue.ts';
import { invocation, queueEvent, queueRecord } from '../../support/queue-event.ts';

const Letter = z.strictObject({ letter: z.string(), text: z.string().optional() });
type Letter = z.infer<typeof Letter>;
const letters = stage('letters', {
  title: 'Letters',
  schema: Letter,
  identity: ({ letter }) => [letter],
  about: ({ letter }) => ({ letter }),
  type: () => 'post',
});

let printed: string[] = [];
let noted: [string, unknown][] = [];
beforeEach(() => {
  [printed, noted] = [[], []];
  for (const level of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((line: string) => {
      printed.push(line);
    });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const handlerOf = (use: (letter: Letter) => Promise<void>) =>
  middy<QueueEvent<Letter>, QueueResult>()
    .use(
      queueStack(letters, async ({ messageId }, error) => {
        noted.push([messageId, error]);
      }),
    )
    .handler(eachMessage(use));

const send = (use: (letter: Letter) => Promise<void>, ...records: SQSRecord[]) =>
  handlerOf(use)({ ...queueEvent(...records), messages: [] }, invocation);

const bad = async ({ letter }: Letter): Promise<void> => {
  if (letter === 'bad') throw new HubError('bucket-fault', 'There is no ink.', { retry: 'later' });
};

it('answers with the messages that failed, the unreadable ones among them', async () => {
  const answer = await send(
    bad,
    queueRecord({ letter: 'a' }, { id: '1' }),
    queueRecord({ letter: 'bad' }, { id: '2' }),
    queueRecord('{', { id: '3' }),
    queueRecord({ wrong: 1 }, { id: '4' }),
  );
  expect(answer).toEqual({
    batchItemFailures: ['3', '4', '2'].map((itemIdentifier) => ({ itemIdentifier })),
  });
  expect(printed.filter((line) => line.includes('unreadable-message'))).toHaveLength(2);
});

it('answers with all messages where the handler throws', async () => {
  const handler = middy<QueueEvent<Letter>, QueueResult>()
    .use(queueStack(letters, async () => {}))
    .handler(async () => {
      throw new Error('broken');
    });
  const event = queueEvent(
    queueRecord({ letter: 'a' }, { id: '1' }),
    queueRecord({ letter: 'b' }, { id: '2' }),
  );
  expect(await handler({ ...event, messages: [] }, invocation)).toEqual({
    batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '2' }],
  });
});

it('notes the reason from the second try on', async () => {
  await send(
    bad,
    queueRecord({ letter: 'bad' }, { id: '1' }),
    queueRecord({ letter: 'bad' }, { id: '2', tries: 2 }),
  );
  expect(noted).toMatchObject([['2', { code: 'bucket-fault' }]]);
});

it('adds function, request, cold start and messages to each log line', async () => {
  const handler = handlerOf(async () => log('info', 'ignored-events'));
  const event = queueEvent(
    queueRecord({ letter: 'a' }, { id: '1' }),
    queueRecord({ letter: 'b' }, { id: '2' }),
  );
  for (let times = 0; times < 2; times++) await handler({ ...event, messages: [] }, invocation);
  const context = { level: 'info', code: 'ignored-events', function: 'letters', request: 'request-1' };
  expect(printed.map((line) => JSON.parse(line))).toEqual([
    { ...context, coldStart: true, messages: ['1'] },
    { ...context, coldStart: true, messages: ['2'] },
    { ...context, coldStart: false, messages: ['1'] },
    { ...context, coldStart: false, messages: ['2'] },
  ]);
});

it('keeps the contexts of invocations apart that run at the same time', async () => {
  const handler = handlerOf(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    log('info', 'ignored-events');
  });
  await Promise.all(
    ['1', '2'].map((id) =>
      handler(
        { ...queueEvent(queueRecord({ letter: 'a' }, { id })), messages: [] },
        { ...invocation, awsRequestId: `request-${id}` },
      ),
    ),
  );
  expect(printed.map((line) => JSON.parse(line))).toMatchObject([
    { request: 'request-1', messages: ['1'] },
    { request: 'request-2', messages: ['2'] },
  ]);
});

it('prints one line per message with HUB_TRACE=1, with ids and without texts', async () => {
  await send(async () => {}, queueRecord({ letter: 'a', text: 'Dear Ada' }));
  expect(printed).toEqual([]);
  vi.stubEnv('HUB_TRACE', '1');
  await send(
    async () => {},
    queueRecord({ letter: 'a', text: 'Dear Ada' }),
    queueRecord({ letter: 'b' }, { id: 'n' }),
  );
  expect(printed).toEqual(['hop letters post letter=a message=m', 'hop letters post letter=b message=n']);
});
