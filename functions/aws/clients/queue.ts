import type { Runtime } from '../../contracts/runtime.ts';
import { signedCalls } from './signed.ts';

export interface Sending {
  readonly delaySeconds?: number;
  /** Message attributes of the type String. */
  readonly attributes?: Readonly<Record<string, string>>;
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
      ...(delaySeconds !== undefined && {
        DelaySeconds: Math.min(Math.ceil(delaySeconds), LONGEST_DELAY_SECONDS),
      }),
      ...(attributes && {
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
        ),
      }),
    });
  };
};
