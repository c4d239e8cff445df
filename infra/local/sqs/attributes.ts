import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';

/** A queue's behaviour, parsed from its attributes. Durations are milliseconds, sizes bytes. */
export interface Settings {
  readonly visibility: number;
  readonly delay: number;
  readonly retention: number;
  readonly wait: number;
  readonly largest: number;
  readonly redrive: { readonly target: string; readonly maxReceiveCount: number } | undefined;
  /** Whether the queue accepts the dead letters of another queue, by its name. */
  readonly takesFrom: (source: string) => boolean;
}

export const MESSAGE_LIMIT = 1024 * 1024;

const numbers: Readonly<Record<string, { least: number; most: number; standard?: string }>> = {
  VisibilityTimeout: { least: 0, most: 43_200, standard: '30' },
  DelaySeconds: { least: 0, most: 900, standard: '0' },
  MaximumMessageSize: { least: 1024, most: MESSAGE_LIMIT, standard: String(MESSAGE_LIMIT) },
  MessageRetentionPeriod: { least: 60, most: 1_209_600, standard: '345600' },
  ReceiveMessageWaitTimeSeconds: { least: 0, most: 20, standard: '0' },
  KmsDataKeyReusePeriodSeconds: { least: 60, most: 86_400 },
};
const texts = new Set([
  'Policy',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'SqsManagedSseEnabled',
]);
const standards: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(numbers).flatMap(([name, { standard }]) =>
      standard === undefined ? [] : [[name, standard]],
    ),
  ),
  SqsManagedSseEnabled: 'true',
};

const Redrive = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().min(1).max(1000),
});

/** The name in a queue's ARN or URL. */
export const queueNameOf = (urlOrArn: string): string => urlOrArn.split(/[/:]/u).at(-1) ?? '';

/**
 * A queue's attributes after `changes`; an empty text removes an attribute.
 *
 * @throws ServiceError `InvalidAttributeName` or `InvalidAttributeValue`.
 */
export const changedAttributes = (
  present: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>>,
): Record<string, string> => {
  for (const [name, value] of Object.entries(changes)) {
    if (name === 'FifoQueue' || name === 'ContentBasedDeduplication') throw fifoRefused();
    const limits = numbers[name];
    if (limits === undefined && !texts.has(name))
      throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    if (limits && !(/^\d+$/u.test(value) && Number(value) >= limits.least && Number(value) <= limits.most))
      throw new ServiceError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
  }
  const all = { ...standards, ...present, ...changes };
  const attributes = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  settingsOf(attributes);
  return attributes;
};

export const fifoRefused = (): ServiceError =>
  new ServiceError('InvalidAttributeValue', 'The local SQS has standard queues only: leave FifoQueue out.');

export const settingsOf = (attributes: Readonly<Record<string, string>>): Settings => {
  const number = (name: string): number => Number(attributes[name] ?? standards[name]);
  const policy = attributes['RedrivePolicy'];
  return {
    visibility: number('VisibilityTimeout') * 1000,
    delay: number('DelaySeconds') * 1000,
    retention: number('MessageRetentionPeriod') * 1000,
    wait: number('ReceiveMessageWaitTimeSeconds') * 1000,
    largest: number('MaximumMessageSize'),
    redrive: policy === undefined ? undefined : redriveOf(policy),
    takesFrom: allowedBy(attributes['RedriveAllowPolicy']),
  };
};

const Allow = z.discriminatedUnion('redrivePermission', [
  z.strictObject({ redrivePermission: z.enum(['allowAll', 'denyAll']) }),
  z.strictObject({
    redrivePermission: z.literal('byQueue'),
    sourceQueueArns: z.array(z.string()).min(1).max(10),
  }),
]);

const allowedBy = (policy: string | undefined): Settings['takesFrom'] => {
  if (policy === undefined) return () => true;
  try {
    const allow = Allow.parse(JSON.parse(policy));
    if (allow.redrivePermission !== 'byQueue') return () => allow.redrivePermission === 'allowAll';
    const sources = new Set(allow.sourceQueueArns.map(queueNameOf));
    return (source) => sources.has(source);
  } catch {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${policy} for parameter RedriveAllowPolicy is invalid. Reason: it is JSON with redrivePermission (allowAll, denyAll, or byQueue with one to ten sourceQueueArns).`,
    );
  }
};

const redriveOf = (policy: string): Settings['redrive'] => {
  try {
    const { deadLetterTargetArn, maxReceiveCount } = Redrive.parse(JSON.parse(policy));
    return { target: queueNameOf(deadLetterTargetArn), maxReceiveCount };
  } catch {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${policy} for parameter RedrivePolicy is invalid. Reason: it is JSON with deadLetterTargetArn and a maxReceiveCount from 1 to 1000.`,
    );
  }
};
