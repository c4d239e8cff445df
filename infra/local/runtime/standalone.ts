import type { DatabaseSync } from 'node:sqlite';
import { dynamodb } from '../dynamodb/index.ts';
import { events } from '../eventbridge/index.ts';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import { sentMessages } from '../inbox/sent-messages.ts';
import type { Clock } from '../protocol/clock.ts';
import { listen } from '../protocol/http.ts';
import type { AwsService, Deliver, ServiceContext } from '../protocol/service.ts';
import { s3 } from '../s3/index.ts';
import { scheduler } from '../scheduler/index.ts';
import { secretsManager } from '../secrets-manager/index.ts';
import { ses } from '../ses/index.ts';
import { smsVoice } from '../sms/index.ts';
import { isOpenToAll, type Sns, sns } from '../sns/index.ts';
import { textAttributes } from '../sqs/content.ts';
import { sqs } from '../sqs/index.ts';
import { ACCOUNT, REGION } from './account.ts';

/** The parts that can be served alone, by the name that a person gives, with the end of their endpoint variable. */
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
  /** Where the parts will listen; the addresses of queues point there. */
  readonly url: string;
}

/** Some services of the local runtime without the stack: what they deliver reaches only what is served beside them. */
export const standaloneServices = (
  names: readonly ServiceName[],
  options: StandaloneOptions,
): readonly AwsService[] => {
  const { db, clock, random, newId, patterns, url } = options;
  const held: { queues?: ReturnType<typeof sqs>; buses?: ReturnType<typeof events>; topics?: Sns } = {};
  const deliver: Deliver = async ({ arn, payload, attributes }) => {
    if (arn.includes(':event-bus/') && held.buses) return held.buses.accept(arn, JSON.parse(payload));
    if (arn.includes(':sns:') && held.topics) return held.topics.publish(arn, payload);
    if (!arn.includes(':sqs:') || held.queues === undefined)
      throw new Error(`${arn} is not served here. Name its part too, as in: npm run local -- events sqs`);
    held.queues.send(arn, payload, textAttributes(attributes ?? {}));
  };
  const surroundings: ServiceContext = {
    db,
    clock,
    random,
    newId,
    region: REGION,
    account: ACCOUNT,
    deliver,
    patterns,
  };
  const sent = sentMessages(db);
  const builders: Readonly<Record<ServiceName, () => AwsService>> = {
    dynamodb: () => dynamodb(surroundings),
    sqs: () => {
      held.queues = sqs(surroundings, { endpoint: url });
      return held.queues;
    },
    events: () => {
      held.buses = events(surroundings);
      return held.buses;
    },
    scheduler: () => scheduler(surroundings),
    s3: () => s3(surroundings),
    ses: () => ses(surroundings, sent),
    sns: () => {
      held.topics = sns(surroundings, sent, { endpoint: url });
      return held.topics;
    },
    sms: () => smsVoice(surroundings, sent),
    secretsmanager: () => secretsManager(surroundings),
  };
  return names.map((name) => builders[name]());
};

export interface ServedServices {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves parts on one port of the loopback. A request goes to the part that its signature names; where there is but
 * one part, also without a signature. Rejects when the port is taken.
 */
export const serveStandalone = async (
  names: readonly ServiceName[],
  port: number,
  options: Omit<StandaloneOptions, 'url'>,
): Promise<ServedServices> => {
  const holder: { services: readonly AwsService[] } = { services: [] };
  const listener = await listen(
    async ({ target, ...request }) => {
      const [path = '/', ...query] = target.split('?');
      const whole = { ...request, path, query: query.join('?') };
      const { key, name } = isOpenToAll(whole)
        ? { key: '-', name: 'sns' }
        : signatureOf(whole.headers['authorization'], whole.query);
      const service =
        holder.services.find(({ signingName }) => signingName === name) ??
        (name === '' && holder.services.length === 1 ? holder.services[0] : undefined);
      if (service === undefined)
        return {
          status: 400,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            __type: 'UnknownService',
            message: `${name === '' ? 'The request is not signed, and several parts are served here.' : `The part ${name} is not served here.`} Served: ${names.join(', ')}.`,
          }),
        };
      return service.handle(whole, { accessKeyId: key, arn: `arn:aws:iam::${ACCOUNT}:root` });
    },
    { port },
  );
  const url = `http://127.0.0.1:${listener.port}`;
  holder.services = standaloneServices(names, { ...options, url });
  return { url, stop: listener.stop };
};

/** Key and service in the credential scope of a signature, or of a presigned address. */
const signatureOf = (
  authorization: string | undefined,
  query: string,
): { readonly key: string; readonly name: string } => {
  const scope =
    /Credential=([^,\s]+)/u.exec(authorization ?? '')?.[1] ??
    new URLSearchParams(query).get('X-Amz-Credential') ??
    '';
  const [key = '', , , name = ''] = scope.split('/');
  return { key, name };
};
