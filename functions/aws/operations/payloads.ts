import { HubError } from '../../../core/errors.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { AwsRefusal, signedCalls } from '../clients/signed.ts';

/** Texts in the hub's bucket, by key, without the weight of the S3 client. */
export interface Payloads {
  put(key: string, text: string): Promise<void>;
  /** Undefined where there is none. */
  get(key: string): Promise<string | undefined>;
  remove(key: string): Promise<void>;
}

export const payloads = (runtime: Runtime): Payloads => {
  const aws = signedCalls(runtime);
  const ask = async (method: string, key: string, body?: string): Promise<string | undefined> => {
    try {
      const path = `/${runtime.env['BUCKET']}/${key}`;
      const response = await aws.rest('s3', { method, path, ...(body !== undefined && { body }) });
      return await response.text();
    } catch (error) {
      const status = error instanceof AwsRefusal ? error.$metadata.httpStatusCode : undefined;
      // S3 tells only those who may list the bucket that an object is not there; to others it is forbidden.
      if (method === 'GET' && (status === 404 || status === 403)) return undefined;
      throw new HubError('bucket-fault', `The bucket answered ${status ?? 'nothing'}; it is tried again.`, {
        retry: 'later',
        cause: error,
      });
    }
  };
  return {
    async put(key, text) {
      await ask('PUT', key, text);
    },
    get: (key) => ask('GET', key),
    async remove(key) {
      await ask('DELETE', key);
    },
  };
};
