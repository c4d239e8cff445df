import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { HubError } from '../../core/errors.ts';
import type { Runtime } from '../runtime.ts';
import { clientConfig } from './client.ts';
import { failureKey } from './rows.ts';
import type { Table } from './table.ts';

export interface Failure {
  /** The same failure told twice is one row. */
  readonly id: string;
  /** The function that could not go on. */
  readonly stage: string;
  readonly error: HubError;
  /** What has to be replayed once the cause is mended. */
  readonly payload: string;
}

/** Keeps what failed for good: a row that says what to do, and the payload in the bucket. */
export const keepFailure = (runtime: Runtime, table: Table): ((failure: Failure) => Promise<void>) => {
  const s3 = new S3Client({ ...clientConfig(runtime), forcePathStyle: true });
  return async ({ id, stage, error, payload }) => {
    const payloadKey = `failures/${stage}/${id}`;
    await s3.send(
      new PutObjectCommand({
        Bucket: runtime.env['BUCKET'],
        Key: payloadKey,
        Body: payload,
        ContentType: 'application/json',
      }),
    );
    const row = {
      ...failureKey(id),
      id,
      stage,
      code: error.code,
      reason: error.message,
      failedAt: new Date(runtime.now()).toISOString(),
      payloadKey,
    };
    await table.client.send(new PutItemCommand({ TableName: table.name, Item: marshall(row) }));
  };
};
