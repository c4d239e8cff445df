import { asServiceError, ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import type { AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { emptyAnswer, errorAnswer, xmlAnswer } from './answer.ts';
import { expiry, expiryRules } from './lifecycle.ts';
import { listings } from './list.ts';
import { multipart } from './multipart.ts';
import { objects } from './objects.ts';
import { type Call, callOf, expectUnexpired, type S3Operation, s3Operation, settings } from './request.ts';
import { ObjectStore } from './store.ts';

/** S3 on one machine: objects are blobs in SQLite. */
export const s3 = (surroundings: ServiceContext): AwsService => {
  const store = new ObjectStore(surroundings.db);
  const expire = expiry(store);
  const operations: Readonly<Record<string, S3Operation>> = {
    ...buckets(surroundings, store),
    ...configuration(store),
    ...objects(surroundings, store),
    ...multipart(surroundings, store),
    ...listings(store),
  };
  const perform = (call: Call): AwsResponse => {
    const name = s3Operation(call);
    const operation = operations[name];
    if (operation === undefined)
      throw new ServiceError('NotImplemented', `The local S3 does not know the operation ${name}.`, 501);
    expectUnexpired(call, surroundings.clock.now());
    if (call.bucket !== '' && name !== 'CreateBucket' && !store.hasBucket(call.bucket))
      throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404, {
        BucketName: call.bucket,
      });
    expire(call.bucket, surroundings.clock.now());
    return operation(call);
  };
  return {
    signingName: 's3',
    operation: (request) => s3Operation(callOf(request)),
    async handle(request) {
      const answer = answerOf(() => perform(callOf(request)), request.path);
      const headers = { 'x-amz-request-id': crypto.randomUUID(), ...answer.headers };
      return request.method === 'HEAD' ? { ...answer, headers, body: '' } : { ...answer, headers };
    },
  };
};

const answerOf = (perform: () => AwsResponse, path: string): AwsResponse => {
  try {
    return perform();
  } catch (error) {
    const known = asServiceError(error);
    // A conditional read that found nothing new has no body to say so in.
    return known.status === 304 ? emptyAnswer(304, textsOf(known.fields)) : errorAnswer(known, path);
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

/** A bucket's configuration is kept as it was written and given back; what expires by it does so here too. */
const configuration = (store: ObjectStore): Readonly<Record<string, S3Operation>> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([query, { name, missing }]): [string, S3Operation][] => [
      [
        `Put${name}`,
        ({ bucket, body }) => {
          const text = Buffer.from(body).toString();
          if (query === 'lifecycle') expiryRules(text);
          if (query === 'versioning' && text.includes('Enabled'))
            throw new ServiceError('NotImplemented', 'The local S3 keeps one version of each object.', 501);
          store.putSetting(bucket, query, text);
          return emptyAnswer(query === 'policy' ? 204 : 200);
        },
      ],
      [
        `Get${name}`,
        ({ bucket }) => {
          const text = store.setting(bucket, query);
          if (text === undefined && missing !== undefined)
            throw new ServiceError(missing, `The bucket has no ${name}.`, 404, { BucketName: bucket });
          const type = query === 'policy' ? 'application/json' : 'application/xml';
          return text === undefined
            ? xmlAnswer(emptyRoots[query] ?? name, '')
            : { status: 200, headers: { 'content-type': type }, body: text };
        },
      ],
      [
        `Delete${name}`,
        ({ bucket }) => {
          store.removeSetting(bucket, query);
          return emptyAnswer(204);
        },
      ],
    ]),
  );

const emptyRoots: Readonly<Record<string, string>> = {
  versioning: 'VersioningConfiguration',
  notification: 'NotificationConfiguration',
  logging: 'BucketLoggingStatus',
};
