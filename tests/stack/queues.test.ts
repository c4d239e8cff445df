import { expect, it } from 'vitest';
import * as z from 'zod';
import { assembly } from '../../infra/stack/assembly.ts';

const Reference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const Policy = z.object({
  Roles: z.array(z.object({ Ref: z.string() })),
  PolicyDocument: z.object({
    Statement: z.array(z.object({ Action: z.unknown(), Resource: z.unknown() })),
  }),
});
const Source = z.object({ EventSourceArn: Reference, FunctionName: z.object({ Ref: z.string() }) });

it('the visibility timeout of a queue is six times the timeout of its function, and its tries are limited', async () => {
  const { Resources } = (await assembly()).template;
  const sources = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
  expect(sources.length).toBeGreaterThan(5);
  for (const { Properties } of sources) {
    const { EventSourceArn, FunctionName } = Source.parse(Properties);
    const [id] = EventSourceArn['Fn::GetAtt'];
    const queue = Resources[id]?.Properties ?? {};
    const timeout = Number(Resources[FunctionName.Ref]?.Properties['Timeout']);
    expect([id, Number(queue['VisibilityTimeout']) >= 6 * timeout]).toEqual([id, true]);
    // What drains a dead-letter queue has no other behind it.
    if (/Dead/u.test(id)) continue;
    const { maxReceiveCount, deadLetterTargetArn } = z
      .object({ maxReceiveCount: z.int(), deadLetterTargetArn: z.unknown() })
      .parse(queue['RedrivePolicy']);
    expect(maxReceiveCount).toBeGreaterThanOrEqual(3);
    expect(maxReceiveCount).toBeLessThanOrEqual(10);
    expect(deadLetterTargetArn).toBeDefined();
  }
});

it('a function that sends to its own queue allows recursion, which Lambda would otherwise stop', async () => {
  const { Resources } = (await assembly()).template;
  const found = new Set<string>();
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type !== 'AWS::Lambda::EventSourceMapping') continue;
    const { EventSourceArn, FunctionName } = Source.parse(Properties);
    const role = Reference.parse(Resources[FunctionName.Ref]?.Properties['Role'])['Fn::GetAtt'][0];
    for (const { Properties: policy } of Object.values(Resources)) {
      const { success, data } = Policy.safeParse(policy);
      if (!success || !data.Roles.some(({ Ref }) => Ref === role)) continue;
      const sends = data.PolicyDocument.Statement.filter(({ Action }) => Action === 'sqs:SendMessage');
      const same = sends.some(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(EventSourceArn));
      if (same) found.add(FunctionName.Ref);
    }
  }
  expect(found.size).toBeGreaterThan(2);
  for (const id of found) expect([id, Resources[id]?.Properties['RecursiveLoop']]).toEqual([id, 'Allow']);
});
