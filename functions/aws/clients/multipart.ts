import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

/** A file that is written over several invocations: what was begun goes by the lifecycle of the bucket. */
export interface Multipart {
  /** A whole file at once. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** Resolves to the id of the upload. */
  begin(key: string): Promise<string>;
  /** Parts count from 1 and have at least 5 MiB, the last excepted. Written again, a part replaces itself. */
  part(key: string, upload: string, number: number, body: Uint8Array): Promise<string>;
  complete(key: string, upload: string, etags: readonly string[]): Promise<void>;
}

export const multipart = (runtime: Runtime): Multipart => {
  const aws = signedCalls(runtime);
  const headers = { 'content-type': 'application/json' };
  const pathOf = (key: string): string => `/${runtime.env['BUCKET']}/${key}`;
  return {
    async put(key, body) {
      await aws.rest('s3', { method: 'PUT', path: pathOf(key), headers, body });
    },
    async begin(key) {
      const begun = await aws.rest('s3', {
        method: 'POST',
        path: pathOf(key),
        query: { uploads: '' },
        headers,
      });
      const id = /<UploadId>([^<]+)<\/UploadId>/u.exec(await begun.text())?.[1];
      if (id === undefined) throw unanswered();
      return id;
    },
    async part(key, uploadId, number, body) {
      const query = { partNumber: String(number), uploadId };
      const written = await aws.rest('s3', { method: 'PUT', path: pathOf(key), query, body });
      return written.headers.get('etag') ?? '';
    },
    async complete(key, uploadId, etags) {
      const parts = etags.map(
        (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      const done = await aws.rest('s3', { method: 'POST', path: pathOf(key), query: { uploadId }, body });
      // S3 begins to answer before it knows how it ends.
      if ((await done.text()).includes('<Error>')) throw unanswered();
    },
  };
};

const unanswered = (): HubError =>
  new HubError('bucket-fault', 'The bucket did not take a file in parts; it is tried again.', {
    retry: 'later',
  });
