import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ServiceError } from '../protocol/json.ts';
import type { Call } from './request.ts';

/** The unwrapped body, and the checksums of the request by header name. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly checksums: Readonly<Record<string, string>>;
}

const CHECKSUM = /^x-amz-checksum-(?:crc32|crc32c|crc64nvme|sha1|sha256)$/u;

/** The checksums that Node can compute; others are stored without verification. */
const computed: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  'x-amz-checksum-crc32': (bytes) => {
    const four = Buffer.alloc(4);
    four.writeUInt32BE(crc32(bytes));
    return four.toString('base64');
  },
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest('base64'),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
};

/**
 * Unwraps the body of a request from signed chunks and verifies it against every digest of the request.
 *
 * @throws ServiceError `BadDigest`, `XAmzContentSHA256Mismatch`, `IncompleteBody`, `InvalidRequest`.
 */
export const payloadOf = (call: Call): Payload => {
  const { headers } = call;
  const { bytes, trailers } = unwrapped(call);
  const checksums = Object.fromEntries(
    Object.entries({ ...headers, ...trailers }).filter(([name]) => CHECKSUM.test(name)),
  );
  for (const [name, value] of Object.entries(checksums)) {
    if (computed[name] !== undefined && computed[name](bytes) !== value)
      throw new ServiceError(
        'BadDigest',
        `The ${name.slice('x-amz-checksum-'.length).toUpperCase()} you specified did not match the calculated checksum.`,
      );
  }
  const md5 = headers['content-md5'];
  if (md5 !== undefined && createHash('md5').update(bytes).digest('base64') !== md5)
    throw new ServiceError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const sha256 = headers['x-amz-content-sha256'] ?? '';
  if (/^[\da-f]{64}$/u.test(sha256) && createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new ServiceError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  return { bytes, checksums };
};

interface Unwrapped {
  readonly bytes: Uint8Array;
  readonly trailers: Readonly<Record<string, string>>;
}

/** `<hex size>;…\r\n<bytes>\r\n` until a chunk of size 0, then trailing headers. */
const unwrapped = ({ headers, body }: Call): Unwrapped => {
  const length = headers['x-amz-decoded-content-length'];
  const chunked =
    headers['content-encoding']?.includes('aws-chunked') === true ||
    headers['x-amz-content-sha256']?.startsWith('STREAMING-') === true;
  if (!chunked || length === String(body.byteLength)) return { bytes: body, trailers: {} };
  const wrapped = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = wrapped.indexOf('\r\n', at);
    const size = /^([\da-f]+)(?:;|$)/iu.exec(wrapped.toString('latin1', at, lineEnd))?.[1];
    if (lineEnd < 0 || size === undefined) throw incomplete();
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    at = end + 2;
    if (end === start) {
      at = start;
      break;
    }
    if (end > wrapped.byteLength) throw incomplete();
    chunks.push(wrapped.subarray(start, end));
  }
  const bytes = Buffer.concat(chunks);
  if (length !== undefined && Number(length) !== bytes.byteLength) throw incomplete();
  const lines = wrapped.toString('latin1', at).split('\r\n');
  const trailers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
  });
  return { bytes, trailers: Object.fromEntries(trailers) };
};

const incomplete = (): ServiceError =>
  new ServiceError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );
