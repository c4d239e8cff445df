import { DatabaseSync } from 'node:sqlite';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { systemClock } from '../../core/clock.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import type { FrontRequest } from '../local/api-gateway/http-api.ts';
import { inboxPage } from '../local/inbox/inbox.ts';
import { type WorkerFunctions, workerFunctions } from '../local/lambda/workers.ts';
import { listen } from '../local/protocol/http.ts';
import { ServiceError } from '../local/protocol/json.ts';
import type { AwsResponse } from '../local/protocol/service.ts';
import { inProcess } from '../local/runtime/client.ts';
import { type Cloud, startCloud } from '../local/runtime/cloud.ts';
import type { ExternalEndpoints } from '../local/runtime/external-endpoints.ts';
import { assembly } from '../stack/assembly.ts';
import { eventPatterns } from './event-patterns.ts';
import { type Sandboxes, sandboxes } from './sandboxes.ts';

export interface HubOptions {
  /** Where the API listens; the next four ports are the inbox, Salesforce, HubSpot and AWS. 0: any free ones. */
  readonly port: number;
  readonly publicUrl: string;
  /** The SQLite file that holds everything. */
  readonly state: string;
  /** Real endpoints in the place of local parts. */
  readonly elsewhere?: ExternalEndpoints;
  /** Milliseconds by which the hub's clock is put forward, its functions' included. */
  readonly ahead?: number;
  /** How long a function may gather messages at most, in seconds; default 1. */
  readonly longestWindowSeconds?: number;
}

/** A hub that runs on this machine. */
export interface Hub {
  readonly cloud: Cloud;
  readonly functions: WorkerFunctions;
  readonly crms: Sandboxes;
  readonly runtime: Runtime;
  readonly name: string;
  readonly apiUrl: string;
  readonly inboxUrl: string;
  /** Where its AWS listens. */
  readonly awsUrl: string;
  stop(): Promise<void>;
}

/** Opens the hub: the synthesised template, each function in its own worker, the sandbox CRMs, the pages. */
export const openHub = async (options: HubOptions, report: (line: string) => void): Promise<Hub> => {
  const synthesised = await assembly();
  const at = (offset: number): number => (options.port === 0 ? 0 : options.port + offset);
  const clock = systemClock(
    (error) => report(`error: ${error instanceof Error ? error.message : String(error)}`),
    options.ahead,
  );
  const holder: { cloud?: Cloud } = {};
  const cloudOf = (): Cloud => {
    if (holder.cloud) return holder.cloud;
    throw new Error('The hub is not open yet.');
  };
  const aws = await listen(
    async ({ method, target, headers, body }) => {
      const [path = '/', ...query] = target.split('?');
      return (early ?? cloudOf()).aws({ method, path, query: query.join('?'), headers, body });
    },
    { port: at(4), bodyLimit: AWS_BODY_BYTES },
  );
  const awsUrl = `http://127.0.0.1:${aws.port}`;
  let early: Pick<Cloud, 'aws'> | undefined;
  const functions = workerFunctions(synthesised, () => awsUrl, report, options.ahead);
  const db = new DatabaseSync(options.state);
  const crms = await sandboxes(db, { salesforce: at(2), hubspot: at(3) });
  const world = { now: () => clock.now(), newId: () => crypto.randomUUID(), random: () => Math.random() };
  const cloud = await startCloud({
    assembly: synthesised,
    clock,
    ...world,
    patterns: eventPatterns,
    file: options.state,
    ...(options.elsewhere && { elsewhere: options.elsewhere }),
    publicUrl: options.publicUrl,
    awsUrl,
    longestWindowSeconds: options.longestWindowSeconds ?? WINDOW_SECONDS,
    onService: (service) => {
      early = service;
    },
    invoke: functions.invoke,
    onError: (error) => report(`error: ${error instanceof Error ? error.message : String(error)}`),
  });
  holder.cloud = cloud;
  const front = await listen((request) => cloud.front(request), {
    port: at(0),
    bodyLimit: FRONT_BODY_BYTES,
  });
  // What was deleted stands in the write-ahead log until that begins anew.
  const tidying = setInterval(() => cloud.db.exec('PRAGMA wal_checkpoint(TRUNCATE)'), TIDYING_MS).unref();
  const inbox = await listen(
    async (request) =>
      request.method === 'POST'
        ? mailed(cloud, request)
        : {
            status: 200,
            headers: { 'content-type': 'text/html; charset=utf-8' },
            body: inboxPage(cloud.outbox.list()),
          },
    { port: at(1), bodyLimit: MAIL_BYTES },
  );
  const table = [...cloud.functions.values()][0]?.environment['TABLE'] ?? '';
  const runtime: Runtime = {
    ...world,
    env: {
      AWS_REGION: 'eu-south-1',
      AWS_ACCESS_KEY_ID: 'ADMIN',
      AWS_SECRET_ACCESS_KEY: 'local',
      TABLE: table,
    },
    aws: inProcess((request) => cloud.aws(request)),
  };
  const name = [...cloud.functions.values()][0]?.environment['HUB'] ?? '';
  await crms.connect(runtime, name);
  return {
    cloud,
    functions,
    crms,
    runtime,
    name,
    apiUrl: `http://127.0.0.1:${front.port}`,
    inboxUrl: `http://127.0.0.1:${inbox.port}`,
    awsUrl,
    async stop() {
      clearInterval(tidying);
      await Promise.all([front.stop(), inbox.stop()]);
      await cloud.stop();
      await functions.stop();
      await Promise.all([aws.stop(), crms.stop()]);
      db.close();
    },
  };
};

/** A mail that is handed to the inbox comes in to SES: `POST /mail?from=…&to=…`, its body as RFC 5322 has it. */
const mailed = async (
  cloud: Cloud,
  { target, headers, body }: Pick<FrontRequest, 'target' | 'headers' | 'body'>,
): Promise<AwsResponse> => {
  const { pathname, searchParams } = new URL(target, 'http://127.0.0.1');
  const to = searchParams.getAll('to');
  const told = (status: number, text: string): AwsResponse => ({
    ...{ status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` },
  });
  // No page of another site can send this type unasked.
  if (pathname !== '/mail' || headers['content-type'] !== 'message/rfc822' || to.length === 0)
    return told(400, 'Send a mail as message/rfc822 to /mail?from=ada@example.com&to=help@acme.example.');
  try {
    await cloud.mail({ from: searchParams.get('from') ?? 'nobody@example.com', to, raw: body });
    return told(202, 'The mail has come in.');
  } catch (error) {
    if (error instanceof ServiceError) return told(422, error.message);
    throw error;
  }
};

/** The API key that the stack has made. */
export const apiKey = async ({ runtime, name }: Hub): Promise<string> => {
  const { SecretString = '{}' } = await new SecretsManagerClient(clientConfig(runtime)).send(
    new GetSecretValueCommand({ SecretId: `${name}/api` }),
  );
  return z.object({ keys: z.string() }).parse(JSON.parse(SecretString)).keys;
};

/** Whoever sits before the hub does not wait until a hundred messages have come together. */
const WINDOW_SECONDS = 1;
/** Files that are imported go to S3 whole; what is larger is a matter for a real bucket. */
const AWS_BODY_BYTES = 1024 * 1024 * 1024;
const TIDYING_MS = 10_000;
/** What SES takes. */
const MAIL_BYTES = 40 * 1024 * 1024;
/** What API Gateway takes. */
const FRONT_BODY_BYTES = 10 * 1024 * 1024;
const SETTLED_MS = 400;
const PATIENCE_MS = 45_000;

/** Resolves when no queue holds anything, but for those left aside, and no event is on its way, for a moment. */
export const quiet = async ({ cloud }: Hub, aside?: RegExp): Promise<void> => {
  const arns = [...cloud.created].flatMap(([id, { attributes }]) =>
    attributes?.['QueueUrl'] === undefined || aside?.test(id) === true ? [] : [attributes['Arn'] ?? ''],
  );
  const busy = (): boolean =>
    arns.some((arn) => cloud.queue(arn).visible + cloud.queue(arn).hidden > 0) ||
    ['events_deliveries', 'lambda_invocations'].some(
      (table) => Number(cloud.db.prepare(`SELECT count(*) AS open FROM ${table}`).get()?.['open']) > 0,
    );
  const deadline = Date.now() + PATIENCE_MS;
  let since = Date.now();
  while (Date.now() - since < SETTLED_MS && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (busy()) since = Date.now();
  }
};
