import type { Runtime } from '../../contracts/runtime.ts';
import type { ImportPorts, Piece } from '../../jobs/import/import.ts';
import { waitingIn } from '../clients/queue-depth.ts';
import { sendAllTo } from '../clients/queue-many.ts';
import { AwsRefusal, signedCalls } from '../clients/signed.ts';

/** The files of jobs in the hub's bucket, read in pieces, and the queue of imports. */
export const jobFiles = (runtime: Runtime): Pick<ImportPorts, 'read' | 'put' | 'send' | 'waiting'> => {
  const aws = signedCalls(runtime);
  const queue = runtime.env['QUEUE_URL_IMPORTS'];
  const pathOf = (key: string): string => `/${runtime.env['BUCKET']}/${key}`;
  return {
    async read(key, from, bytes) {
      const headers = { range: `bytes=${from}-${from + bytes - 1}` };
      try {
        return await pieceOf(await aws.rest('s3', { method: 'GET', path: pathOf(key), headers }));
      } catch (error) {
        const status = error instanceof AwsRefusal ? error.$metadata.httpStatusCode : undefined;
        // An empty file has no range; and S3 tells only those who may list the bucket that an object is not there.
        if (status === 416) return { bytes: Buffer.alloc(0), size: 0 };
        if (status === 404 || status === 403) return undefined;
        throw error;
      }
    },
    async put(key, body) {
      const headers = { 'content-type': 'application/octet-stream' };
      await aws.rest('s3', { method: 'PUT', path: pathOf(key), headers, body });
    },
    send: sendAllTo(runtime, queue),
    waiting: () => waitingIn(runtime, queue),
  };
};

const pieceOf = async (response: Response): Promise<Piece> => {
  const bytes = Buffer.from(await response.arrayBuffer());
  const size = /\/(\d+)$/u.exec(response.headers.get('content-range') ?? '')?.[1];
  return { bytes, size: size === undefined ? bytes.length : Number(size) };
};
