import { CfnOutput, Duration, aws_iam as iam, Stack, aws_ses as ses, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ses as connector } from '../../../connectors/channels/ses.ts';
import type { SharedResources } from '../resources/hub-function.ts';
import type { FrontDoor } from './front-door.ts';

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

/**
 * The configuration set of every e-mail that is sent. Where the channel `ses` is on, its events arrive as webhooks, and
 * receipt rules may store inbound mail in the hub's bucket.
 */
export class Mail extends Construct {
  readonly configurationSet: string;

  constructor(scope: Construct, id: string, { hub, storage }: SharedResources, front: FrontDoor) {
    super(scope, id);
    const set = new ses.CfnConfigurationSet(this, 'ConfigurationSet', {
      name: `tributary-${hub.name}`,
      deliveryOptions: { tlsPolicy: 'REQUIRE' },
      reputationOptions: { reputationMetricsEnabled: true },
    });
    this.configurationSet = set.ref;
    if (!('ses' in hub.channels)) return;
    const topic = new sns.Topic(this, 'Events', { masterKey: storage.key, enforceSSL: true });
    const sesService = new iam.ServicePrincipal('ses.amazonaws.com');
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [sesService],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': topic.stack.account } },
      }),
    );
    storage.allowEncryptionBy(sesService);
    new ses.CfnConfigurationSetEventDestination(this, 'Destination', {
      configurationSetName: set.ref,
      eventDestination: {
        name: 'hub',
        enabled: true,
        matchingEventTypes: EVENTS,
        snsDestination: { topicArn: topic.topicArn },
      },
    }).node.addDependency(topic);
    new sns.CfnSubscription(this, 'Webhook', {
      topicArn: topic.topicArn,
      protocol: 'https',
      endpoint: `${front.publicUrl}/webhooks/ses`,
    }).node.addDependency(front);
    new CfnOutput(Stack.of(this), 'MailTopic', {
      value: topic.topicArn,
      description:
        'The SNS topic of SES: the secret topicArns of the channel ses, and the topic of receipt rules',
    });
    const { bucket } = storage;
    const { deposits: prefix = '' } = connector;
    const account = Stack.of(this).account;
    bucket.addLifecycleRule({ prefix, expiration: Duration.days(MAIL_DAYS) });
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [sesService],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${prefix}*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
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
