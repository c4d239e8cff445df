// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
// The address of a push is `<app>:<token>`; the token is the ARN of the platform endpoint that the app has registered.

import { type NotNowReason, refusal, rejectAws, type Sender } from '../../core/triggers/sender.ts';
import type { SenderContext } from './context.ts';

const whyNotNow = (name: string): NotNowReason | undefined =>
  /^(?:KMS)?Throttl(?:ed|ing)$/u.test(name) ? 'rate' : undefined;

const sentence = (name: string): string =>
  `SNS refused the push (${name}). A disabled endpoint means that the app was removed or its token has changed.`;

export const snsPush = ({ call }: SenderContext): Sender => ({
  id: 'sns-push',
  provider: 'sns-push',
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
      .catch(rejectAws(sentence, whyNotNow));
    return /<MessageId>([^<]+)<\/MessageId>/u.exec(answer)?.[1] ?? message.id;
  },
});
