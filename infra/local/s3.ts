import { createHash } from 'node:crypto';
import { asServiceError, ServiceError } from './json.ts';
import { escapeXml } from './query-protocol.ts';
import type { AwsRequest, AwsResponse, AwsService, Surroundings } from './service.ts';

interface Address {
  readonly bucket: string;
  readonly key: string;
}

/** Path style, which the hub's clients use; the virtual-host style of other clients is told by the host. */
const addressOf = (request: AwsRequest): Address => {
  const path = decodeURIComponent(request.path.slice(1));
  const host = /^(.+)\.s3[.-]/u.exec(request.headers['host'] ?? '')?.[1];
  if (host !== undefined) return { bucket: host, key: path };
  const slash = path.indexOf('/');
  return slash < 0 ? { bucket: path, key: '' } : { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
};

/** The payload of a body that was signed in chunks: `<hex size>;…\r\n<bytes>\r\n` until a chunk of size 0. */
const payloadOf = ({ headers, body }: AwsRequest): Uint8Array => {
  const chunked =
    headers['content-encoding']?.includes('aws-chunked') === true ||
    headers['x-amz-content-sha256']?.startsWith('STREAMING-') === true;
  if (!chunked) return body;
  const bytes = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line).split(';')[0] ?? '', 16);
    if (line < 0 || !(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
};

const noSuchKey = (): ServiceError => new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);

/** S3 on one machine: objects are blobs in SQLite. */
export const s3 = ({ db, clock }: Surroundings): AwsService => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS s3_objects (bucket TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, type TEXT NOT NULL, metadata TEXT NOT NULL, etag TEXT NOT NULL, modified_at INTEGER NOT NULL, PRIMARY KEY (bucket, key)) STRICT, WITHOUT ROWID;
  `);
  const expectBucket = (name: string): void => {
    if (!db.prepare('SELECT 1 FROM s3_buckets WHERE name = ?').get(name))
      throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404);
  };
  const objectOf = ({ bucket, key }: Address): Record<string, unknown> => {
    const row = db.prepare('SELECT * FROM s3_objects WHERE bucket = ? AND key = ?').get(bucket, key);
    if (row === undefined) throw noSuchKey();
    return row;
  };
  const headersOf = (row: Record<string, unknown>): Record<string, string> => ({
    'content-type': String(row['type']),
    etag: String(row['etag']),
    'last-modified': new Date(Number(row['modified_at'])).toUTCString(),
    ...(JSON.parse(String(row['metadata'])) as Record<string, string>),
  });
  const put = (request: AwsRequest, { bucket, key }: Address): AwsResponse => {
    const present = db.prepare('SELECT etag FROM s3_objects WHERE bucket = ? AND key = ?').get(bucket, key);
    const { 'if-none-match': none, 'if-match': match } = request.headers;
    if ((none === '*' && present) || (match !== undefined && present?.['etag'] !== match)) {
      throw new ServiceError(
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold',
        412,
      );
    }
    const body = payloadOf(request);
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const metadata = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-')),
    );
    db.prepare(
      'INSERT OR REPLACE INTO s3_objects (bucket, key, body, type, metadata, etag, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      bucket,
      key,
      body,
      request.headers['content-type'] ?? 'binary/octet-stream',
      JSON.stringify(metadata),
      etag,
      clock.now(),
    );
    return { status: 200, headers: { etag }, body: '' };
  };
  const get = (request: AwsRequest, address: Address): AwsResponse => {
    const row = objectOf(address);
    const body = Buffer.from(row['body'] as Uint8Array);
    const range = /^bytes=(\d*)-(\d*)$/u.exec(request.headers['range'] ?? '');
    if (range === null)
      return {
        status: 200,
        headers: { ...headersOf(row), 'content-length': String(body.length) },
        body: request.method === 'HEAD' ? '' : body,
      };
    const start = range[1] === '' ? Math.max(0, body.length - Number(range[2])) : Number(range[1]);
    const end =
      range[1] === '' || range[2] === '' ? body.length - 1 : Math.min(Number(range[2]), body.length - 1);
    if (start > end) throw new ServiceError('InvalidRange', 'The requested range is not satisfiable', 416);
    const part = body.subarray(start, end + 1);
    return {
      status: 206,
      headers: {
        ...headersOf(row),
        'content-range': `bytes ${start}-${end}/${body.length}`,
        'content-length': String(part.length),
      },
      body: part,
    };
  };
  const list = (bucket: string, query: URLSearchParams): AwsResponse => {
    const prefix = query.get('prefix') ?? '';
    const most = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const found = db
      .prepare(
        'SELECT key, etag, length(body) AS size, modified_at FROM s3_objects WHERE bucket = ? AND key > ? ORDER BY key',
      )
      .all(bucket, after)
      .filter((row) => String(row['key']).startsWith(prefix));
    const shown = found.slice(0, most);
    const more = found.length > most;
    const contents = shown.map(
      (row) =>
        `<Contents><Key>${escapeXml(String(row['key']))}</Key><ETag>${escapeXml(String(row['etag']))}</ETag><Size>${row['size']}</Size><LastModified>${new Date(Number(row['modified_at'])).toISOString()}</LastModified></Contents>`,
    );
    const next = more
      ? `<NextContinuationToken>${escapeXml(String(shown.at(-1)?.['key']))}</NextContinuationToken>`
      : '';
    return xml(
      `<ListBucketResult><Name>${escapeXml(bucket)}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${shown.length}</KeyCount><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  };
  const onBucket = (request: AwsRequest, bucket: string): AwsResponse => {
    if (request.method === 'PUT') {
      // Settings of a bucket have no effect on one machine; its existence has.
      if (request.query === '' || request.query.startsWith('x-id'))
        db.prepare('INSERT OR IGNORE INTO s3_buckets (name) VALUES (?)').run(bucket);
      return { status: 200, headers: {}, body: '' };
    }
    expectBucket(bucket);
    if (request.method === 'DELETE') {
      db.prepare('DELETE FROM s3_buckets WHERE name = ?').run(bucket);
      return { status: 204, headers: {}, body: '' };
    }
    return request.method === 'HEAD'
      ? { status: 200, headers: {}, body: '' }
      : list(bucket, new URLSearchParams(request.query));
  };
  const onObject = (request: AwsRequest, address: Address): AwsResponse => {
    expectBucket(address.bucket);
    if (request.method === 'PUT') return put(request, address);
    if (request.method === 'GET' || request.method === 'HEAD') return get(request, address);
    if (request.method === 'DELETE') {
      db.prepare('DELETE FROM s3_objects WHERE bucket = ? AND key = ?').run(address.bucket, address.key);
      return { status: 204, headers: {}, body: '' };
    }
    throw new ServiceError(
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      405,
    );
  };
  return {
    signingName: 's3',
    operation: (request) => {
      const { key } = addressOf(request);
      const verb =
        { GET: 'Get', HEAD: 'Head', PUT: 'Put', DELETE: 'Delete', POST: 'Post' }[request.method] ??
        request.method;
      return key === '' ? (request.method === 'GET' ? 'ListObjectsV2' : `${verb}Bucket`) : `${verb}Object`;
    },
    async handle(request) {
      const address = addressOf(request);
      try {
        return address.key === '' ? onBucket(request, address.bucket) : onObject(request, address);
      } catch (error) {
        const { type, message, status } = asServiceError(error);
        return {
          ...xml(`<Error><Code>${type}</Code><Message>${escapeXml(message)}</Message></Error>`),
          status,
        };
      }
    },
  };
};

const xml = (body: string): AwsResponse => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
});
