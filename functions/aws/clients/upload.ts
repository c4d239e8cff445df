import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

/** How much of a file is held at once. S3 takes parts from 5 MiB on. */
const PART_BYTES = 8 * 1024 * 1024;

/**
 * Writes a file of any length into the hub's bucket, one part of it at a time in memory; one of a single part is one
 * request. Where the bytes end in an error nothing is there; what was begun goes by the lifecycle of the bucket.
 */
export const uploads = (
  runtime: Runtime,
): ((path: string, contentType: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>) => {
  const aws = signedCalls(runtime);
  return async (path, contentType, bytes) => {
    const headers = { 'content-type': contentType };
    const begin = async (): Promise<string> => {
      const begun = await aws.rest('s3', { method: 'POST', path, query: { uploads: '' }, headers });
      const id = /<UploadId>([^<]+)<\/UploadId>/u.exec(await begun.text())?.[1];
      if (id === undefined) throw unanswered('the id of an upload');
      return id;
    };
    let uploadId = '';
    const etags: string[] = [];
    for await (const { bytes: body, isLast } of inParts(bytes)) {
      if (uploadId === '' && isLast) {
        await aws.rest('s3', { method: 'PUT', path, headers, body });
        return;
      }
      uploadId ||= await begin();
      const query = { partNumber: String(etags.length + 1), uploadId };
      const written = await aws.rest('s3', { method: 'PUT', path, query, body });
      etags.push(written.headers.get('etag') ?? '');
    }
    const listed = etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
    const completed = await aws.rest('s3', { method: 'POST', path, query: { uploadId }, body });
    // S3 begins to answer before it knows how it ends: an error may stand behind the status 200.
    if ((await completed.text()).includes('<Error>')) throw unanswered('the end of an upload');
  };
};

const unanswered = (what: string): HubError =>
  new HubError('bucket-fault', `The bucket did not give ${what}; the queue delivers the message again.`, {
    retry: 'later',
  });

/** The bytes in parts of the same length, the last one shorter. */
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
