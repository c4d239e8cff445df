import * as z from 'zod';
import {
  arnOf,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unused,
} from '../cloudformation/resource-type.ts';

const text = z.string();
/** Lambda begins to read a queue with five concurrent batches. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const DEFAULT_CONCURRENCY = 5;

const FunctionProperties = z.strictObject({
  FunctionName: text.optional(),
  Description: text.optional(),
  Code: z.strictObject({ S3Bucket: text, S3Key: text }),
  Handler: z.literal('index.handler'),
  Runtime: z.literal('nodejs24.x'),
  Role: text,
  Architectures: z.array(z.enum(['arm64', 'x86_64'])).optional(),
  Environment: z.strictObject({ Variables: z.record(text, z.coerce.string()) }).optional(),
  MemorySize: number.default(128),
  Timeout: number.default(3),
  LoggingConfig: unused,
  RecursiveLoop: z.enum(['Allow', 'Terminate']).optional(),
  TracingConfig: unused,
  DeadLetterConfig: z.strictObject({ TargetArn: text }).optional(),
  Tags: unused,
});

const InvokeConfig = z.strictObject({
  FunctionName: text,
  Qualifier: z.literal('$LATEST'),
  MaximumRetryAttempts: number.optional(),
  MaximumEventAgeInSeconds: number.optional(),
  DestinationConfig: z
    .strictObject({ OnFailure: z.strictObject({ Destination: text }).optional() })
    .optional(),
});

const EventSourceMapping = z.strictObject({
  EventSourceArn: text,
  FunctionName: text,
  BatchSize: number.default(10),
  MaximumBatchingWindowInSeconds: number.default(0),
  FunctionResponseTypes: z.tuple([z.literal('ReportBatchItemFailures')]),
  ScalingConfig: z.strictObject({ MaximumConcurrency: number }).optional(),
  Enabled: z.boolean().optional(),
  Tags: unused,
});

export const lambdaTypes: ResourceTypes = {
  'AWS::Lambda::Function': resourceType(FunctionProperties, (id, properties, context) => {
    const name = properties.FunctionName ?? physicalName(context, id);
    const arn = arnOf(context, 'lambda', `function:${name}`);
    context.functions.set(name, {
      ...{ name, arn, roleArn: properties.Role, code: properties.Code.S3Key },
      environment: properties.Environment?.Variables ?? {},
      timeoutSeconds: properties.Timeout,
      memoryMegabytes: properties.MemorySize,
      mayLoop: properties.RecursiveLoop === 'Allow',
      deadLetterArn: properties.DeadLetterConfig?.TargetArn,
    });
    return { ref: name, attributes: { Arn: arn } };
  }),
  'AWS::Lambda::EventInvokeConfig': resourceType(InvokeConfig, (id, properties, { functions }) => {
    const target = functions.get(properties.FunctionName);
    if (target === undefined)
      throw new Error(`${id}: the template has no function ${properties.FunctionName}.`);
    functions.set(target.name, {
      ...target,
      eventRetries: properties.MaximumRetryAttempts,
      eventAgeSeconds: properties.MaximumEventAgeInSeconds,
      onFailure: properties.DestinationConfig?.OnFailure?.Destination,
    });
    return { ref: id };
  }),
  'AWS::Lambda::EventSourceMapping': resourceType(EventSourceMapping, (id, properties, { eventSources }) => {
    eventSources.push({
      queueArn: properties.EventSourceArn,
      functionName: properties.FunctionName,
      batchSize: properties.BatchSize,
      windowSeconds: properties.MaximumBatchingWindowInSeconds,
      maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency ?? DEFAULT_CONCURRENCY,
    });
    return { ref: id };
  }),
  'AWS::Lambda::Permission': resourceType(
    z.strictObject({
      Action: z.literal('lambda:InvokeFunction'),
      FunctionName: text,
      Principal: text,
      SourceArn: text.optional(),
    }),
    (id) => ({ ref: id }),
  ),
};
