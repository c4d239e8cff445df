import { elementsIn } from '../../s3/answer.ts';
import { callOf, s3Operation } from '../../s3/request.ts';
import type { AccessRequest } from '../policy.ts';
import { type Derive, throughKey } from './derive.ts';

const objectActions: Readonly<Record<string, { readonly action: string; readonly key?: readonly string[] }>> =
  {
    GetObject: { action: 'GetObject', key: ['kms:Decrypt'] },
    HeadObject: { action: 'GetObject' },
    PutObject: { action: 'PutObject', key: ['kms:GenerateDataKey'] },
    CreateMultipartUpload: { action: 'PutObject', key: ['kms:GenerateDataKey'] },
    // The data key is generated with the upload; each part is encrypted with it, which needs its decryption.
    UploadPart: { action: 'PutObject', key: ['kms:Decrypt'] },
    CompleteMultipartUpload: { action: 'PutObject', key: ['kms:Decrypt'] },
  };
const bucketActions: Readonly<Record<string, string>> = {
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  HeadBucket: 'ListBucket',
};

export const s3: Derive = (_input, _operation, known, request) => {
  const call = callOf(request);
  const operation = s3Operation(call);
  const bucket = `arn:aws:s3:::${call.bucket}`;
  const object = (name: string, key: string): AccessRequest[] => {
    const { action, key: uses = [] } = objectActions[name] ?? { action: name };
    return [
      { action: `s3:${action}`, resource: `${bucket}/${key}` },
      ...throughKey(known, 's3', bucket, uses),
    ];
  };
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  if (operation === 'DeleteObjects')
    return elementsIn(Buffer.from(call.body).toString(), 'Key').flatMap((key) => object('DeleteObject', key));
  if (call.key !== '')
    return [
      ...object(operation, call.key),
      // To write an object with tags is to tag it.
      ...(call.headers['x-amz-tagging'] === undefined ? [] : object('PutObjectTagging', call.key)),
    ];
  const prefix = call.query.get('prefix');
  return [
    {
      action: `s3:${bucketActions[operation] ?? operation}`,
      resource: bucket,
      context: prefix === null ? {} : { 's3:prefix': [prefix] },
    },
  ];
};
