import { ServiceError } from '../protocol/json.ts';
import type { AwsRequest, AwsResponse } from '../protocol/service.ts';

/** A parsed request. `headers` includes the parameters of a presigned URL. */
export interface Call {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type S3Operation = (call: Call) => AwsResponse;

const verbs: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete', HEAD: 'Head' };

/** Parses a request with the bucket in its path or in its host name. */
export const callOf = (request: AwsRequest): Call => {
  const [, host] = /^(.+)\.(?:s3[.-][^/]*|localhost)(?::\d+)?$/u.exec(request.headers['host'] ?? '') ?? [];
  const path = request.path.slice(1);
  const slash = path.indexOf('/');
  const [bucket, key] =
    host !== undefined
      ? [host, path]
      : slash < 0
        ? [path, '']
        : [path.slice(0, slash), path.slice(slash + 1)];
  const query = new URLSearchParams(request.query);
  const carried = [...query].filter(([name]) => /^x-amz-/iu.test(name));
  return {
    method: request.method,
    bucket: decoded(bucket),
    key: decoded(key),
    query,
    headers: {
      ...Object.fromEntries(carried.map(([name, value]) => [name.toLowerCase(), value])),
      ...request.headers,
    },
    body: request.body,
  };
};

/** Decodes a text; one with invalid percent-escapes stays as it is. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The name of the operation. */
export const s3Operation = (call: Call): string => {
  if (call.bucket === '') return 'ListBuckets';
  return call.key === '' ? bucketOperation(call) : objectOperation(call);
};

const bucketOperation = ({ method, query }: Call): string => {
  const verb = verbs[method] ?? method;
  const setting = settings.find((name) => query.has(name));
  if (setting !== undefined) return `${verb}Bucket${setting.charAt(0).toUpperCase()}${setting.slice(1)}`;
  if (method === 'POST') return query.has('delete') ? 'DeleteObjects' : 'PostObject';
  if (method === 'PUT') return 'CreateBucket';
  if (method !== 'GET') return `${verb}Bucket`;
  if (query.has('location')) return 'GetBucketLocation';
  if (query.has('uploads')) return 'ListMultipartUploads';
  if (query.has('versions')) return 'ListObjectVersions';
  return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
};

/** The subresources of a bucket; of these the local S3 implements the lifecycle. */
const settings = [
  ...['lifecycle', 'encryption', 'versioning', 'policy', 'cors', 'tagging', 'notification', 'logging'],
  ...['publicAccessBlock', 'ownershipControls'],
];

const objectOperation = ({ method, query, headers }: Call): string => {
  const copies = headers['x-amz-copy-source'] !== undefined;
  const other = ['acl', 'tagging', 'attributes', 'retention', 'legal-hold', 'torrent', 'restore'].find(
    (name) => query.has(name),
  );
  if (other !== undefined)
    return `${verbs[method] ?? method}Object${other.charAt(0).toUpperCase()}${other.slice(1)}`;
  if (method === 'POST') return query.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (query.has('uploadId')) {
    if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
    return method === 'DELETE' ? 'AbortMultipartUpload' : 'ListParts';
  }
  if (method === 'PUT' && copies) return 'CopyObject';
  return `${verbs[method] ?? method}Object`;
};

/** @throws ServiceError for an expired presigned URL. */
export const expectUnexpired = ({ headers }: Call, now: number): void => {
  const { 'x-amz-expires': seconds, 'x-amz-date': date } = headers;
  if (seconds === undefined) return;
  const signedAt = Date.parse(
    (date ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (Number.isNaN(signedAt) || !/^\d{1,6}$/u.test(seconds) || Number(seconds) > 604_800) {
    throw new ServiceError(
      'AuthorizationQueryParametersError',
      'X-Amz-Date is a time as 20260301T090000Z and X-Amz-Expires at most 604800 seconds.',
    );
  }
  if (now > signedAt + Number(seconds) * 1000)
    throw new ServiceError('AccessDenied', 'Request has expired', 403);
};
