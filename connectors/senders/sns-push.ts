// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
// The address of a push is `<app>:<token>`; the token is the ARN of the platform endpoint that the app has registered. SNS
// disables an endpoint when the push service of the phone says that the token is not valid.

import { DeadAddress, type NotNowReason, refusal, rejectAws } from '../../core/triggers/sending/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import type { SenderContext } from './context.ts';

const whyNotNow = (name: string): NotNowReason | undefined =>
  /^(?:KMS)?Throttl(?:ed|ing)$/u.test(name) ? 'rate' : undefined;

/** The query API names the exception without its ending. An endpoint that was deleted is an invalid parameter. */
const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  (/^EndpointDisabled(?:Exception)?$/u.test(error.name) || error.message.includes('No endpoint found'));

const sentence = (name: string): string => `SNS refused the push (${name}).`;

const reject = (error: unknown): never => {
  if (!isGone(error)) return rejectAws(sentence, whyNotNow)(error);
  throw new DeadAddress(
    'SNS has disabled or lost the endpoint of this push address: the app was removed, or its token has changed. The address is closed.',
    { cause: error },
  );
};

export const snsPush: SenderDeclaration<SenderContext> = {
  id: 'sns-push',
  title: 'Amazon SNS (push)',
  docs: 'https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-application-as-subscriber.html',
  provider: 'sns-push',
  channels: ['push'],
  secrets: {},
  build: ({ call }) => ({
    async send(message) {
      const endpoint = /^[^:]*:(arn:.+)$/u.exec(message.to)?.[1];
      if (endpoint === undefined)
        throw refusal(
          'The push address is not `<app>:<ARN of a platform endpoint>`. Register the device with SNS.',
        );
      const push = { title: message.subject ?? '', body: message.text };
      const answer = await call
        .query('sns', 'Publish', {
          TargetArn: endpoint,
          MessageStructure: 'json',
          Message: JSON.stringify({
            default: message.text,
            GCM: JSON.stringify({ notification: push }),
            APNS: JSON.stringify({ aps: { alert: push } }),
          }),
          'MessageAttributes.entry.1.Name': 'notification',
          'MessageAttributes.entry.1.Value.DataType': 'String',
          'MessageAttributes.entry.1.Value.StringValue': message.id,
        })
        .catch(reject);
      return /<MessageId>([^<]+)<\/MessageId>/u.exec(answer)?.[1] ?? message.id;
    },
  }),
};
