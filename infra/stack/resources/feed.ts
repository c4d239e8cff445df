import { aws_iam as iam, Stack, aws_sns as sns } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { topicName } from '../../../core/webhooks/sns.ts';
import type { SharedResources } from './hub-function.ts';
import type { WorkQueue } from './work-queue.ts';

interface FeedProps {
  /** The provider of the events. */
  readonly provider: string;
  /** The AWS service that publishes them, such as `ses.amazonaws.com`. */
  readonly service: string;
  readonly deliveries: WorkQueue;
}

/**
 * A topic to which a service of this account publishes, subscribed to by the deliveries queue. The owner of a queue who
 * subscribes it has nothing to confirm, and SNS tries an own-account queue for 23 days before it sends a dead letter.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
 */
export const createFeed = (
  scope: Construct,
  { hub, storage }: SharedResources,
  { provider, service, deliveries }: FeedProps,
): sns.Topic => {
  const principal = new iam.ServicePrincipal(service);
  const topic = new sns.Topic(scope, `Feed ${provider}`, {
    topicName: topicName(hub.name, provider),
    masterKey: storage.key,
    enforceSSL: true,
  });
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [principal],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  storage.allowEncryptionBy(principal);
  deliveries.allowSending('sns.amazonaws.com', { ArnEquals: { 'aws:SourceArn': topic.topicArn } });
  new sns.CfnSubscription(scope, `Feed ${provider} to the hub`, {
    topicArn: topic.topicArn,
    protocol: 'sqs',
    endpoint: deliveries.queue.queueArn,
    redrivePolicy: { deadLetterTargetArn: deliveries.deadLetters.queueArn },
  });
  return topic;
};
