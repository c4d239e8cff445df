import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { type FrontRequest, httpApi } from '../api-gateway/http-api.ts';
import type { Assembly } from '../cloudformation/assembly.ts';
import { cloudformation } from '../cloudformation/cloudformation.ts';
import { customResources, type RequestType } from '../cloudformation/custom-resources.ts';
import {
  type DeployContext,
  type EventSource,
  type LambdaFunction,
  resourceTypeOf,
} from '../cloudformation/resources.ts';
import { type Created, creationOrder, Resolver } from '../cloudformation/template.ts';
import { metrics as metricsOf } from '../cloudwatch/metrics.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { type Events, events } from '../eventbridge/index.ts';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import { functionOfKey } from '../iam/access-key.ts';
import { gate } from '../iam/gate.ts';
import {
  type Decision,
  PermissionError,
  type Permissions,
  permissions as permissionsOf,
} from '../iam/index.ts';
import { sentenceOf } from '../iam/refusal.ts';
import { type SentMessages, sentMessages } from '../inbox/sent-messages.ts';
import { type Invocations, invocations, type Run, stopped } from '../lambda/invocations.ts';
import type { Clock } from '../protocol/clock.ts';
import { ServiceError } from '../protocol/json.ts';
import type { AwsRequest, AwsResponse, AwsService, Deliver, ServiceContext } from '../protocol/service.ts';
import { s3 } from '../s3/index.ts';
import { scheduler } from '../scheduler/index.ts';
import { secretsManager } from '../secrets-manager/index.ts';
import { type Ses, ses } from '../ses/index.ts';
import { smsVoice } from '../sms/index.ts';
import { isOpenToAll, type Sns, sns } from '../sns/index.ts';
import { textAttributes } from '../sqs/content.ts';
import { type Sqs, type SqsOptions, sqs } from '../sqs/index.ts';
import { ACCOUNT, REGION } from './account.ts';
import { type ExternalEndpoints, forwarder } from './external-endpoints.ts';
import { type Meter, meter as meterOf } from './meter.ts';

export interface CloudOptions {
  readonly assembly: Assembly;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly patterns: EventPatterns;
  /** A SQLite file, or `:memory:`. */
  readonly file: string;
  /** Runs a function; the runtime hands in the event as Lambda would. */
  readonly invoke: Run;
  /** Real endpoints in the place of local parts. */
  readonly elsewhere?: ExternalEndpoints;
  readonly publicUrl: string;
  /** Where the AWS endpoint listens; queue URLs point there. */
  readonly awsUrl: string;
  readonly chaos?: SqsOptions['chaos'];
  readonly conflict?: () => boolean;
  /** Gathers messages for a function no longer than this, whatever the template says: Lambda too may call earlier. */
  readonly longestWindowSeconds?: number;
  /** Sees every request before it is answered; what it throws, the caller gets as a lost connection. */
  readonly before?: (service: string, operation: string, caller: string) => void;
  readonly onError: (error: unknown) => void;
  /** Sees everything that was decided about permissions, also what a caller takes in silence. */
  readonly onDecision?: (decision: Decision) => void;
  /** Whether the template's custom resources run once it is deployed; default true. */
  readonly runCustomResources?: boolean;
  /** Called once the services answer, before the template's custom resources run and use them. */
  readonly onService?: (cloud: Pick<Cloud, 'aws'>) => void;
}

export interface Cloud {
  readonly db: DatabaseSync;
  readonly outbox: SentMessages;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Requests so far by `caller service operation`; the caller is a function's name, or `-`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly created: ReadonlyMap<string, Created>;
  aws(request: AwsRequest): Promise<AwsResponse>;
  /** What services of AWS that the runtime does not play would send, as an alarm to its topic. */
  deliver: Deliver;
  /** A mail comes in to an address of the business. */
  mail: Ses['arrive'];
  front(request: FrontRequest): Promise<AwsResponse>;
  send(queueArn: string, body: string): void;
  queue(queueArn: string): { visible: number; hidden: number };
  /** Runs the template's custom resources again, as an update or the deletion of the stack does. */
  runCustomResources(type: RequestType): Promise<void>;
  /** Resolves once no batch is at work any more and the state is closed. */
  stop(): Promise<void>;
}

/** What the local account may spend on texts in a month: enough for a hundred thousand of them. */
const SMS_DOLLARS = 1000;
const callerOf = (key: string): string => functionOfKey(key) ?? '-';

/** What a delivery is, by what its target's ARN holds; to everything else it is an invocation. */
const deliveryActions: readonly (readonly [string, string])[] = [
  [':sqs:', 'sqs:SendMessage'],
  [':event-bus/', 'events:PutEvents'],
  [':sns:', 'sns:Publish'],
  [':s3:', 's3:PutObject'],
];

/** The file of the mailboxes beside the file of a state. */
export const mailboxesOf = (state: string): string =>
  state === ':memory:' ? state : `${state.replace(/\.sqlite$/u, '')}.mailboxes.sqlite`;

/** Deploys a synthesised template into the local services and connects what it connects. */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { clock, random, newId } = options;
  const db = new DatabaseSync(options.file);
  // What is deleted is overwritten: an erased person is in no free page of the file either.
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA secure_delete = ON',
  );
  // What was sent lies with whoever it was sent to: beside the hub's state, not in it.
  const mailboxes = new DatabaseSync(mailboxesOf(options.file));
  mailboxes.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
  const sent = sentMessages(mailboxes);
  const functions = new Map<string, LambdaFunction>();
  const metrics = metricsOf({ db, clock });
  const meter = meterOf(metrics);
  const parts: { queues?: Sqs; events?: Events; lambda?: Invocations; topics?: Sns } = {};
  const permissions = permissionsOf({
    region: REGION,
    account: ACCOUNT,
    onDecision: options.onDecision ?? (() => {}),
  });
  const deployed = Promise.withResolvers<void>();
  const deliver: Deliver = async ({ arn, payload, source, principal, role, attributes = {}, trace }) => {
    // What an earlier run left undelivered waits until the policies are known.
    await deployed.promise;
    if (role !== undefined && !permissions.mayAssume(principal, role))
      throw new PermissionError(`${source}: ${principal} is not allowed to assume the role ${role}.`);
    const action = deliveryActions.find(([part]) => arn.includes(part))?.[1] ?? 'lambda:InvokeFunction';
    const actor = role === undefined ? { service: principal, source } : { role, session: principal };
    const key = permissions.keyOf(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/su, '$1'));
    const needs = [
      { action, resource: arn },
      ...['kms:GenerateDataKey', 'kms:Decrypt'].flatMap((use) =>
        key ? [{ action: use, resource: key }] : [],
      ),
    ];
    for (const need of needs) {
      const refusal = permissions.refusal(actor, need);
      if (refusal) throw new PermissionError(sentenceOf(refusal));
    }
    if (arn.includes(':sqs:')) parts.queues?.send(arn, payload, textAttributes(attributes), trace);
    else if (arn.includes(':event-bus/')) parts.events?.accept(arn, JSON.parse(payload));
    else if (arn.includes(':sns:')) await parts.topics?.publish(arn, payload);
    else if (arn.includes(':s3:')) await putObject(services.get('s3'), arn, payload);
    else if (arn.includes(':lambda:')) parts.lambda?.accept(arn, payload, trace);
    else throw new Error(`The local runtime cannot deliver to ${arn}.`);
    meter.delivered(arn, principal, source);
  };
  const surroundings: ServiceContext = {
    db,
    clock,
    random,
    newId,
    region: REGION,
    account: ACCOUNT,
    deliver,
    patterns: options.patterns,
  };
  const queueService = sqs(surroundings, {
    endpoint: options.awsUrl,
    ...(options.chaos && { chaos: options.chaos }),
  });
  parts.queues = queueService;
  const lambda = invocations(surroundings, {
    functions,
    async run(target, event, invocation) {
      const began = clock.now();
      try {
        return await options.invoke(target, event, invocation);
      } finally {
        meter.ran(target.name, clock.now() - began);
      }
    },
    deployed: deployed.promise,
  });
  parts.lambda = lambda;
  parts.events = events(surroundings, options.chaos ?? {});
  const opened = Promise.withResolvers<Cloud['front']>();
  parts.topics = sns(surroundings, sent, {
    async post(url, headers, body) {
      const { status } = await posted(url, headers, body, options.publicUrl, await opened.promise);
      if (status >= 300) throw new Error(`${url} answered ${status}.`);
    },
  });
  const mailService = ses(surroundings, sent);
  const services = new Map<string, AwsService>(
    [
      meter.capacity(
        dynamodb(surroundings, options.conflict ? { conflict: options.conflict } : {}),
        callerOf,
      ),
      queueService,
      parts.events,
      scheduler(surroundings),
      s3(surroundings),
      secretsManager(surroundings),
      mailService,
      parts.topics,
      smsVoice(surroundings, sent, { monthlyLimit: SMS_DOLLARS }),
      metrics.service,
    ].map((service) => [service.signingName, service]),
  );
  const { admit, disclose } = gate({
    permissions,
    functions,
    db,
    region: REGION,
    account: ACCOUNT,
  });
  const forward = options.elsewhere && forwarder(options.elsewhere);
  const counts = new Map<string, number>();
  const custom = customResources(newId, lambda.call);
  const aws = async (request: AwsRequest): Promise<AwsResponse> => {
    const response = custom.respond(request);
    return response ?? answer(request);
  };
  const answer = async (request: AwsRequest): Promise<AwsResponse> => {
    const { key, name } = isOpenToAll(request) ? { key: '-', name: 'sns' } : signatureOf(request);
    const service = services.get(name);
    if (service === undefined)
      return {
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          __type: 'UnknownService',
          message: `The local runtime has no service ${name || '(the request is not signed)'}.`,
        }),
      };
    const [caller, operation] = [callerOf(key), service.operation(request)];
    options.before?.(name, operation, caller);
    const counted = `${caller} ${name} ${operation}`;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
    const bound = functionOfKey(key);
    const refused = admit(name, operation, request, bound);
    if (refused) return refused;
    const response = await (forward !== undefined && options.elsewhere?.endpoints[name] !== undefined
      ? forward(name, request)
      : service.handle(request, {
          accessKeyId: key,
          arn: functions.get(caller)?.roleArn ?? `arn:aws:iam::${ACCOUNT}:root`,
        }));
    if (response.status < 300) meter.request(name, operation, request);
    return disclose(name, request, bound, response);
  };
  options.onService?.({ aws });
  const workshop = workshopOf(options, aws, functions);
  const created = await create(options, workshop, permissions);
  const stack = cloudformation(options.assembly.name, options.assembly.template, created);
  services.set(stack.signingName, stack);
  deployed.resolve();
  for (const refusal of permissions.unlogged)
    options.onError(new Error(`The log of a function is lost: ${sentenceOf(refusal)}`));
  const runCustomResources = async (type: RequestType): Promise<void> => {
    for (const resource of workshop.custom) await custom.run(resource, type);
  };
  if (options.runCustomResources ?? true) await runCustomResources('Create');
  const front = httpApi(
    workshop.routes.map(({ api, key, functionArn, timeoutMs }) => {
      const source = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${api}/$default/${key.replace(/^ANY /u, '* ').replace(' /', '/')}`;
      const invocation = { action: 'lambda:InvokeFunction', resource: functionArn };
      if (permissions.refusal({ service: 'apigateway.amazonaws.com', source }, invocation))
        throw new Error(
          `The route ${key} leads to ${functionArn}, which does not allow API Gateway to invoke it.`,
        );
      return { key, timeoutMs, invoke: (event) => lambda.call(functionArn, event) };
    }),
    { clock, newId, account: ACCOUNT, throttle: workshop.throttles[0] },
  );
  opened.resolve(front);
  const subscriptions = workshop.sources.map((source) =>
    subscribe(queueService, source, {
      ...{ lambda, meter, onError: options.onError },
      longestWindowSeconds: options.longestWindowSeconds ?? Number.POSITIVE_INFINITY,
    }),
  );
  const resolver = new Resolver(options.assembly.template, created, pseudoOf(options));
  return {
    db,
    outbox: sent,
    functions,
    outputs: Object.fromEntries(
      Object.entries(options.assembly.template.Outputs).map(([name, { Value }]) => [
        name,
        String(resolver.resolve(Value)),
      ]),
    ),
    counts,
    created,
    aws,
    deliver,
    mail: mailService.arrive,
    front(request) {
      meter.called(workshop.routes[0]?.api ?? '');
      return front(request);
    },
    send: queueService.send,
    queue: queueService.counts,
    runCustomResources,
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
      metrics.flush();
      db.close();
      mailboxes.close();
    },
  };
};

/** Puts an object on behalf of a service of AWS. */
const putObject = async (service: AwsService | undefined, arn: string, payload: string): Promise<void> => {
  const request = {
    ...{ method: 'PUT', path: arn.replace('arn:aws:s3:::', '/'), query: '', headers: {} },
    body: Buffer.from(payload, 'base64'),
  };
  const answer = await service?.handle(request, { accessKeyId: '-', arn });
  if (answer?.status !== 200) throw new ServiceError('NoSuchBucket', `${arn} cannot be written.`, 404);
};

const authorizationOf = (key: string, service: string): string =>
  `AWS4-HMAC-SHA256 Credential=${key}/20260101/${REGION}/${service}/aws4_request`;

const pseudoOf = ({ assembly }: CloudOptions) => ({
  region: REGION,
  account: ACCOUNT,
  stackName: assembly.name,
});

/** Posts a notification: to the hub itself straight through its front door, to others over the network. */
const posted = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  publicUrl: string,
  front: Cloud['front'],
): Promise<{ readonly status: number }> => {
  if (!url.startsWith(`${publicUrl}/`)) return fetch(url, { method: 'POST', headers, body });
  const host = new URL(publicUrl).host;
  const target = url.slice(publicUrl.length);
  return front({ method: 'POST', target, headers: { host, ...headers }, body: Buffer.from(body) });
};

/** Credential scope of the Authorization header, or of a presigned address. */
const signatureOf = ({ headers, query }: AwsRequest): { key: string; name: string } => {
  const scope =
    /Credential=([^,\s]+)/u.exec(headers['authorization'] ?? '')?.[1] ??
    new URLSearchParams(query).get('X-Amz-Credential') ??
    '';
  const [key = '', , , name = ''] = scope.split('/');
  return { key, name };
};

const subscribe = (
  service: Sqs,
  source: EventSource,
  {
    lambda,
    meter,
    onError,
    longestWindowSeconds,
  }: {
    readonly lambda: Invocations;
    readonly meter: Meter;
    readonly onError: (error: unknown) => void;
    readonly longestWindowSeconds: number;
  },
): { stop(): Promise<void> } =>
  service.subscribe(source.queueArn, {
    batchSize: source.batchSize,
    batchingWindowSeconds: Math.min(source.windowSeconds, longestWindowSeconds),
    maximumConcurrency: source.maximumConcurrency,
    reportBatchItemFailures: true,
    async handler(event: SQSEvent) {
      const { taken, loops, trace } = lambda.withoutLoops(source.functionName, event);
      for (const { receiptHandle } of loops.Records) service.bury(source.queueArn, receiptHandle);
      if (loops.Records.length > 0) onError(stopped(source.functionName));
      if (taken.Records.length === 0) return { batchItemFailures: [] };
      try {
        const answer = BatchResponse.parse(await lambda.call(source.functionName, taken, trace));
        meter.batch(source.queueArn, taken.Records.length, answer.batchItemFailures.length);
        return answer;
      } catch (error) {
        meter.batch(source.queueArn, taken.Records.length, taken.Records.length);
        onError(error);
        throw error;
      }
    },
  });

const BatchResponse: z.ZodType<SQSBatchResponse> = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })),
});

/** Creates every resource of the template, each behind what it refers to. */
const create = async (
  options: CloudOptions,
  workshop: DeployContext,
  permissions: Permissions,
): Promise<Map<string, Created>> => {
  const { template } = options.assembly;
  const created = new Map<string, Created>();
  const resolver = new Resolver(template, created, pseudoOf(options));
  for (const id of creationOrder(template)) {
    const resource = template.Resources[id];
    const kind = resource && resourceTypeOf(resource.Type);
    if (resource === undefined || kind === undefined)
      throw new Error(
        `The template's resource ${id} has the type ${resource?.Type}, which the local runtime does not know. Add it to infra/local/cloudformation/resources.ts.`,
      );
    const properties = kind.schema.safeParse(resolver.resolve(resource.Properties));
    if (!properties.success)
      throw new Error(
        `The template's resource ${id} (${resource.Type}) has properties that the local runtime does not know:\n${z.prettifyError(properties.error)}`,
      );
    const made = await kind.create(id, properties.data as never, workshop);
    created.set(id, made);
    permissions.observe(resource.Type, id, properties.data, made);
  }
  return created;
};

const workshopOf = (
  options: CloudOptions,
  aws: Cloud['aws'],
  functions: Map<string, LambdaFunction>,
): DeployContext => {
  const request = async (
    service: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string,
    query = '',
  ): Promise<Readonly<Record<string, unknown>>> => {
    const response = await aws({
      method,
      path,
      query,
      headers: {
        authorization: authorizationOf('CLOUDFORMATION', service),
        ...headers,
      },
      body: Buffer.from(body),
    });
    const text = typeof response.body === 'string' ? response.body : Buffer.from(response.body).toString();
    if (response.status < 400)
      return text.startsWith('{') ? z.record(z.string(), z.unknown()).parse(JSON.parse(text)) : {};
    const error = new Error(`${service} refused ${headers['x-amz-target'] ?? `${method} ${path}`}: ${text}`);
    const named = /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/u.exec(text)?.[1];
    error.name = response.headers['x-amzn-errortype'] ?? named ?? 'Error';
    throw error;
  };
  return {
    region: REGION,
    account: ACCOUNT,
    stackName: options.assembly.name,
    publicUrl: options.publicUrl,
    functions,
    routes: [],
    integrations: new Map(),
    throttles: [],
    sources: [],
    custom: [],
    call: (service, target, input) =>
      request(
        service,
        'POST',
        '/',
        {
          'x-amz-target': target,
          'content-type': `application/x-amz-json-${service === 'dynamodb' || service === 'sqs' ? '1.0' : '1.1'}`,
        },
        JSON.stringify(input),
      ),
    callQuery: async (service, fields) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      try {
        await request(service, 'POST', '/', headers, new URLSearchParams(fields).toString());
      } catch (error) {
        if (!String(error).includes('AlreadyExists')) throw error;
      }
    },
    createBucket: async (name, lifecycle) => {
      try {
        const region = options.elsewhere?.region ?? REGION;
        const place =
          region === 'us-east-1'
            ? ''
            : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
        await request('s3', 'PUT', `/${name}`, {}, place);
      } catch (error) {
        if (!String(error).includes('BucketAlreadyOwnedByYou')) throw error;
      }
      if (lifecycle === undefined) return;
      const headers = { 'content-md5': createHash('md5').update(lifecycle).digest('base64') };
      await request('s3', 'PUT', `/${name}`, headers, lifecycle, 'lifecycle=');
    },
    createGroup: async (name) => {
      try {
        await request('scheduler', 'POST', `/schedule-groups/${name}`, {}, '{}');
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'ConflictException') throw error;
      }
    },
  };
};
