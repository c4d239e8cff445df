import * as z from 'zod';
import type { Runtime } from '../../contracts/runtime.ts';
import { AwsRefusal, signedCalls } from './signed.ts';

export interface StoredObject {
  readonly key: string;
  /** ISO 8601, to the second. */
  readonly modifiedAt: string;
}

/** Files of the hub's bucket, looked through and taken away. */
export interface Objects {
  /** A page of what lies under a prefix, behind a key. */
  list(prefix: string, after: string): Promise<readonly StoredObject[]>;
  /** Its bytes as they come; undefined where it is gone. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** What is not there is as good as removed. */
  remove(key: string): Promise<void>;
}

const Page = z.array(z.tuple([z.string(), z.string()]));
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export const objects = (runtime: Runtime): Objects => {
  const aws = signedCalls(runtime);
  const bucket = `/${runtime.env['BUCKET']}`;
  const pathOf = (key: string): string => `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return {
    async list(prefix, after) {
      const query = { 'list-type': '2', prefix, ...(after !== '' && { 'start-after': after }) };
      const answer = await (await aws.rest('s3', { method: 'GET', path: bucket, query })).text();
      const found = [...answer.matchAll(/<Contents>(.*?)<\/Contents>/gsu)].map(([, content = '']) => [
        element(content, 'Key'),
        element(content, 'LastModified'),
      ]);
      return Page.parse(found).map(([key, modifiedAt]) => ({ key, modifiedAt }));
    },
    async read(key) {
      try {
        return (await aws.rest('s3', { method: 'GET', path: pathOf(key) })).body ?? undefined;
      } catch (error) {
        if (error instanceof AwsRefusal && [403, 404].includes(error.$metadata.httpStatusCode))
          return undefined;
        throw error;
      }
    },
    async remove(key) {
      await aws.rest('s3', { method: 'DELETE', path: pathOf(key) });
    },
  };
};

const element = (xml: string, name: string): string =>
  (new RegExp(`<${name}>(.*?)</${name}>`, 'su').exec(xml)?.[1] ?? '').replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/giu,
    (whole, decimal?: string, hex?: string, name = '') =>
      decimal !== undefined
        ? String.fromCodePoint(Number(decimal))
        : hex !== undefined
          ? String.fromCodePoint(Number.parseInt(hex, 16))
          : (entities[name] ?? whole),
  );
