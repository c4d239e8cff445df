import { createHash, timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { signingKeys } from '../../core/signed-link.ts';
import { clientConfig } from '../aws/client.ts';
import { failures } from '../aws/failures.ts';
import { history } from '../aws/history.ts';
import { jobs } from '../aws/jobs.ts';
import { stageQueues } from '../aws/replays.ts';
import { identifierKey, ownerOf, reviewPartition } from '../aws/rows.ts';
import { readSecret } from '../aws/secret.ts';
import { table } from '../aws/table.ts';
import { replay } from '../failures/replay.ts';
import { kinds } from '../jobs/kinds.ts';
import { lambda } from '../lambda.ts';
import { httpErrors } from '../middleware.ts';
import { presigner } from '../receive/signed.ts';
import type { Runtime } from '../runtime.ts';
import { api } from './api.ts';
import { unsubscribe } from './unsubscribe.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const sqs = new SQSClient({ ...clientConfig(runtime), useQueueUrlAsEndpoint: false });
  const queue = runtime.env['QUEUE_URL_DELIVERIES'];
  const enqueue = async (message: object): Promise<void> => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify(message) }));
  };
  const known = { history: history(rows), enqueue, now: runtime.now, newId: runtime.newId };
  const secret = readSecret(runtime);
  const end = unsubscribe({
    ...known,
    signingKeys: async () => signingKeys(await secret(`${runtime.env['HUB']}/signing`)),
  });
  const kept = failures(runtime, rows);
  const use = api({
    ...known,
    async owner(identifier) {
      const [row] = await rows.get([identifierKey(identifier)]);
      return row && ownerOf(row).half;
    },
    async reviews() {
      const open = [];
      for await (const { pk: _pk, sk: _sk, ...review } of rows.query(reviewPartition)) open.push(review);
      return open;
    },
    allowed: keys(runtime),
    failures: kept,
    replay: replay({ failures: kept, enqueue: stageQueues(runtime), now: runtime.now }),
    jobs: jobs(runtime, rows),
    kinds,
    presign: presigner(runtime),
  });
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpErrors())
    .handler((event) => (event.routeKey.includes(' /unsubscribe/') ? end(event) : use(event)));
};

const KEYS_FRESH_MS = 60_000;
const Keys = z.object({ keys: z.union([z.string().min(16), z.array(z.string().min(16))]) });

/** The hub's API keys, from the secret `<hub>/api`; compared in constant time by their digests. */
const keys = (runtime: Runtime): ((authorization: string | undefined) => Promise<boolean>) => {
  const client = new SecretsManagerClient(clientConfig(runtime));
  let known: { readonly until: number; readonly digests: readonly Buffer[] } | undefined;
  const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
  return async (authorization) => {
    if (known === undefined || known.until <= runtime.now()) {
      const { SecretString } = await client.send(
        new GetSecretValueCommand({ SecretId: `${runtime.env['HUB']}/api` }),
      );
      const { keys } = Keys.parse(JSON.parse(SecretString ?? '{}'));
      known = { until: runtime.now() + KEYS_FRESH_MS, digests: [keys].flat().map(digest) };
    }
    const given = digest(/^Bearer (.+)$/u.exec(authorization ?? '')?.[1] ?? '');
    return known.digests.filter((one) => timingSafeEqual(one, given)).length > 0;
  };
};

export const handler = lambda(create);
