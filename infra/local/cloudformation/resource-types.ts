import * as z from 'zod';
import { apiGatewayTypes } from '../api-gateway/resources.ts';
import { cloudwatchTypes } from '../cloudwatch/resources.ts';
import { dynamodbTypes } from '../dynamodb/resources.ts';
import { eventbridgeTypes } from '../eventbridge/resources.ts';
import { iamTypes } from '../iam/resources.ts';
import { lambdaTypes } from '../lambda/resources.ts';
import { s3Types } from '../s3/resources.ts';
import { schedulerTypes } from '../scheduler/resources.ts';
import { secretsManagerTypes } from '../secrets-manager/resources.ts';
import { sesTypes } from '../ses/resources.ts';
import { snsTypes } from '../sns/resources.ts';
import { sqsTypes } from '../sqs/resources.ts';
import { type ResourceType, type ResourceTypes, resourceType } from './resource-type.ts';

const types: ResourceTypes = {
  ...apiGatewayTypes,
  ...cloudwatchTypes,
  ...dynamodbTypes,
  ...eventbridgeTypes,
  ...iamTypes,
  ...lambdaTypes,
  ...s3Types,
  ...schedulerTypes,
  ...secretsManagerTypes,
  ...sesTypes,
  ...snsTypes,
  ...sqsTypes,
  'AWS::CDK::Metadata': resourceType(z.looseObject({}), (id) => ({ ref: id })),
};

const customType = (type: string): ResourceType =>
  resourceType(z.looseObject({ ServiceToken: z.string() }), (id, properties, { customResources }) => {
    customResources.push({ id, type, serviceToken: properties.ServiceToken, properties });
    return { ref: id };
  });

/** The resource type of this name; undefined if it is not supported. */
export const resourceTypeOf = (name: string): ResourceType | undefined =>
  name.startsWith('Custom::') ? customType(name) : types[name];
