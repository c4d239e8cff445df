import { aws_iam as iam, aws_ses as ses, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { FrontDoor } from './front-door.ts';
import type { Ground } from './hub-function.ts';

/** What becomes of an e-mail, as SES names it. Sends and renderings are ours to know. */
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

/** The configuration set that every e-mail goes through; where the channel `ses` is on, its events come back as a webhook. */
export class Mail extends Construct {
  readonly configurationSet: string;

  constructor(scope: Construct, id: string, { hub, storage }: Ground, front: FrontDoor) {
    super(scope, id);
    const set = new ses.CfnConfigurationSet(this, 'ConfigurationSet', {
      name: `tributary-${hub.name}`,
      deliveryOptions: { tlsPolicy: 'REQUIRE' },
      reputationOptions: { reputationMetricsEnabled: true },
    });
    this.configurationSet = set.ref;
    if (!('ses' in hub.channels)) return;
    const topic = new sns.Topic(this, 'Events', { masterKey: storage.key, enforceSSL: true });
    const fromSes = new iam.ServicePrincipal('ses.amazonaws.com');
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [fromSes],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': topic.stack.account } },
      }),
    );
    storage.letEncrypt(fromSes);
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
  }
}
