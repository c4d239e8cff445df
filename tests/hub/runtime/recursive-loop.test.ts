import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { VirtualClock } from '../../../core/clock.ts';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import { type Cloud, startCloud } from '../../../infra/local/runtime/cloud.ts';
import { eventPatterns } from '../../../infra/scenario/event-patterns.ts';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';

const Batch = z.object({ Records: z.array(z.object({ body: z.string() })) });

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

/** A stack whose sync function sends every message to its own queue again, as the SDK in Lambda would. */
const goAround = async (mayLoop: boolean, most: number) => {
  const template = structuredClone(synthesised.template);
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    if (mayLoop) Properties['RecursiveLoop'] = 'Allow';
    else delete Properties['RecursiveLoop'];
  }
  const clock = new VirtualClock(Date.parse('2026-03-01T09:00:00Z'));
  let ids = 0;
  let runs = 0;
  const errors: string[] = [];
  const dead: string[] = [];
  const holder: { cloud?: Pick<Cloud, 'aws'> } = {};
  const client = (trace?: string) =>
    new SQSClient({
      region: 'eu-south-1',
      endpoint: 'http://127.0.0.1',
      credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
      requestHandler: inProcess((request) => {
        if (holder.cloud === undefined) throw new Error('The services are not open yet.');
        const header = trace === undefined ? {} : { 'x-amzn-trace-id': trace };
        return holder.cloud.aws({ ...request, headers: { ...request.headers, ...header } });
      }).requestHandler,
    });
  const send = (QueueUrl: string | undefined, trace?: string) =>
    client(trace).send(new SendMessageCommand({ QueueUrl, MessageBody: 'around' }));
  const cloud = await startCloud({
    patterns: eventPatterns,
    runCustomResources: false,
    assembly: { ...synthesised, template },
    clock,
    random: () => 0.5,
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    file: ':memory:',
    publicUrl: 'https://hub.example.com',
    awsUrl: 'http://127.0.0.1',
    async invoke(target, event, { trace }) {
      const own = target.environment['QUEUE_URL_SYNC'];
      // What ends in a dead-letter queue reaches the function that drains those.
      if (own === undefined) dead.push(...Batch.parse(event).Records.map(({ body }) => body));
      else if (++runs < most) await send(own, trace);
      return { batchItemFailures: [] };
    },
    onService: (service) => {
      holder.cloud = service;
    },
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
  });
  const sync = [...cloud.functions.values()].find(({ environment }) => environment['QUEUE_URL_SYNC']);
  const url = sync?.environment['QUEUE_URL_SYNC'];
  await send(url);
  await clock.runUntil(clock.now() + 600_000);
  await cloud.stop();
  return { runs, errors, dead };
};

describe('a function that sends to its own queue', () => {
  it('is stopped after sixteen runs: the message becomes a dead letter, and a line says why', async () => {
    const { runs, errors, dead } = await goAround(false, 40);
    expect([runs, dead]).toEqual([16, ['around']]);
    expect(errors).toEqual([expect.stringMatching(/16 times in one chain.*RecursiveLoop to Allow/u)]);
  });

  it('goes on where the template allows it', async () => {
    const { runs, errors, dead } = await goAround(true, 40);
    expect([runs, errors, dead]).toEqual([40, [], []]);
  });
});
