import * as z from 'zod';
import {
  arnOf,
  document,
  inertType,
  physicalName,
  type ResourceTypes,
  resourceType,
  unused,
} from '../cloudformation/resource-type.ts';

const text = z.string();

export const snsTypes: ResourceTypes = {
  'AWS::SNS::Topic': resourceType(
    z.strictObject({
      DisplayName: text.optional(),
      TopicName: text.optional(),
      KmsMasterKeyId: text.optional(),
      Tags: unused,
    }),
    async (id, { TopicName }, context) => {
      const name = TopicName ?? physicalName(context, id);
      await context.callQuery('sns', { Action: 'CreateTopic', Name: name });
      const arn = arnOf(context, 'sns', name);
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  ),
  'AWS::SNS::TopicPolicy': inertType(z.strictObject({ PolicyDocument: document, Topics: z.array(text) })),
  'AWS::SNS::Subscription': resourceType(
    z.strictObject({
      Protocol: z.enum(['email', 'https', 'sqs', 'lambda']),
      Endpoint: text,
      TopicArn: text,
      RedrivePolicy: z.strictObject({ deadLetterTargetArn: text }).optional(),
    }),
    async (id, { Protocol, Endpoint, TopicArn, RedrivePolicy }, { callQuery }) => {
      await callQuery('sns', {
        ...{ Action: 'Subscribe', TopicArn, Protocol, Endpoint },
        ...(RedrivePolicy && {
          'Attributes.entry.1.key': 'RedrivePolicy',
          'Attributes.entry.1.value': JSON.stringify(RedrivePolicy),
        }),
      });
      return { ref: id };
    },
  ),
};
