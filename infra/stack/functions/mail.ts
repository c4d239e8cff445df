import { CfnOutput, Duration, aws_iam as iam, Stack, aws_ses as ses } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ses as connector } from '../../../connectors/channels/ses.ts';
import { usedSenders } from '../../../core/config/hub-config.ts';
import { createFeed } from '../resources/feed.ts';
import type { SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/** The event types of SES that the hub needs; it records sends itself. */
const EVENTS = [
  'delivery',
  'bounce',
  'complaint',
  'open',
  'click',
  'reject',
  'deliveryDelay',
  'subscription',
];

/** As long as other stored deliveries: an inbound mail is read at once, and again only where that failed. */
const MAIL_DAYS = 14;

/** Whether a hub sends or receives e-mail through SES; without it the stack has no resource of SES, which some regions lack. */
export const usesSes = (hub: SharedResources['hub']): boolean =>
  'ses' in hub.channels || usedSenders(hub).has('ses');

/**
 * The configuration set of every e-mail that is sent. Where the channel `ses` is on, its events arrive through a topic, and
 * receipt rules may store inbound mail in the hub's bucket.
 */
export class Mail extends Construct {
  readonly configurationSet: string;

  constructor(scope: Construct, id: string, shared: SharedResources, deliveries: WorkQueue) {
    super(scope, id);
    const { hub } = shared;
    const set = new ses.CfnConfigurationSet(this, 'ConfigurationSet', {
      name: `tributary-${hub.name}`,
      deliveryOptions: { tlsPolicy: 'REQUIRE' },
      reputationOptions: { reputationMetricsEnabled: true },
    });
    this.configurationSet = set.ref;
    if (!('ses' in hub.channels)) return;
    const feed = { provider: 'ses', service: 'ses.amazonaws.com', deliveries };
    const topic = createFeed(this, shared, feed);
    new ses.CfnConfigurationSetEventDestination(this, 'Destination', {
      configurationSetName: set.ref,
      eventDestination: {
        name: 'hub',
        enabled: true,
        matchingEventTypes: EVENTS,
        snsDestination: { topicArn: topic.topicArn },
      },
    }).node.addDependency(topic);
    new CfnOutput(Stack.of(this), 'MailTopic', {
      value: topic.topicArn,
      description: 'The SNS topic of SES, for the receipt rules of inbound mail',
    });
    this.#receive(shared);
  }

  /** Lets the receipt rules of the account store inbound mail in the bucket. */
  #receive({ storage: { bucket } }: SharedResources): void {
    const { deposits: prefix = '' } = connector;
    const stack = Stack.of(this);
    bucket.addLifecycleRule({ prefix, expiration: Duration.days(MAIL_DAYS) });
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('ses.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${prefix}*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'ses',
              resource: 'receipt-rule-set',
              resourceName: '*:receipt-rule/*',
            }),
          },
        },
      }),
    );
  }
}
