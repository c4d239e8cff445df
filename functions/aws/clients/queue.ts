import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

export interface Sending {
  readonly delaySeconds?: number | undefined;
  /** Message attributes of the type String. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** The longest delay of SQS; a longer one is shortened to it. */
const LONGEST_DELAY_SECONDS = 900;

/** Puts a message on a queue: a text as it is, an object as JSON. Rejects with `AwsRefusal`. */
export const sendTo = (
  runtime: Runtime,
  queue: string | undefined,
): ((message: object | string, sending?: Sending) => Promise<void>) => {
  const aws = signedCalls(runtime);
  return async (message, { delaySeconds, attributes } = {}) => {
    await aws.json('sqs', 'SendMessage', {
      QueueUrl: queue,
      MessageBody: typeof message === 'string' ? message : JSON.stringify(message),
      ...sendingOf({ delaySeconds, attributes }),
    });
  };
};

/** The members of a request, or of an entry of one, beside the body. */
export const sendingOf = ({ delaySeconds, attributes = {} }: Sending): object => ({
  ...(delaySeconds !== undefined && {
    DelaySeconds: Math.min(Math.ceil(delaySeconds), LONGEST_DELAY_SECONDS),
  }),
  // SQS refuses an empty list of attributes.
  ...(Object.keys(attributes).length > 0 && {
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
    ),
  }),
});
