import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { systemClock } from '../../../core/clock.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { isTracing } from '../../../functions/contracts/log.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { type WorkerFunctions, workerFunctions } from '../../local/lambda/workers.ts';
import { type Listener, listen } from '../../local/protocol/http.ts';
import { REGION } from '../../local/runtime/account.ts';
import { inProcess } from '../../local/runtime/client.ts';
import { type Cloud, type CloudOptions, startCloud } from '../../local/runtime/cloud.ts';
import type { ExternalEndpoints } from '../../local/runtime/external-endpoints.ts';
import { openDatabase } from '../../local/runtime/state.ts';
import { assembly, syncedBy } from '../../stack/assembly.ts';
import { deployedSenderDomains } from '../../stack/sender-domains.ts';
import { eventPatterns } from './event-patterns.ts';
import { hubInbox } from './inbox.ts';
import { type CrmReport, openSandboxes, type Sandboxes } from './sandboxes.ts';

export interface HubOptions {
  /** Where the API listens; the next ports are the inbox, Salesforce, HubSpot, AWS, and ServiceNow if it is on. 0: any free ones. */
  readonly port: number;
  readonly publicUrl: string;
  /** The SQLite file that holds the state. */
  readonly state: string;
  /** Real endpoints in place of local services. */
  readonly externalEndpoints?: ExternalEndpoints;
  /** Milliseconds by which the clocks of the hub and of its functions are ahead of the machine's clock. */
  readonly clockOffsetMs?: number;
  /** The most concurrent executions of one function; default those of a new account. */
  readonly concurrentExecutions?: number | undefined;
  readonly chaos?: CloudOptions['chaos'];
  /** The longest batching window of a function, in seconds; default 1, because a person waits. */
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
  readonly awsUrl: string;
  /** The CRMs that are switched on. */
  readonly crmsOn: readonly string[];
  /** Those of them whose secret is not the one of their sandbox here. */
  readonly crmsElsewhere: readonly string[];
  stop(): Promise<void>;
}

const WINDOW_SECONDS = 1;
const CHECKPOINT_MS = 10_000;
/** Imported files are put into S3 as one object. */
const AWS_BODY_BYTES = 1024 * 1024 * 1024;
/** The limit of SES. */
const MAIL_BYTES = 40 * 1024 * 1024;
/** The limit of API Gateway. */
const FRONT_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Opens the hub: the synthesised template, each function in its own worker, the sandbox CRMs, the inbox. Nothing stays open
 * where that fails. Throws `LocalError`, `PortTaken`, or `HubError` as `assembly` does.
 */
export const openHub = async (options: HubOptions, report: (line: string) => void): Promise<Hub> => {
  const synthesised = await assembly();
  const portAt = (offset: number): number => (options.port === 0 ? 0 : options.port + offset);
  const onError = (error: unknown): void =>
    report(`error: ${error instanceof Error ? error.message : String(error)}`);
  const clock = systemClock(onError, options.clockOffsetMs);
  const world = { now: () => clock.now(), newId: () => crypto.randomUUID(), random: () => Math.random() };
  const services = Promise.withResolvers<Pick<Cloud, 'aws'>>();
  // Ended in the opposite order.
  await using opened = new AsyncDisposableStack();
  const db = openDatabase(options.state);
  opened.defer(() => db.close());
  const aws = await listenForAws(services.promise, portAt(4));
  opened.defer(() => aws.stop());
  const awsUrl = urlOf(aws);
  const functions = workerFunctions({
    ...{ assetFolder: synthesised.assetFolder, awsUrl, log: report },
    clockOffsetMs: options.clockOffsetMs,
    concurrentExecutions: options.concurrentExecutions,
    environment: isTracing() ? { HUB_TRACE: '1' } : {},
  });
  opened.defer(() => functions.stop());
  const crmsOn = syncedBy(synthesised);
  const reports: { bring?: (report: CrmReport) => void } = {};
  const crms = await openSandboxes(db, {
    ports: { salesforce: portAt(2), hubspot: portAt(3), servicenow: portAt(5) },
    servicenow: crmsOn.includes('servicenow'),
    publicUrl: options.publicUrl,
    report: (one) => reports.bring?.(one),
  });
  opened.defer(() => crms.stop());
  const cloud = await startCloud({
    ...{ ...world, clock, patterns: eventPatterns, assembly: synthesised },
    verified: deployedSenderDomains(),
    ...{ file: options.state, publicUrl: options.publicUrl, awsUrl, onError },
    ...(options.externalEndpoints && { externalEndpoints: options.externalEndpoints }),
    ...(options.chaos && { chaos: options.chaos }),
    longestWindowSeconds: options.longestWindowSeconds ?? WINDOW_SECONDS,
    onService: services.resolve,
    invoke: functions.invoke,
  });
  opened.defer(() => cloud.stop());
  const front = await listen((request) => cloud.front(request), {
    port: portAt(0),
    bodyLimit: FRONT_BODY_BYTES,
  });
  opened.defer(() => front.stop());
  const inbox = await listen(hubInbox(cloud), { port: portAt(1), bodyLimit: MAIL_BYTES });
  opened.defer(() => inbox.stop());
  // Deleted rows remain in the write-ahead log until a checkpoint truncates it.
  const checkpoints = setInterval(
    () => cloud.db.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    CHECKPOINT_MS,
  ).unref();
  opened.defer(() => clearInterval(checkpoints));
  const { TABLE = '', HUB: name = '' } = [...cloud.functions.values()][0]?.environment ?? {};
  const runtime: Runtime = {
    ...world,
    env: { AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'ADMIN', AWS_SECRET_ACCESS_KEY: 'local', TABLE },
    aws: inProcess((request) => cloud.aws(request)),
  };
  const crmsElsewhere = await crms.connect(runtime, name);
  reports.bring = (one) => void bringWebhook(cloud, one).catch(onError);
  const running = opened.move();
  return {
    ...{ cloud, functions, crms, runtime, name, crmsOn, crmsElsewhere },
    ...{ apiUrl: urlOf(front), inboxUrl: urlOf(inbox), awsUrl },
    stop: () => running.disposeAsync(),
  };
};

/**
 * Posts what HubSpot reports of a change to the hub, as HubSpot does once its webhooks lead here: where the channel is on.
 * Throws where the hub refuses it.
 */
const bringWebhook = async (cloud: Pick<Cloud, 'front' | 'functions'>, report: CrmReport): Promise<void> => {
  const isOn = [...cloud.functions.values()].some(({ environment }) =>
    environment['CHANNELS']?.includes('"hubspot":'),
  );
  if (report.crm !== 'hubspot' || !isOn) return;
  const { method, headers, body } = report.webhook;
  const target = '/webhooks/hubspot';
  const { status } = await cloud.front({ method, target, headers, body: Buffer.from(body) });
  if (status !== 200) throw new Error(`The hub answered ${status} to a webhook of the HubSpot sandbox.`);
};

const urlOf = ({ port }: Listener): string => `http://127.0.0.1:${port}`;

/** Serves AWS over HTTP; a request waits until the services are open. */
const listenForAws = (services: Promise<Pick<Cloud, 'aws'>>, port: number): Promise<Listener> =>
  listen(
    async ({ method, target, headers, body }) => {
      const [path = '/', ...query] = target.split('?');
      return (await services).aws({ method, path, query: query.join('?'), headers, body });
    },
    { port, bodyLimit: AWS_BODY_BYTES },
  );

/** The API key that the stack generated. */
export const readApiKey = async ({ runtime, name }: Hub): Promise<string> => {
  const { SecretString = '{}' } = await new SecretsManagerClient(clientConfig(runtime)).send(
    new GetSecretValueCommand({ SecretId: `${name}/api` }),
  );
  return z.object({ keys: z.string() }).parse(JSON.parse(SecretString)).keys;
};
