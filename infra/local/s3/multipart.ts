import { createHash } from 'node:crypto';
import { ServiceError } from '../protocol/json.ts';
import { element } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { elementsIn, emptyAnswer, textIn, xmlAnswer } from './answer.ts';
import { payloadOf } from './body.ts';
import { encryptionOf, etagOf, expectWritable, storedHeaders } from './objects.ts';
import type { Call, S3Operation } from './request.ts';
import type { ObjectStore, Part, Upload } from './store.ts';

const SMALLEST_PART = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** Multipart uploads. */
export const multipart = (
  { clock, newId }: ServiceContext,
  store: ObjectStore,
): Readonly<Record<string, S3Operation>> => {
  const uploadOf = ({ bucket, key, query }: Call): Upload => {
    const upload = store.upload(query.get('uploadId') ?? '', bucket, key);
    if (upload) return upload;
    throw new ServiceError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      404,
    );
  };
  const putPart = (call: Call, bytes: Uint8Array): string => {
    const number = Number(call.query.get('partNumber'));
    if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS)
      throw new ServiceError(
        'InvalidArgument',
        `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
      );
    const etag = etagOf(bytes);
    store.putPart(uploadOf(call).id, { number, etag, modifiedAt: clock.now() }, bytes);
    return etag;
  };
  return {
    CreateMultipartUpload(call) {
      const { bucket, key } = call;
      const headers = storedHeaders(call);
      const id = newId();
      store.addUpload({ id, bucket, key, headers, startedAt: clock.now() });
      const algorithm = call.headers['x-amz-checksum-algorithm'];
      return {
        ...xmlAnswer(
          'InitiateMultipartUploadResult',
          element('Bucket', bucket) + element('Key', key) + element('UploadId', id),
        ),
        headers: {
          'content-type': 'application/xml',
          ...encryptionOf(headers),
          ...(algorithm !== undefined && { 'x-amz-checksum-algorithm': algorithm }),
        },
      };
    },
    UploadPart(call) {
      const { bytes, checksums } = payloadOf(call);
      return emptyAnswer(200, { etag: putPart(call, bytes), ...checksums });
    },
    CompleteMultipartUpload(call) {
      const upload = uploadOf(call);
      const parts = listedParts(store, upload, Buffer.from(call.body).toString());
      expectWritable(call, store);
      const digests = parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex'));
      const digest = createHash('md5').update(Buffer.concat(digests)).digest('hex');
      const etag = `"${digest}-${parts.length}"`;
      const { key, headers } = upload;
      store.complete(
        upload,
        { key, etag, headers, checksums: {}, modifiedAt: clock.now() },
        parts.map(({ number }) => number),
      );
      return {
        ...xmlAnswer(
          'CompleteMultipartUploadResult',
          element('Location', `/${upload.bucket}/${encodeURIComponent(key)}`) +
            element('Bucket', upload.bucket) +
            element('Key', key) +
            element('ETag', etag),
        ),
        headers: { 'content-type': 'application/xml', ...encryptionOf(headers) },
      };
    },
    AbortMultipartUpload(call) {
      store.removeUpload(uploadOf(call).id);
      return emptyAnswer(204);
    },
  };
};

/** The parts that a CompleteMultipartUpload lists. @throws ServiceError where one is missing, too small or out of order. */
const listedParts = (store: ObjectStore, upload: Upload, xml: string): Part[] => {
  const named = elementsIn(xml, 'Part').map((part) => ({
    number: Number(textIn(part, 'PartNumber')),
    etag: (textIn(part, 'ETag') ?? '').replaceAll('"', ''),
  }));
  if (named.length === 0)
    throw new ServiceError('MalformedXML', 'A CompleteMultipartUpload names at least one Part.');
  if (named.some(({ number }, at) => at > 0 && number <= (named[at - 1]?.number ?? 0)))
    throw new ServiceError(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  const parts = named.map(({ number, etag }) => {
    const part = store.part(upload.id, number);
    if (part && part.etag === `"${etag}"`) return part;
    throw new ServiceError(
      'InvalidPart',
      `Part ${number} could not be found: it was not uploaded, or its entity tag differs.`,
    );
  });
  if (parts.slice(0, -1).some(({ size }) => size < SMALLEST_PART))
    throw new ServiceError(
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed object size.',
    );
  return parts;
};
