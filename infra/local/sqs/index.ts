import { answerJson, jsonOperation, ServiceError } from '../protocol/json.ts';
import { answerQuery, queryOperation } from '../protocol/query.ts';
import type { AwsRequest, AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import { queueNameOf } from './attributes.ts';
import { broker as brokerOf, type Chaos } from './broker.ts';
import type { MessageAttributes } from './content.ts';
import { asSqsError, type Requester } from './operation.ts';
import { operations as operationsOf } from './operations.ts';
import { inputOfForm, xmlOfOutput } from './query.ts';
import { type Subscribed, type Subscription, subscription } from './subscription.ts';

export type { Subscribed, Subscription } from './subscription.ts';

export interface SqsOptions {
  /** The base of queue URLs; by default that of AWS. */
  readonly endpoint?: string;
  readonly chaos?: Chaos;
  /** The most concurrent batches of a subscription that does not specify it. */
  readonly concurrency?: number;
}

export interface Sqs extends AwsService {
  /**
   * Queues a message without a request and returns its id.
   *
   * @throws ServiceError when the queue does not exist or refuses the content.
   */
  send(queueArn: string, body: string, attributes?: MessageAttributes, trace?: string): string;
  /** Moves a received message to the dead-letter queue; where the queue has none, removes it. */
  moveToDeadLetter(queueArn: string, receiptHandle: string): void;
  /** Calls a handler with batches of messages, as Lambda's event source mapping does. */
  subscribe(queueArn: string, subscription: Subscription): Subscribed;
  counts(queueArn: string): { readonly visible: number; readonly hidden: number };
}

/** The local SQS: standard queues, which deliver at least once and in no particular order. */
export const sqs = (context: ServiceContext, options: SqsOptions = {}): Sqs => {
  const { clock, account, region } = context;
  const endpoint = options.endpoint ?? `https://sqs.${region}.amazonaws.com`;
  const broker = brokerOf(context, options.chaos ?? {});
  const operations = operationsOf(context, broker, (name) => `${endpoint}/${account}/${name}`);

  const perform = async (name: string, input: Readonly<Record<string, unknown>>, requester: Requester) => {
    try {
      const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
      if (operation !== undefined) return await operation(input, requester);
      throw new ServiceError('InvalidAction', `The action ${name} is not valid for this endpoint.`);
    } catch (error) {
      throw asSqsError(error);
    }
  };
  const answerOldClient = (request: AwsRequest, requester: Requester): Promise<AwsResponse> => {
    const name = queryOperation(request);
    return answerQuery(request, 'http://queue.amazonaws.com/doc/2012-11-05/', {
      [name]: async (form) => {
        try {
          return xmlOfOutput(name, await perform(name, inputOfForm(form, request.path), requester));
        } catch (error) {
          const { type, message } = asSqsError(error);
          throw new ServiceError(queryCode(type), message);
        }
      },
    });
  };

  return {
    signingName: 'sqs',
    operation: (request) => (isJson(request) ? jsonOperation(request) : queryOperation(request)),
    async handle(request, { accessKeyId }) {
      const requester = { sender: accessKeyId, trace: request.headers['x-amzn-trace-id'] };
      if (!isJson(request)) return answerOldClient(request, requester);
      const name = jsonOperation(request);
      const response = await answerJson(
        request,
        '1.0',
        { [name]: (input) => perform(name, input, requester) },
        'com.amazonaws.sqs#',
      );
      const type = response.headers['x-amzn-errortype'];
      if (type === undefined) return response;
      return {
        ...response,
        headers: { ...response.headers, 'x-amzn-query-error': `${queryCode(type)};Sender` },
      };
    },
    send: (queueArn, body, attributes = {}, trace = undefined) =>
      broker.send(broker.queues.get(queueNameOf(queueArn)), {
        body,
        attributes,
        system: trace === undefined ? {} : { AWSTraceHeader: trace },
        sender: account,
      }),
    moveToDeadLetter(queueArn, receiptHandle) {
      broker.moveToDeadLetter(broker.queues.get(queueNameOf(queueArn)), receiptHandle);
    },
    subscribe: (queueArn, subscribed) =>
      subscription(broker, context, queueArn, subscribed, options.concurrency ?? 10),
    counts(queueArn) {
      const { visible, inFlight, delayed } = broker.messages.counts(queueNameOf(queueArn), clock.now());
      return { visible, hidden: inFlight + delayed };
    },
  };
};

const isJson = ({ headers }: AwsRequest): boolean => headers['x-amz-target'] !== undefined;

const queryCodes: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
};
const prefixed = new Set([
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'MessageNotInflight',
  'PurgeQueueInProgress',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
]);

/** The name of an error in the query protocol. Clients map it to their error classes in the JSON protocol too. */
const queryCode = (type: string): string =>
  queryCodes[type] ?? (prefixed.has(type) ? `AWS.SimpleQueueService.${type}` : type);
