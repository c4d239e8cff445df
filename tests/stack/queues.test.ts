import { expect, it } from 'vitest';
import * as z from 'zod';
import { assembly } from '../../infra/assembly.ts';

const Reference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const Source = z.object({ EventSourceArn: Reference, FunctionName: z.object({ Ref: z.string() }) });

it('a queue hides a message six times as long as its function may run, and gives up after bounded tries', async () => {
  const { Resources } = (await assembly()).template;
  const sources = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
  expect(sources.length).toBeGreaterThan(5);
  for (const { Properties } of sources) {
    const { EventSourceArn, FunctionName } = Source.parse(Properties);
    const [id] = EventSourceArn['Fn::GetAtt'];
    const queue = Resources[id]?.Properties ?? {};
    const timeout = Number(Resources[FunctionName.Ref]?.Properties['Timeout']);
    // What drains a dead-letter queue has no other behind it.
    if (/Dead/u.test(id)) continue;
    expect([id, Number(queue['VisibilityTimeout']) >= 6 * timeout]).toEqual([id, true]);
    const { maxReceiveCount, deadLetterTargetArn } = z
      .object({ maxReceiveCount: z.int(), deadLetterTargetArn: z.unknown() })
      .parse(queue['RedrivePolicy']);
    expect(maxReceiveCount).toBeGreaterThanOrEqual(3);
    expect(maxReceiveCount).toBeLessThanOrEqual(10);
    expect(deadLetterTargetArn).toBeDefined();
  }
});
