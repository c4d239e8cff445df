import type { Runtime } from '../../contracts/runtime.ts';
import { waitingIn } from '../clients/queue-depth.ts';
import { sendAllTo } from '../clients/queue-many.ts';
import { AwsRefusal, signedCalls } from '../clients/signed.ts';

/** Some bytes of a file, and the size of the whole. */
export interface Piece {
  readonly bytes: Buffer;
  readonly size: number;
}

/** The files of jobs in the hub's bucket, and the queue of imports. */
export interface JobFiles {
  /** Bytes of a file from an offset on; undefined where there is no such file. */
  read(key: string, from: number, bytes: number): Promise<Piece | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Queues messages and resolves to the positions of those that the queue refused. */
  send(messages: readonly string[]): Promise<ReadonlySet<number>>;
  /** How many messages of imports are queued or in work, approximately. */
  waiting(): Promise<number>;
}

export const jobFiles = (runtime: Runtime): JobFiles => {
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
