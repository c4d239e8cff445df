import { aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/**
 * Changes of records and platform events of Salesforce. An event relay or a flow of AppFlow puts them on a partner's event
 * bus of this account, and a rule hands each to `record`, whole.
 */
export class SalesforceEvents extends Construct {
  readonly bus: string;
  readonly rules: readonly events.CfnRule[];

  constructor(scope: Construct, id: string, { hub }: SharedResources, bus: string, deliveries: WorkQueue) {
    super(scope, id);
    this.bus = bus;
    const rule = new events.CfnRule(this, 'Rule', {
      name: `tributary-${hub.name}-salesforce-events`,
      eventBusName: bus,
      // Whatever a partner says; nobody else may put events of such a source on a bus.
      eventPattern: { source: [{ prefix: 'aws.partner/' }] },
      targets: [
        {
          id: 'queue',
          arn: deliveries.queue.queueArn,
          deadLetterConfig: { arn: deliveries.dead.queueArn },
          inputTransformer: {
            inputTemplate: '{"type":"event","provider":"salesforce","event":<aws.events.event.json>}',
          },
        },
      ],
    });
    this.rules = [rule];
    deliveries.letRulesSend({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
  }
}
