import { createHash } from 'node:crypto';
import * as z from 'zod';
import {
  type DeployContext,
  document,
  number,
  physicalName,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';
import { element } from '../protocol/query.ts';

const Rule = z.looseObject({
  Id: z.string().optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().default(''),
  ExpirationInDays: number.optional(),
  TagFilters: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});
type Rule = z.infer<typeof Rule>;

const XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export const s3Types: ResourceTypes = {
  'AWS::S3::Bucket': resourceType(
    z.strictObject({
      BucketName: z.string().optional(),
      BucketEncryption: unused,
      PublicAccessBlockConfiguration: unused,
      LifecycleConfiguration: z.strictObject({ Rules: z.array(Rule) }).optional(),
      VersioningConfiguration: unused,
      OwnershipControls: unused,
      LoggingConfiguration: unused,
      CorsConfiguration: unused,
      Tags: unused,
    }),
    async (id, { BucketName, LifecycleConfiguration }, context) => {
      const name = BucketName ?? physicalName(context, id).toLowerCase();
      await createBucket(context, name);
      if (LifecycleConfiguration) await putLifecycle(context, name, LifecycleConfiguration.Rules);
      return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
    },
  ),
  'AWS::S3::BucketPolicy': resourceType(
    z.strictObject({ Bucket: z.string(), PolicyDocument: document }),
    (id) => ({ ref: id }),
  ),
};

const createBucket = async ({ endpointRegion, callRest }: DeployContext, name: string): Promise<void> => {
  const body =
    endpointRegion === 'us-east-1'
      ? ''
      : `<CreateBucketConfiguration ${XMLNS}>${element('LocationConstraint', endpointRegion)}</CreateBucketConfiguration>`;
  await unless('BucketAlreadyOwnedByYou', callRest('s3', { method: 'PUT', path: `/${name}`, body }));
};

/** Puts the rules that expire objects. Rules that only abort uploads have no effect on one machine. */
const putLifecycle = async (
  { callRest }: DeployContext,
  name: string,
  rules: readonly Rule[],
): Promise<void> => {
  const body = `<LifecycleConfiguration ${XMLNS}>${rules
    .filter(({ ExpirationInDays }) => ExpirationInDays !== undefined)
    .map(
      ({ Id, Status, Prefix, ExpirationInDays, TagFilters }) =>
        `<Rule>${element('ID', Id)}${element('Status', Status)}<Filter><And>${element('Prefix', Prefix)}${TagFilters.map(({ Key, Value }) => `<Tag>${element('Key', Key)}${element('Value', Value)}</Tag>`).join('')}</And></Filter><Expiration>${element('Days', ExpirationInDays)}</Expiration></Rule>`,
    )
    .join('')}</LifecycleConfiguration>`;
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
  await callRest('s3', { method: 'PUT', path: `/${name}`, query: 'lifecycle=', headers, body });
};
