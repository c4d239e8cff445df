import { createHash } from 'node:crypto';
import { ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import type { AwsResponse, ServiceContext } from '../protocol/service.ts';
import { elementsIn, emptyAnswer, textIn, xmlAnswer } from './answer.ts';
import { payloadOf } from './body.ts';
import type { Call, S3Operation } from './request.ts';
import type { ObjectStore, StoredObject } from './store.ts';

const KEPT =
  /^(?:content-type|content-language|content-disposition|cache-control|expires|x-amz-meta-.+|x-amz-storage-class|x-amz-server-side-encryption(?:-aws-kms-key-id|-bucket-key-enabled)?|x-amz-website-redirect-location)$/u;

export const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** The headers of a request that an object keeps, as the bucket's own encryption completes them. */
export const keptHeaders = (store: ObjectStore, { bucket, headers }: Call): Record<string, string> => {
  const kept = Object.entries(headers).filter(([name]) => KEPT.test(name));
  const encoding = headers['content-encoding']
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked')
    .join(',');
  const encryption = store.setting(bucket, 'encryption') ?? '';
  const key = textIn(encryption, 'KMSMasterKeyID');
  return {
    'content-type': 'binary/octet-stream',
    'x-amz-server-side-encryption': textIn(encryption, 'SSEAlgorithm') ?? 'AES256',
    ...(key !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': key }),
    ...Object.fromEntries(kept),
    ...(encoding && { 'content-encoding': encoding }),
  };
};

export const encryptionOf = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side-encryption')),
  );

/** @throws ServiceError `NoSuchKey`. */
export const expectObject = (store: ObjectStore, bucket: string, key: string): StoredObject => {
  const object = store.head(bucket, key);
  if (object) return object;
  throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
};

/** @throws ServiceError `PreconditionFailed`, or `NoSuchKey` where something was to be replaced. */
export const expectWritable = (
  { headers, bucket, key }: Pick<Call, 'headers' | 'bucket' | 'key'>,
  store: ObjectStore,
): void => {
  const { 'if-none-match': none, 'if-match': match } = headers;
  if (Buffer.byteLength(key) > 1024)
    throw new ServiceError('KeyTooLongError', 'Your key is too long', 400, { MaxSizeAllowed: 1024 });
  if (none === '*' && store.head(bucket, key)) throw preconditionFailed('If-None-Match');
  if (match !== undefined && !isNamed(match, expectObject(store, bucket, key).etag))
    throw preconditionFailed('If-Match');
};

const preconditionFailed = (Condition: string): ServiceError =>
  new ServiceError(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    412,
    { Condition },
  );

const isNamed = (header: string, etag: string): boolean =>
  header.split(',').some((one) => [etag, etag.slice(1, -1), '*'].includes(one.trim()));

/** Objects: written, read in whole or in part, copied, removed. */
export const objects = (
  { clock }: ServiceContext,
  store: ObjectStore,
): Readonly<Record<string, S3Operation>> => {
  const read = (call: Call, withBody: boolean): AwsResponse => {
    const { bucket, key, headers, query } = call;
    const object = expectObject(store, bucket, key);
    expectFresh(call, object);
    const range = rangeOf(headers['range'], object.size);
    const wantsChecksum = headers['x-amz-checksum-mode'] === 'ENABLED' && range === undefined;
    const overrides = [...query].flatMap(([name, value]) => {
      const header = /^response-(.+)$/u.exec(name)?.[1];
      return header === undefined ? [] : [[header, value]];
    });
    const { start, length } = range ?? { start: 0, length: object.size };
    return {
      status: range ? 206 : 200,
      headers: {
        ...object.headers,
        ...Object.fromEntries(overrides),
        ...(wantsChecksum && object.checksums),
        etag: object.etag,
        'last-modified': new Date(object.modifiedAt).toUTCString(),
        'accept-ranges': 'bytes',
        'content-length': String(length),
        ...(range && { 'content-range': `bytes ${start}-${start + length - 1}/${object.size}` }),
      },
      body: withBody ? store.bytes(bucket, key, start, length) : '',
    };
  };
  return {
    PutObject(call) {
      const { bucket, key } = call;
      const { bytes, checksums } = payloadOf(call);
      expectWritable(call, store);
      const headers = keptHeaders(store, call);
      const etag = etagOf(bytes);
      store.put(bucket, { key, etag, headers, checksums, modifiedAt: clock.now() }, bytes);
      return emptyAnswer(200, { etag, ...checksums, ...encryptionOf(headers) });
    },
    GetObject: (call) => read(call, true),
    HeadObject: (call) => read(call, false),
    DeleteObject(call) {
      const present = store.head(call.bucket, call.key);
      if (present && call.headers['if-match'] !== undefined) expectWritable(call, store);
      store.remove(call.bucket, call.key);
      return emptyAnswer(204);
    },
    DeleteObjects(call) {
      const xml = Buffer.from(payloadOf(call).bytes).toString();
      const keys = elementsIn(xml, 'Object').map((object) => textIn(object, 'Key'));
      if (keys.length === 0 || keys.length > 1000 || keys.includes(undefined))
        throw new ServiceError('MalformedXML', 'A Delete names 1 to 1000 objects, each with its Key.');
      for (const key of keys) if (key !== undefined) store.remove(call.bucket, key);
      const quiet = textIn(xml, 'Quiet') === 'true';
      const deleted = keys.map((key) => `<Deleted>${element('Key', key)}</Deleted>`);
      return xmlAnswer('DeleteResult', quiet ? '' : deleted.join(''));
    },
    CopyObject(call) {
      const { bucket, key, headers } = call;
      const source = sourceOf(call, store);
      const replaces = headers['x-amz-metadata-directive'] === 'REPLACE';
      if (source.bucket === bucket && source.object.key === key && !replaces) {
        throw new ServiceError(
          'InvalidRequest',
          'This copy request is illegal because it is trying to copy an object to itself without changing its metadata.',
        );
      }
      expectWritable(call, store);
      const kept = replaces
        ? keptHeaders(store, call)
        : { ...source.object.headers, ...encryptionOf(keptHeaders(store, call)) };
      const bytes = store.bytes(source.bucket, source.object.key, 0, source.object.size);
      const etag = etagOf(bytes);
      const modifiedAt = clock.now();
      store.put(bucket, { key, etag, headers: kept, checksums: source.object.checksums, modifiedAt }, bytes);
      return xmlAnswer(
        'CopyObjectResult',
        element('ETag', etag) + element('LastModified', new Date(modifiedAt).toISOString()),
      );
    },
  };
};

/** The object that a copy names, once its conditions hold. */
export const sourceOf = (
  { headers }: Call,
  store: ObjectStore,
): { readonly bucket: string; readonly object: StoredObject } => {
  const path = decodeURIComponent((headers['x-amz-copy-source'] ?? '').replace(/^\/|\?.*$/gu, ''));
  const slash = path.indexOf('/');
  const bucket = path.slice(0, slash);
  if (!store.hasBucket(bucket))
    throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404, {
      BucketName: bucket,
    });
  const object = expectObject(store, bucket, path.slice(slash + 1));
  const match = headers['x-amz-copy-source-if-match'];
  const none = headers['x-amz-copy-source-if-none-match'];
  if (match !== undefined && !isNamed(match, object.etag)) throw preconditionFailed('If-Match');
  if (none !== undefined && isNamed(none, object.etag)) throw preconditionFailed('If-None-Match');
  return { bucket, object };
};

/** @throws ServiceError with status 412, or 304 where the reader has it already. */
const expectFresh = ({ headers }: Call, { etag, modifiedAt }: StoredObject): void => {
  const { 'if-match': match, 'if-none-match': none } = headers;
  const seconds = Math.floor(modifiedAt / 1000) * 1000;
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const unmodified = Date.parse(headers['if-unmodified-since'] ?? '');
  if (match !== undefined ? !isNamed(match, etag) : seconds > unmodified)
    throw preconditionFailed(match === undefined ? 'If-Unmodified-Since' : 'If-Match');
  if (none !== undefined ? isNamed(none, etag) : seconds <= since)
    throw new ServiceError('NotModified', 'Not Modified', 304, { etag });
};

/** The part that a `Range` asks for; a range that cannot be read asks for everything. */
const rangeOf = (
  header: string | undefined,
  size: number,
): { readonly start: number; readonly length: number } | undefined => {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/u.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start > end)
    throw new ServiceError('InvalidRange', 'The requested range is not satisfiable', 416, {
      ActualObjectSize: size,
      RangeRequested: header,
    });
  return { start, length: end - start + 1 };
};
