import { HubError } from '../../core/errors.ts';
import { signedCalls } from '../receive/signed.ts';
import type { Runtime } from '../runtime.ts';

/** Texts in the hub's bucket, by key, without the weight of the S3 client. */
export interface Payloads {
  put(key: string, text: string): Promise<void>;
  /** Undefined where there is none. */
  get(key: string): Promise<string | undefined>;
}

export const payloads = (runtime: Runtime): Payloads => {
  const call = signedCalls(runtime);
  const { BUCKET: bucket } = runtime.env;
  const ask = (method: string, key: string, body?: string): Promise<Response> =>
    call('s3', { method, path: `/${bucket}/${key}`, ...(body !== undefined && { body }) });
  return {
    async put(key, text) {
      const response = await ask('PUT', key, text);
      await response.arrayBuffer();
      if (!response.ok) throw bucketFault(response.status);
    },
    async get(key) {
      const response = await ask('GET', key);
      const text = await response.text();
      // S3 tells only those who may list the bucket that an object is not there; to others it is forbidden.
      if (response.status === 404 || response.status === 403) return undefined;
      if (!response.ok) throw bucketFault(response.status);
      return text;
    },
  };
};

const bucketFault = (status: number): HubError =>
  new HubError('bucket-fault', `The bucket answered ${status}; it is tried again.`, { retry: 'later' });
