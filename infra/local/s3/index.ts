import { secretOfKey } from '../iam/access-key.ts';
import { asServiceError, ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import type { AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { emptyAnswer, errorAnswer, xmlAnswer } from './answer.ts';
import { expiry, expiryRules } from './lifecycle.ts';
import { listings } from './list.ts';
import { multipart } from './multipart.ts';
import { objects } from './objects.ts';
import { expectOwnSignature } from './presigned.ts';
import { type Call, callOf, expectUnexpired, type S3Operation, s3Operation } from './request.ts';
import { ObjectStore } from './store.ts';
import { objectTags } from './tagging.ts';

/** The local S3. Objects are stored as blobs in SQLite. */
export const s3 = (context: ServiceContext): AwsService => {
  const store = new ObjectStore(context.db);
  const expire = expiry(store);
  const operations: Readonly<Record<string, S3Operation>> = {
    ...buckets(context, store),
    ...lifecycle(store),
    ...objects(context, store),
    ...objectTags(store),
    ...multipart(context, store),
    ...listings(store),
  };
  const perform = (call: Call): AwsResponse => {
    const name = s3Operation(call);
    const operation = operations[name];
    if (operation === undefined)
      throw new ServiceError('NotImplemented', `The local S3 does not support the operation ${name}.`, 501);
    expectUnexpired(call, context.clock.now());
    if (call.bucket !== '' && name !== 'CreateBucket' && !store.hasBucket(call.bucket))
      throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404, {
        BucketName: call.bucket,
      });
    expire(call.bucket, context.clock.now());
    return operation(call);
  };
  return {
    signingName: 's3',
    operation: (request) => s3Operation(callOf(request)),
    async handle(request) {
      const answer = answerOf(() => {
        expectOwnSignature(request, secretOfKey);
        return perform(callOf(request));
      }, request.path);
      const headers = { 'x-amz-request-id': crypto.randomUUID(), ...answer.headers };
      return request.method === 'HEAD' ? { ...answer, headers, body: '' } : { ...answer, headers };
    },
  };
};

const answerOf = (perform: () => AwsResponse, path: string): AwsResponse => {
  try {
    return perform();
  } catch (error) {
    const fault = asServiceError(error);
    // A response with status 304 has no body.
    return fault.status === 304 ? emptyAnswer(304, textsOf(fault.fields)) : errorAnswer(fault, path);
  }
};

const textsOf = (fields: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));

const buckets = (
  { clock, region, account }: ServiceContext,
  store: ObjectStore,
): Readonly<Record<string, S3Operation>> => ({
  CreateBucket({ bucket }) {
    if (!/^(?!xn--|.*\.\.)[a-z\d][a-z\d.-]{1,61}[a-z\d]$/u.test(bucket))
      throw new ServiceError('InvalidBucketName', 'The specified bucket is not valid.', 400, {
        BucketName: bucket,
      });
    if (store.hasBucket(bucket)) {
      throw new ServiceError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        409,
        { BucketName: bucket },
      );
    }
    store.addBucket(bucket, clock.now());
    return emptyAnswer(200, { location: `/${bucket}` });
  },
  HeadBucket: () => emptyAnswer(200, { 'x-amz-bucket-region': region }),
  GetBucketLocation: () => ({
    ...xmlAnswer('LocationConstraint', region === 'us-east-1' ? '' : region),
  }),
  DeleteBucket({ bucket }) {
    if (store.following(bucket, '', '', 1).length > 0)
      throw new ServiceError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409, {
        BucketName: bucket,
      });
    store.removeBucket(bucket);
    return emptyAnswer(204);
  },
  ListBuckets: () =>
    xmlAnswer(
      'ListAllMyBucketsResult',
      `<Owner>${element('ID', account)}</Owner><Buckets>${store
        .buckets()
        .map(
          ({ name, createdAt }) =>
            `<Bucket>${element('Name', name)}${element('CreationDate', new Date(createdAt).toISOString())}</Bucket>`,
        )
        .join('')}</Buckets>`,
    ),
});

const lifecycle = (store: ObjectStore): Readonly<Record<string, S3Operation>> => ({
  PutBucketLifecycle({ bucket, body }) {
    const text = Buffer.from(body).toString();
    expiryRules(text);
    store.putLifecycle(bucket, text);
    return emptyAnswer(200);
  },
});
