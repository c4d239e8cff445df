import type { DatabaseSync } from 'node:sqlite';
import { dynamodb } from '../dynamodb/index.ts';
import { events } from '../eventbridge/index.ts';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import { sentMessages } from '../inbox/sent-messages.ts';
import type { Clock } from '../protocol/clock.ts';
import { listen } from '../protocol/http.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { credentialOf, unknownService } from '../protocol/signature.ts';
import { s3 } from '../s3/index.ts';
import { scheduler } from '../scheduler/index.ts';
import { secretsManager } from '../secrets-manager/index.ts';
import { ses } from '../ses/index.ts';
import { smsVoice } from '../sms/index.ts';
import { isOpenToAll, sns } from '../sns/index.ts';
import { sqs } from '../sqs/index.ts';
import { ACCOUNT, REGION } from './account.ts';
import { type DeliveryTargets, deliverTo } from './delivery-targets.ts';

/** The services that can run alone, by their command-line name, with the suffix of their endpoint variable. */
export const serviceNames = {
  dynamodb: 'DYNAMODB',
  sqs: 'SQS',
  events: 'EVENTBRIDGE',
  scheduler: 'SCHEDULER',
  s3: 'S3',
  ses: 'SES',
  sns: 'SNS',
  sms: 'PINPOINT_SMS_VOICE_V2',
  secretsmanager: 'SECRETS_MANAGER',
} as const;
export type ServiceName = keyof typeof serviceNames;

export interface StandaloneOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly patterns: EventPatterns;
  /** The URL of the services, also used in queue URLs. */
  readonly url: string;
}

/** Services without a template. They deliver to each other only. */
const standaloneServices = (
  names: readonly ServiceName[],
  { url, ...environment }: StandaloneOptions,
): readonly AwsService[] => {
  const targets: DeliveryTargets = {};
  const context: ServiceContext = {
    ...{ ...environment, region: REGION, account: ACCOUNT },
    deliver: (delivery) => deliverTo(targets, delivery),
  };
  const sent = sentMessages(context.db);
  const builders: Readonly<Record<ServiceName, () => AwsService>> = {
    dynamodb: () => dynamodb(context),
    sqs() {
      const queues = sqs(context, { endpoint: url });
      targets.queues = queues;
      return queues;
    },
    events() {
      const buses = events(context);
      targets.buses = buses;
      return buses;
    },
    scheduler: () => scheduler(context),
    s3() {
      const objects = s3(context);
      targets.objects = objects;
      return objects;
    },
    ses: () => ses(context, sent),
    sns() {
      const topics = sns(context, sent, { endpoint: url });
      targets.topics = topics;
      return topics;
    },
    sms: () => smsVoice(context, sent),
    secretsmanager: () => secretsManager(context),
  };
  return names.map((name) => builders[name]());
};

export interface ServedServices {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves services on one port of 127.0.0.1. A request is routed to the service of its signature; if there is
 * only one service, also without a signature.
 *
 * @throws LocalError `port-taken`.
 */
export const serveStandalone = async (
  names: readonly ServiceName[],
  port: number,
  options: Omit<StandaloneOptions, 'url'>,
): Promise<ServedServices> => {
  const opened: { services: readonly AwsService[] } = { services: [] };
  const serviceFor = (name: string): AwsService | undefined =>
    opened.services.find(({ signingName }) => signingName === name) ??
    (name === '' && opened.services.length === 1 ? opened.services[0] : undefined);
  const listener = await listen(
    async ({ target, ...rest }) => {
      const [path = '/', ...query] = target.split('?');
      const request = { ...rest, path, query: query.join('?') };
      const { accessKey, service: name } = isOpenToAll(request)
        ? { accessKey: '-', service: 'sns' }
        : credentialOf(request);
      const service = serviceFor(name);
      if (service)
        return service.handle(request, { accessKeyId: accessKey, arn: `arn:aws:iam::${ACCOUNT}:root` });
      const reason =
        name === ''
          ? 'The request is not signed, and several services run here.'
          : `The service ${name} does not run here.`;
      return unknownService(`${reason} Running: ${names.join(', ')}.`);
    },
    { port },
  );
  const url = `http://127.0.0.1:${listener.port}`;
  opened.services = standaloneServices(names, { ...options, url });
  return { url, stop: listener.stop };
};
