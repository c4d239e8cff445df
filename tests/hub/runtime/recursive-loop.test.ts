import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { inProcess } from '../../../infra/local/runtime/client.ts';
import type { InProcessHub } from '../../../infra/scenario/hub/in-process-hub.ts';
import { deployTemplate } from '../../support/deploy-template.ts';

const Batch = z.object({ Records: z.array(z.object({ body: z.string() })) });

const bodiesIn = (event: unknown): string[] => Batch.parse(event).Records.map(({ body }) => body);

/** Deploys a stack whose sync function sends every message to its own queue again, up to `limit` runs, and sends one. */
const sendAround = async (mayLoop: boolean, limit: number) => {
  let runs = 0;
  const dead: string[] = [];
  const send = (
    { cloud }: Pick<InProcessHub, 'cloud'>,
    QueueUrl: string | undefined,
    headers: Readonly<Record<string, string>>,
  ) =>
    new SQSClient({
      region: 'eu-south-1',
      endpoint: 'http://127.0.0.1',
      credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
      requestHandler: inProcess((request) =>
        cloud.aws({ ...request, headers: { ...request.headers, ...headers } }),
      ).requestHandler,
    }).send(new SendMessageCommand({ QueueUrl, MessageBody: 'around' }));
  const hub: InProcessHub = await deployTemplate({
    change(template) {
      for (const { Type, Properties } of Object.values(template.Resources)) {
        if (Type !== 'AWS::Lambda::Function') continue;
        if (mayLoop) Properties['RecursiveLoop'] = 'Allow';
        else delete Properties['RecursiveLoop'];
      }
    },
    async invoke(target, event, { trace }) {
      const own = target.environment['QUEUE_URL_SYNC'];
      // What ends in a dead-letter queue reaches the function that drains those. The SDK in Lambda sends the trace along.
      if (own === undefined) dead.push(...bodiesIn(event).filter((body) => body === 'around'));
      else if (++runs < limit) await send(hub, own, { 'x-amzn-trace-id': trace });
      return { batchItemFailures: [] };
    },
  });
  const sync = [...hub.cloud.functions.values()].find(({ environment }) => environment['QUEUE_URL_SYNC']);
  await send(hub, sync?.environment['QUEUE_URL_SYNC'], {});
  await hub.clock.runUntil(hub.clock.now() + 1_200_000);
  await hub.cloud.stop();
  const errors = hub.errors.map((error) => (error instanceof Error ? error.message : String(error)));
  return { runs, errors, dead };
};

describe('a function that sends to its own queue', () => {
  it('is stopped after sixteen runs: the message becomes a dead letter, and the reason is logged', async () => {
    const { runs, errors, dead } = await sendAround(false, 40);
    expect([runs, dead]).toEqual([16, ['around']]);
    expect(errors).toEqual([expect.stringMatching(/16 times in one chain.*RecursiveLoop to Allow/u)]);
  });

  it('continues where the template allows it', async () => {
    const { runs, errors, dead } = await sendAround(true, 40);
    expect([runs, errors, dead]).toEqual([40, [], []]);
  });
});
