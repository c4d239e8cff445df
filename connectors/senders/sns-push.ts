import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { HubError } from '../../core/errors.ts';
import type { Sender } from '../../core/sender.ts';
import type { SenderSurroundings } from './index.ts';

// The address of a push is `<app>:<endpoint>`: the ARN of the platform endpoint that the app registered.

const permanent: ReadonlySet<string> = new Set([
  'EndpointDisabledException',
  'EndpointDisabled',
  'InvalidParameterException',
  'InvalidParameter',
  'NotFoundException',
  'AuthorizationErrorException',
]);

export const snsPush = ({ aws }: SenderSurroundings): Sender => {
  const client = new SNSClient(aws);
  return {
    id: 'sns-push',
    provider: 'sns-push',
    async send(message) {
      const endpoint = message.to.slice(message.to.indexOf('arn:'));
      const push = { title: message.subject ?? '', body: message.text };
      try {
        const { MessageId } = await client.send(
          new PublishCommand({
            TargetArn: endpoint,
            MessageStructure: 'json',
            Message: JSON.stringify({
              default: message.text,
              GCM: JSON.stringify({ notification: push }),
              APNS: JSON.stringify({ aps: { alert: push } }),
            }),
            MessageAttributes: { notification: { DataType: 'String', StringValue: message.id } },
          }),
        );
        return MessageId ?? message.id;
      } catch (error) {
        const name = error instanceof Error ? error.name : '';
        throw new HubError(
          'push-refused',
          `SNS refused the push (${name}). A disabled endpoint means that the app was removed or its token has changed.`,
          { retry: permanent.has(name) ? 'never' : 'later', cause: error },
        );
      }
    },
  };
};
