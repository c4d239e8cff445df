import { createHash } from 'node:crypto';
import { ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import type { AwsResponse, ServiceContext } from '../protocol/service.ts';
import { elementsIn, emptyAnswer, textIn, xmlAnswer } from './answer.ts';
import { payloadOf } from './body.ts';
import type { Call, S3Operation } from './request.ts';
import type { ObjectStore, StoredObject } from './store.ts';
import { TAGGING, tagging } from './tags.ts';

const STORED =
  /^(?:content-type|content-language|content-disposition|cache-control|expires|x-amz-meta-.+|x-amz-storage-class|x-amz-server-side-encryption(?:-aws-kms-key-id|-bucket-key-enabled)?|x-amz-website-redirect-location)$/u;

export const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: the bytes of names and values together. */
const MOST_METADATA_BYTES = 2048;
const METADATA = 'x-amz-meta-';

/** The headers of a request that are stored with the object. @throws ServiceError `MetadataTooLarge`. */
export const storedHeaders = ({ headers }: Call): Record<string, string> => {
  const stored = Object.entries(headers).filter(([name]) => STORED.test(name));
  const size = stored
    .filter(([name]) => name.startsWith(METADATA))
    .reduce((sum, [name, value]) => sum + Buffer.byteLength(name.slice(METADATA.length) + value), 0);
  if (size > MOST_METADATA_BYTES)
    throw new ServiceError(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      400,
      { Size: size, MaxSizeAllowed: MOST_METADATA_BYTES },
    );
  const encoding = headers['content-encoding']
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked')
    .join(',');
  return {
    'content-type': 'binary/octet-stream',
    'x-amz-server-side-encryption': 'AES256',
    ...Object.fromEntries(stored),
    ...(encoding && { 'content-encoding': encoding }),
    ...(headers[TAGGING] && { [TAGGING]: tagging(new URLSearchParams(headers[TAGGING])) }),
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

/** @throws ServiceError `PreconditionFailed`, or `NoSuchKey` where `If-Match` names an absent object. */
export const expectWritable = (
  { headers, bucket, key }: Pick<Call, 'headers' | 'bucket' | 'key'>,
  store: ObjectStore,
): void => {
  const { 'if-none-match': none, 'if-match': match } = headers;
  if (Buffer.byteLength(key) > 1024)
    throw new ServiceError('KeyTooLongError', 'Your key is too long', 400, { MaxSizeAllowed: 1024 });
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: a write takes the asterisk alone.
  if (none !== undefined && none !== '*')
    throw new ServiceError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
      501,
      { Header: 'If-None-Match' },
    );
  if (none === '*' && store.head(bucket, key)) throw preconditionFailed('If-None-Match');
  if (match !== undefined && !includesEtag(match, expectObject(store, bucket, key).etag))
    throw preconditionFailed('If-Match');
};

const preconditionFailed = (Condition: string): ServiceError =>
  new ServiceError(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    412,
    { Condition },
  );

const includesEtag = (header: string, etag: string): boolean =>
  header.split(',').some((one) => [etag, etag.slice(1, -1), '*'].includes(one.trim()));

/** The operations on objects. */
export const objects = (
  { clock }: ServiceContext,
  store: ObjectStore,
): Readonly<Record<string, S3Operation>> => {
  const read = (call: Call, withBody: boolean): AwsResponse => {
    const { bucket, key, headers, query } = call;
    const object = expectObject(store, bucket, key);
    expectConditions(call, object);
    const range = rangeOf(headers['range'], object.size);
    const wantsChecksum = headers['x-amz-checksum-mode'] === 'ENABLED' && range === undefined;
    const overrides = [...query].flatMap(([name, value]) => {
      const header = /^response-(.+)$/u.exec(name)?.[1];
      return header === undefined ? [] : [[header, value]];
    });
    const { start, length } = range ?? { start: 0, length: object.size };
    const { [TAGGING]: tags, ...stored } = object.headers;
    return {
      status: range ? 206 : 200,
      headers: {
        ...stored,
        ...(tags && { 'x-amz-tagging-count': String(new URLSearchParams(tags).size) }),
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
      const headers = storedHeaders(call);
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
  };
};

/** @throws ServiceError with status 412, or with 304 where the condition says that the client has this version. */
const expectConditions = ({ headers }: Call, { etag, modifiedAt }: StoredObject): void => {
  const { 'if-match': match, 'if-none-match': none } = headers;
  const seconds = Math.floor(modifiedAt / 1000) * 1000;
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const unmodified = Date.parse(headers['if-unmodified-since'] ?? '');
  if (match !== undefined ? !includesEtag(match, etag) : seconds > unmodified)
    throw preconditionFailed(match === undefined ? 'If-Unmodified-Since' : 'If-Match');
  if (none !== undefined ? includesEtag(none, etag) : seconds <= since)
    throw new ServiceError('NotModified', 'Not Modified', 304, { etag });
};

/** The range of a `Range` header; undefined for the whole object, also where the header is invalid. */
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
