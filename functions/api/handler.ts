import { createHash, timingSafeEqual } from 'node:crypto';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { signingKeys } from '../../core/signed-link.ts';
import { clientConfig } from '../aws/client.ts';
import { failures } from '../aws/failures.ts';
import { history } from '../aws/history.ts';
import { jobs } from '../aws/jobs.ts';
import { stageQueues } from '../aws/replays.ts';
import { identifierKey, ownerOf, reviewOf, reviewPartition, seenKey, seenOf } from '../aws/rows.ts';
import { readSecret } from '../aws/secret.ts';
import { table } from '../aws/table.ts';
import { replay } from '../failures/replay.ts';
import { kinds } from '../jobs/kinds.ts';
import { lambda } from '../lambda.ts';
import { log } from '../log.ts';
import { httpErrors } from '../middleware.ts';
import { presigner, signedCalls } from '../receive/signed.ts';
import type { Runtime } from '../runtime.ts';
import { api } from './api.ts';
import { downloads } from './attachment.ts';
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
  const presign = presigner(runtime);
  const use = api({
    ...known,
    enqueueAll: batches(sqs, queue ?? ''),
    async interaction(id) {
      const [row] = await rows.get([seenKey(id)]);
      const address = row && seenOf(row).address;
      return address && known.history.interaction(address);
    },
    download: downloads({
      call: signedCalls(runtime),
      presign,
      bucket: runtime.env['BUCKET'] ?? '',
      now: runtime.now,
    }),
    async owner(identifier) {
      const [row] = await rows.get([identifierKey(identifier)]);
      return row && ownerOf(row).half;
    },
    async reviews() {
      const open = [];
      for await (const row of rows.query(reviewPartition)) open.push({ id: row.sk, ...reviewOf(row) });
      return open;
    },
    allowed: keys(runtime),
    failures: kept,
    replay: replay({ failures: kept, enqueue: stageQueues(runtime), now: runtime.now }),
    jobs: jobs(runtime, rows),
    kinds,
    presign,
  });
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpErrors())
    .handler((event) => (event.routeKey.includes(' /unsubscribe/') ? end(event) : use(event)));
};

/** SQS takes ten messages and 1 MiB at once. */
const BATCH = { messages: 10, bytes: 1_000_000 } as const;
const BATCHES_AT_ONCE = 10;

const batches =
  (sqs: SQSClient, QueueUrl: string) =>
  async (messages: readonly string[]): Promise<Set<number>> => {
    const sets: number[][] = [];
    let room = 0;
    for (const [position, message] of messages.entries()) {
      const bytes = Buffer.byteLength(message);
      const last = sets.at(-1);
      if (last === undefined || last.length === BATCH.messages || bytes > room) {
        sets.push([position]);
        room = BATCH.bytes - bytes;
      } else {
        last.push(position);
        room -= bytes;
      }
    }
    const lost = new Set<number>();
    const send = async (set: readonly number[]): Promise<void> => {
      const Entries = set.map((at) => ({ Id: String(at), MessageBody: messages[at] }));
      const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      for (const { Id } of Failed) lost.add(Number(Id));
    };
    for (let at = 0; at < sets.length; at += BATCHES_AT_ONCE)
      await Promise.all(
        sets.slice(at, at + BATCHES_AT_ONCE).map((set) =>
          send(set).catch((error: unknown) => {
            log('error', 'events-not-queued', { count: set.length }, error);
            for (const position of set) lost.add(position);
          }),
        ),
      );
    return lost;
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
