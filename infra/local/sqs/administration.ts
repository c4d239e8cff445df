import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { changedAttributes, fifoRefused, settingsOf } from './attributes.ts';
import type { Broker } from './broker.ts';
import { queueIn, type SqsOperation } from './operation.ts';

const Texts = z.record(z.string(), z.string());
const Names = z.array(z.string());
const PURGE_PAUSE_MS = 60_000;

type Operations = Readonly<Record<string, SqsOperation>>;

/** Operations that create, delete, purge and configure queues. */
export const administration = (
  context: ServiceContext,
  broker: Broker,
  url: (name: string) => string,
): Operations => ({
  ...queueOperations(context, broker, url),
  ...attributeOperations(context, broker),
});

const queueOperations = (
  { clock }: ServiceContext,
  broker: Broker,
  url: (name: string) => string,
): Operations => {
  const { queues, messages } = broker;
  const queueOf = queueIn(queues);
  const purgedAt = new Map<string, number>();
  return {
    CreateQueue(input) {
      const { QueueName, Attributes } = z
        .looseObject({ QueueName: z.string(), Attributes: Texts.default({}) })
        .parse(input);
      if (QueueName.endsWith('.fifo')) throw fifoRefused();
      if (!/^[\w-]{1,80}$/u.test(QueueName)) {
        throw new ServiceError(
          'InvalidParameterValue',
          'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
        );
      }
      const present = queues.find(QueueName);
      const attributes = changedAttributes(present?.attributes ?? {}, Attributes);
      const differing = Object.keys(Attributes).find(
        (name) => present && present.attributes[name] !== attributes[name],
      );
      if (differing !== undefined) {
        throw new ServiceError(
          'QueueNameExists',
          `A queue already exists with the same name and a different value for attribute ${differing}`,
        );
      }
      expectDeadLetterTarget(broker, QueueName, attributes);
      if (!present)
        queues.put({
          name: QueueName,
          attributes,
          createdAt: clock.now(),
          modifiedAt: clock.now(),
        });
      return { QueueUrl: url(QueueName) };
    },
    DeleteQueue(input) {
      const { name } = queueOf(input);
      messages.together(() => {
        messages.purge(name);
        queues.remove(name);
      });
    },
    GetQueueUrl(input) {
      const { QueueName } = z.looseObject({ QueueName: z.string() }).parse(input);
      return { QueueUrl: url(queues.get(QueueName).name) };
    },
    ListQueues(input) {
      const page = z
        .looseObject({
          QueueNamePrefix: z.string().default(''),
          MaxResults: z.int().min(1).max(1000).optional(),
          NextToken: z.string().default(''),
        })
        .parse(input);
      const after = Buffer.from(page.NextToken, 'base64').toString();
      const names = queues
        .all()
        .map(({ name }) => name)
        .filter((name) => name.startsWith(page.QueueNamePrefix) && name > after);
      const listed = names.slice(0, page.MaxResults ?? 1000);
      const last = listed.at(-1);
      return {
        QueueUrls: listed.map(url),
        ...(page.MaxResults !== undefined &&
          last !== undefined &&
          names.length > listed.length && { NextToken: Buffer.from(last).toString('base64') }),
      };
    },
    PurgeQueue(input) {
      const { name } = queueOf(input);
      if (clock.now() - (purgedAt.get(name) ?? Number.NEGATIVE_INFINITY) < PURGE_PAUSE_MS) {
        throw new ServiceError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`,
        );
      }
      purgedAt.set(name, clock.now());
      messages.purge(name);
    },
    ListDeadLetterSourceQueues(input) {
      const { name } = queueOf(input);
      return {
        queueUrls: queues
          .all()
          .filter(({ settings }) => settings.redrive?.target === name)
          .map((source) => url(source.name)),
      };
    },
  };
};

const attributeOperations = ({ clock }: ServiceContext, broker: Broker): Operations => {
  const { queues, messages, arn, notify } = broker;
  const queueOf = queueIn(queues);
  return {
    GetQueueAttributes(input) {
      const queue = queueOf(input);
      const { AttributeNames } = z.looseObject({ AttributeNames: Names.default([]) }).parse(input);
      messages.expire(queue.name, clock.now() - queue.settings.retention);
      const { visible, inFlight, delayed } = messages.counts(queue.name, clock.now());
      const all: Readonly<Record<string, string>> = {
        ...queue.attributes,
        QueueArn: arn(queue.name),
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
        LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
      };
      const wanted = AttributeNames.includes('All') ? Object.keys(all) : AttributeNames;
      const found = wanted.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]));
      return found.length === 0 ? {} : { Attributes: Object.fromEntries(found) };
    },
    SetQueueAttributes(input) {
      const queue = queueOf(input);
      const { Attributes } = z.looseObject({ Attributes: Texts }).parse(input);
      const attributes = changedAttributes(queue.attributes, Attributes);
      expectDeadLetterTarget(broker, queue.name, attributes);
      queues.put({ ...queue, attributes, modifiedAt: clock.now() });
      notify(queue.name);
    },
  };
};

/** @throws ServiceError where the dead-letter queue does not exist or does not accept the queue. */
const expectDeadLetterTarget = (
  { queues }: Broker,
  name: string,
  attributes: Readonly<Record<string, string>>,
): void => {
  const { redrive } = settingsOf(attributes);
  if (redrive && queues.find(redrive.target)?.settings.takesFrom(name) === false) {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: the dead-letter queue ${redrive.target} does not allow ${name} to use it (RedriveAllowPolicy).`,
    );
  }
  if (redrive && !queues.find(redrive.target)) {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.`,
    );
  }
};
