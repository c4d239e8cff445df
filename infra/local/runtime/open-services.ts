import type { FrontRequest } from '../api-gateway/http-api.ts';
import { type CustomResources, customResources } from '../cloudformation/custom-resources.ts';
import { type Metrics, metrics as metricsOf } from '../cloudwatch/metrics.ts';
import { functionOfKey } from '../iam/access-key.ts';
import { authorizeDelivery } from '../iam/delivery.ts';
import { type Permissions, permissions as permissionsOf } from '../iam/index.ts';
import { requestAuthorization } from '../iam/request-authorization.ts';
import { type EventSourceMappings, eventSourceMappings } from '../lambda/event-source-mappings.ts';
import type { LambdaFunction } from '../lambda/function.ts';
import { type Invocations, invocations, type Run } from '../lambda/invocations.ts';
import type { AwsRequest, AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { ACCOUNT, REGION } from './account.ts';
import type { CloudOptions } from './cloud-options.ts';
import { type DeliveryTargets, deliverTo } from './delivery-targets.ts';
import { dispatcher } from './dispatcher.ts';
import { postNotification } from './front.ts';
import { type Meter, meter as meterOf } from './meter.ts';
import { type CloudServices, cloudServices } from './services.ts';
import { openState, type State } from './state.ts';

type Front = (request: FrontRequest) => Promise<AwsResponse>;

/** The services of a cloud before its template is deployed. Deliveries and functions wait until `open` is called. */
export interface OpenServices {
  readonly state: State;
  readonly context: ServiceContext;
  readonly services: CloudServices;
  readonly functions: Map<string, LambdaFunction>;
  readonly lambda: Invocations;
  readonly eventSources: EventSourceMappings;
  readonly permissions: Permissions;
  readonly metrics: Metrics;
  readonly meter: Meter;
  readonly counts: ReadonlyMap<string, number>;
  readonly customResources: CustomResources;
  aws(request: AwsRequest): Promise<AwsResponse>;
  /** Adds a service to `aws`. */
  addService(service: AwsService): void;
  /** Starts deliveries and functions, after every policy and function of the template is deployed. */
  open(): void;
  /** Sets the HTTP API that topics post to. */
  openFront(front: Front): void;
}

export const openServices = (options: CloudOptions): OpenServices => {
  const { clock, random, newId, patterns, publicUrl } = options;
  const state = openState(options.file);
  const functions = new Map<string, LambdaFunction>();
  const metrics = metricsOf({ db: state.db, clock });
  const meter = meterOf(metrics);
  const account = { region: REGION, account: ACCOUNT };
  const permissions = permissionsOf({ ...account, onDecision: options.onDecision ?? (() => {}) });
  const opened = Promise.withResolvers<void>();
  const front = Promise.withResolvers<Front>();
  const targets: DeliveryTargets = {};
  const context: ServiceContext = {
    ...{ db: state.db, clock, random, newId, patterns, ...account },
    async deliver(delivery) {
      // A delivery of an earlier run waits until the policies are deployed.
      await opened.promise;
      authorizeDelivery(permissions, delivery);
      await deliverTo(targets, delivery);
      meter.delivered(delivery.arn, delivery.principal, delivery.source);
    },
  };
  const run = metered(options.invoke, meter, clock);
  const lambda = invocations(context, { functions, run, deployed: opened.promise });
  const eventSources = eventSourceMappings(context);
  const services = cloudServices(context, state.mailboxes, options, async (url, headers, body) =>
    postNotification(url, headers, body, { publicUrl, front: await front.promise }),
  );
  targets.queues = services.sqs;
  targets.buses = services.events;
  targets.topics = services.sns;
  targets.objects = services.s3;
  targets.functions = lambda;
  const byName = new Map<string, AwsService>();
  const addService = (service: AwsService): void => void byName.set(service.signingName, service);
  addService(meter.capacity(services.dynamodb, (accessKey) => functionOfKey(accessKey) ?? '-'));
  const { sqs, events, scheduler, s3, secretsManager, ses, sns, sms } = services;
  const all = [sqs, events, scheduler, s3, secretsManager, ses, sns, sms];
  for (const service of [...all, metrics.service, eventSources.service]) addService(service);
  const counts = new Map<string, number>();
  const custom = customResources(newId, lambda.call);
  const dispatch = dispatcher({
    ...options,
    ...{ services: byName, functions, meter, counts },
    authorization: requestAuthorization({ permissions, functions, db: state.db, ...account }),
  });
  return {
    ...{ state, context, services, functions, lambda, eventSources, permissions, metrics, meter, counts },
    customResources: custom,
    aws: async (request) => custom.respond(request) ?? dispatch(request),
    addService,
    open: () => opened.resolve(),
    openFront: (answer) => front.resolve(answer),
  };
};

/** Counts the runs of functions and their durations. */
const metered =
  (invoke: Run, meter: Meter, clock: CloudOptions['clock']): Run =>
  async (target, event, invocation) => {
    const startedAt = clock.now();
    try {
      return await invoke(target, event, invocation);
    } finally {
      meter.ran(target.name, clock.now() - startedAt);
    }
  };
