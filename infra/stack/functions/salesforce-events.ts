import { aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/**
 * Record changes and platform events of Salesforce. An event relay or an AppFlow flow puts them on a partner event bus of
 * this account; a rule sends each whole event to the deliveries queue.
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
      // Only AWS partners can put events with such a source on a bus.
      eventPattern: { source: [{ prefix: 'aws.partner/' }] },
      targets: [
        {
          id: 'queue',
          arn: deliveries.queue.queueArn,
          deadLetterConfig: { arn: deliveries.deadLetters.queueArn },
          inputTransformer: {
            inputTemplate: '{"type":"event","provider":"salesforce","event":<aws.events.event.json>}',
          },
        },
      ],
    });
    this.rules = [rule];
    deliveries.allowRules({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
  }
}
