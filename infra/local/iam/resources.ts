import * as z from 'zod';
import {
  arnOf,
  document,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unused,
} from '../cloudformation/resource-type.ts';

/** Roles, policies and keys. `permissions` reads what they allow. */
export const iamTypes: ResourceTypes = {
  'AWS::IAM::Role': resourceType(
    z.strictObject({
      RoleName: z.string().optional(),
      AssumeRolePolicyDocument: document,
      ManagedPolicyArns: unused,
      Policies: unused,
      Description: z.string().optional(),
      Tags: unused,
    }),
    (id, { RoleName }, context) => {
      const name = RoleName ?? physicalName(context, id);
      return { ref: name, attributes: { Arn: `arn:aws:iam::${context.account}:role/${name}`, RoleId: id } };
    },
  ),
  'AWS::IAM::Policy': resourceType(
    z.strictObject({
      PolicyName: z.string(),
      PolicyDocument: document,
      Roles: z.array(z.string()).optional(),
    }),
    (id) => ({ ref: id }),
  ),
  'AWS::KMS::Key': resourceType(
    z.strictObject({
      Description: z.string().optional(),
      EnableKeyRotation: z.boolean().optional(),
      KeyPolicy: document,
      Tags: unused,
      PendingWindowInDays: number.optional(),
    }),
    (id, _, context) => ({ ref: id, attributes: { Arn: arnOf(context, 'kms', `key/${id}`), KeyId: id } }),
  ),
};
