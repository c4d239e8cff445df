import * as z from 'zod';
import {
  arnOf,
  document,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';

const Queue = z.strictObject({
  QueueName: z.string().optional(),
  VisibilityTimeout: number.optional(),
  MessageRetentionPeriod: number.optional(),
  DelaySeconds: number.optional(),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: number }).optional(),
  RedriveAllowPolicy: document.optional(),
  SqsManagedSseEnabled: z.boolean().optional(),
  Tags: unused,
});

export const sqsTypes: ResourceTypes = {
  'AWS::SQS::Queue': resourceType(Queue, async (id, properties, context) => {
    const { QueueName = physicalName(context, id) } = properties;
    const Attributes = attributesOf(properties);
    await unless('QueueNameExists', context.call('sqs', 'AmazonSQS.CreateQueue', { QueueName, Attributes }));
    const { QueueUrl } = await context.call('sqs', 'AmazonSQS.GetQueueUrl', { QueueName });
    await context.call('sqs', 'AmazonSQS.SetQueueAttributes', { QueueUrl, Attributes });
    const ref = String(QueueUrl);
    return { ref, attributes: { Arn: arnOf(context, 'sqs', QueueName), QueueName, QueueUrl: ref } };
  }),
  'AWS::SQS::QueuePolicy': resourceType(
    z.strictObject({ Queues: z.array(z.string()), PolicyDocument: document }),
    (id) => ({ ref: id }),
  ),
};

const attributesOf = ({
  VisibilityTimeout,
  MessageRetentionPeriod,
  DelaySeconds,
  RedrivePolicy,
  RedriveAllowPolicy,
}: z.output<typeof Queue>): Record<string, string> => {
  const attributes = {
    ...{ VisibilityTimeout, MessageRetentionPeriod, DelaySeconds },
    RedrivePolicy: RedrivePolicy && JSON.stringify(RedrivePolicy),
    RedriveAllowPolicy: RedriveAllowPolicy && JSON.stringify(RedriveAllowPolicy),
  };
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
};
