import { ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import { xmlAnswer } from './answer.ts';
import type { Call, S3Operation } from './request.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** A suffix that sorts after every key with the same beginning. */
const LAST = '\u{10ffff}';
const MOST_KEYS = 1000;

interface Page {
  readonly contents: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** The key after which the next page starts; no object needs to have it. */
  readonly next: string | undefined;
}

/** Objects and common prefixes after a key, in the order of their names. */
const pageOf = (
  store: ObjectStore,
  bucket: string,
  { prefix, delimiter, after, most }: Record<'prefix' | 'delimiter' | 'after', string> & { most: number },
): Page => {
  const contents: StoredObject[] = [];
  const prefixes: string[] = [];
  let at = after;
  while (true) {
    const found = store.following(bucket, prefix, at, most + 1);
    for (const object of found) {
      if (!object.key.startsWith(prefix)) return { contents, prefixes, next: undefined };
      const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
      const common = end < 0 ? undefined : object.key.slice(0, end + delimiter.length);
      const seen = common !== undefined && common === after;
      if (!seen && contents.length + prefixes.length >= most) return { contents, prefixes, next: at };
      if (common === undefined) {
        contents.push(object);
        at = object.key;
        continue;
      }
      // The common prefix stands for all its keys, so the search continues after the last of them.
      if (!seen) prefixes.push(common);
      at = common + LAST;
      break;
    }
    if (found.length === 0) return { contents, prefixes, next: undefined };
  }
};

/** ListObjects and ListObjectsV2. */
export const listings = (store: ObjectStore): Readonly<Record<string, S3Operation>> => {
  const list = (call: Call, after: string): { page: Page; shared: string } => {
    const { bucket, query } = call;
    const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
    const maxKeys = query.get('max-keys') ?? String(MOST_KEYS);
    if (!/^\d+$/u.test(maxKeys))
      throw new ServiceError('InvalidArgument', 'Provided max-keys not an integer or within integer range');
    const most = Math.min(Number(maxKeys), MOST_KEYS);
    const page =
      most === 0
        ? { contents: [], prefixes: [], next: undefined }
        : pageOf(store, bucket, { prefix, delimiter, after, most });
    const name = encoder(query);
    const shared = [
      element('Name', bucket),
      element('Prefix', name(prefix)),
      element('MaxKeys', most),
      delimiter === '' ? '' : element('Delimiter', name(delimiter)),
      element('EncodingType', query.get('encoding-type')),
      element('IsTruncated', String(page.next !== undefined)),
      ...page.contents.map(
        ({ key, etag, size, modifiedAt, headers }) =>
          `<Contents>${element('Key', name(key))}${element('LastModified', new Date(modifiedAt).toISOString())}${element('ETag', etag)}${element('Size', size)}${element('StorageClass', headers['x-amz-storage-class'] ?? 'STANDARD')}</Contents>`,
      ),
      ...page.prefixes.map((one) => `<CommonPrefixes>${element('Prefix', name(one))}</CommonPrefixes>`),
    ].join('');
    return { page, shared };
  };
  return {
    ListObjectsV2(call) {
      const { query } = call;
      const token = query.get('continuation-token');
      const after = token === null ? (query.get('start-after') ?? '') : fromToken(token);
      const { page, shared } = list(call, after);
      return xmlAnswer(
        'ListBucketResult',
        shared +
          element('KeyCount', page.contents.length + page.prefixes.length) +
          element('ContinuationToken', token) +
          element('NextContinuationToken', page.next === undefined ? null : toToken(page.next)) +
          element(
            'StartAfter',
            query.has('start-after') ? encoder(query)(query.get('start-after') ?? '') : null,
          ),
      );
    },
    ListObjects(call) {
      const { query } = call;
      const marker = query.get('marker') ?? '';
      const { page, shared } = list(call, marker);
      const next = page.next?.endsWith(LAST) === true ? page.next.slice(0, -LAST.length) : page.next;
      return xmlAnswer(
        'ListBucketResult',
        shared +
          element('Marker', encoder(query)(marker)) +
          element('NextMarker', next === undefined ? null : encoder(query)(next)),
      );
    },
  };
};

/** Clients request URL encoding because XML cannot hold every key. */
const encoder = (query: URLSearchParams): ((text: string) => string) =>
  query.get('encoding-type') === 'url'
    ? (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+')
    : (text) => text;

const toToken = (key: string): string => Buffer.from(key).toString('base64url');
const fromToken = (token: string): string => Buffer.from(token, 'base64url').toString();
