import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { isAwsRefusal, refusalStatus } from './refusal.ts';
import { type RestRequest, signedCalls } from './signed.ts';

/** The hub's bucket. Keys are plain text; the client encodes them. Every method rejects with `HubError` `bucket-fault` (later). */
export interface Bucket {
  /** Writes an object whole. */
  put(key: string, body: string | Uint8Array, contentType?: string): Promise<void>;
  /**
   * Writes an object that the bucket's lifecycle rule removes after two weeks, unless it is kept before. One that
   * is there already stays as it is, so that a redelivery cannot make a kept object expire.
   */
  putUncommitted(key: string, body: string | Uint8Array, contentType: string): Promise<void>;
  /**
   * Keeps an object that was written uncommitted; one that is absent is passed over. The caller needs the permission to
   * list the bucket: without it S3 answers an absent object and a missing permission alike, and this rejects.
   */
  keep(key: string): Promise<void>;
  /**
   * Writes an uncommitted object of any length, holding one part of it in memory; it replaces one that is there. Rejects
   * with what `bytes` throws; then no object is written, and the lifecycle rule of the bucket removes the parts.
   */
  uploadUncommitted(key: string, bytes: AsyncIterable<Uint8Array>, contentType: string): Promise<void>;
  /** The bytes of an object; undefined where there is none. */
  get(key: string): Promise<Buffer | undefined>;
  /** Some bytes of an object from an offset on, and its size; undefined where there is none. */
  getRange(key: string, from: number, length: number): Promise<ByteRange | undefined>;
  /** An object as a stream, with its headers; undefined where there is none. */
  open(key: string): Promise<Response | undefined>;
  has(key: string): Promise<boolean>;
  /** At most 1,000 objects under a prefix in the order of their keys, after a key; empty where there are no more. */
  list(prefix: string, after: string): Promise<readonly StoredObject[]>;
  /** Removes an object; one that is absent counts as removed. */
  remove(key: string): Promise<void>;
  /** Begins an object that is written part by part, over several invocations. Resolves to the id of the upload. */
  beginUpload(key: string, contentType: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** Writes a part, from number 1 on, of at least 5 MiB except for the last; again, it replaces itself. Resolves to its ETag. */
  uploadPart(key: string, upload: string, number: number, body: Uint8Array): Promise<string>;
  completeUpload(key: string, upload: string, etags: readonly string[]): Promise<void>;
  presign: Presign;
}

/**
 * Signs a URL that allows its holder one request for some seconds. `answer`: query parameters that change the headers of
 * S3's answer, such as `response-content-disposition`.
 */
export type Presign = (
  method: 'GET' | 'PUT',
  key: string,
  seconds: number,
  answer?: Readonly<Record<string, string>>,
) => Promise<string>;

interface StoredObject {
  readonly key: string;
  /** ISO 8601, to the second. */
  readonly modifiedAt: string;
}

export interface ByteRange {
  readonly bytes: Buffer;
  /** Of the whole object, in bytes. */
  readonly size: number;
}

/** S3 takes parts from 5 MiB on (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const PART_BYTES = 8 * 1024 * 1024;
const PLAIN = 'application/octet-stream';
/** The tag by which the lifecycle rule of infra/stack/resources/storage.ts finds what no row names. */
const UNCOMMITTED = { 'x-amz-tagging': 'uncommitted=true' };

export const bucket = (runtime: Pick<Runtime, 'env' | 'aws' | 'random' | 'sleep'>): Bucket => {
  const aws = signedCalls(runtime);
  const root = `/${runtime.env['BUCKET']}`;
  const pathOf = (key: string): string => `${root}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const send = async (key: string, request: Omit<RestRequest, 'path'>): Promise<Response> => {
    try {
      return await aws.rest('s3', { ...request, path: pathOf(key) });
    } catch (error) {
      throw fault(`${request.method} ${key}`, error);
    }
  };
  /** Undefined where there is no object: S3 answers 403 instead of 404 where the caller may not list the bucket. */
  const read = async (key: string, request: Omit<RestRequest, 'path'>): Promise<Response | undefined> => {
    try {
      return await aws.rest('s3', { ...request, path: pathOf(key) });
    } catch (error) {
      const status = refusalStatus(error);
      if (status === 404 || status === 403) return undefined;
      throw fault(`${request.method} ${key}`, error);
    }
  };
  const own: Omit<Bucket, 'uploadUncommitted'> = {
    async put(key, body, contentType = PLAIN) {
      await send(key, { method: 'PUT', headers: { 'content-type': contentType }, body });
    },
    async putUncommitted(key, body, contentType) {
      const headers = { ...UNCOMMITTED, 'content-type': contentType, 'if-none-match': '*' };
      try {
        await send(key, { method: 'PUT', headers, body });
      } catch (error) {
        if (!(error instanceof HubError && refusalStatus(error.cause) === 412)) throw error;
      }
    },
    async keep(key) {
      try {
        await send(key, { method: 'DELETE', query: { tagging: '' } });
      } catch (error) {
        if (!(error instanceof HubError && refusalStatus(error.cause) === 404)) throw error;
      }
    },
    async get(key) {
      const object = await read(key, { method: 'GET' });
      return object && Buffer.from(await object.arrayBuffer());
    },
    async getRange(key, from, length) {
      const headers = { range: `bytes=${from}-${from + length - 1}` };
      try {
        const object = await read(key, { method: 'GET', headers });
        return object && (await rangeOf(object));
      } catch (error) {
        // An empty object has no range.
        if (error instanceof HubError && refusalStatus(error.cause) === 416)
          return { bytes: Buffer.alloc(0), size: 0 };
        throw error;
      }
    },
    open: (key) => read(key, { method: 'GET' }),
    has: async (key) => (await read(key, { method: 'HEAD' })) !== undefined,
    async list(prefix, after) {
      const query = { 'list-type': '2', prefix, ...(after !== '' && { 'start-after': after }) };
      const page = await aws.rest('s3', { method: 'GET', path: root, query }).then(
        (answer) => answer.text(),
        (error: unknown) => {
          throw fault(`GET ?list-type=2 ${prefix}`, error);
        },
      );
      if (!page.includes('<ListBucketResult')) throw fault(`GET ?list-type=2 ${prefix}`);
      return elements(page, 'Contents').map((content) => ({
        key: element(content, 'Key'),
        modifiedAt: element(content, 'LastModified'),
      }));
    },
    async remove(key) {
      await send(key, { method: 'DELETE' });
    },
    async beginUpload(key, contentType, more) {
      const headers = { ...more, 'content-type': contentType };
      const begun = await send(key, { method: 'POST', query: { uploads: '' }, headers });
      const id = element(await begun.text(), 'UploadId');
      if (id === '') throw fault(`POST ${key}?uploads`);
      return id;
    },
    async uploadPart(key, uploadId, number, body) {
      const query = { partNumber: String(number), uploadId };
      const etag = (await send(key, { method: 'PUT', query, body })).headers.get('etag');
      if (etag === null) throw fault(`PUT ${key}?partNumber=${number}`);
      return etag;
    },
    async completeUpload(key, uploadId, etags) {
      const parts = etags.map(
        (etag, position) => `<Part><PartNumber>${position + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      const completed = await send(key, { method: 'POST', query: { uploadId }, body });
      // S3 sends the status 200 before it has assembled the object, so a failure is an `<Error>` in the body
      // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
      if (!(await completed.text()).includes('<CompleteMultipartUploadResult'))
        throw fault(`POST ${key}?uploadId`);
    },
    presign: (method, key, seconds, answer = {}) =>
      aws.presign('s3', { method, path: pathOf(key), query: answer }, seconds),
  };
  return {
    ...own,
    uploadUncommitted: (key, bytes, contentType) => uploadUncommitted(own, key, bytes, contentType),
  };
};

const fault = (request: string, error?: unknown): HubError => {
  const answer = isAwsRefusal(error) ? `${refusalStatus(error)} ${error.name}` : 'no usable answer';
  return new HubError('bucket-fault', `S3 gave ${answer} to ${request}. It is retried automatically.`, {
    retry: 'later',
    cause: error,
  });
};

const rangeOf = async (object: Response): Promise<ByteRange> => {
  const bytes = Buffer.from(await object.arrayBuffer());
  const size = /\/(\d+)$/u.exec(object.headers.get('content-range') ?? '')?.[1];
  return { bytes, size: size === undefined ? bytes.length : Number(size) };
};

const uploadUncommitted = async (
  bucket: Pick<Bucket, 'putUncommitted' | 'beginUpload' | 'uploadPart' | 'completeUpload'>,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<void> => {
  let id: string | undefined;
  const etags: string[] = [];
  for await (const { bytes: body, isLast } of inParts(bytes)) {
    if (id === undefined && isLast) return bucket.putUncommitted(key, body, contentType);
    id ??= await bucket.beginUpload(key, contentType, UNCOMMITTED);
    etags.push(await bucket.uploadPart(key, id, etags.length + 1, body));
  }
  await bucket.completeUpload(key, id ?? '', etags);
};

/** The bytes in parts of the same length; the last one is shorter. */
async function* inParts(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  let part = new Uint8Array(0);
  let filled = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (filled === PART_BYTES) {
        yield { bytes: part, isLast: false };
        filled = 0;
      }
      if (filled === 0) part = new Uint8Array(PART_BYTES);
      const taken = rest.subarray(0, PART_BYTES - filled);
      part.set(taken, filled);
      filled += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
    }
  }
  yield { bytes: part.subarray(0, filled), isLast: true };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** What stands in each XML element of that name, none of which holds another. */
const elements = (xml: string, name: string): string[] =>
  xml
    .split(`<${name}>`)
    .slice(1)
    .map((rest) => rest.slice(0, Math.max(rest.indexOf(`</${name}>`), 0)));

/** The text of an XML element; empty where it is absent. */
const element = (xml: string, name: string): string =>
  (elements(xml, name)[0] ?? '').replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/giu,
    (whole, decimal?: string, hex?: string, entity = '') =>
      decimal !== undefined
        ? String.fromCodePoint(Number(decimal))
        : hex !== undefined
          ? String.fromCodePoint(Number.parseInt(hex, 16))
          : (entities[entity] ?? whole),
  );
