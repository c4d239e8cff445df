import type { aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { createEventRule, notBatched } from '../resources/event-rule.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/** Builds the read models from events: figures, lists of customers, message status. */
export class Projections extends Construct {
  readonly rules: readonly events.CfnRule[];

  constructor(scope: Construct, id: string, shared: SharedResources, queue: WorkQueue) {
    super(scope, id);
    const { table, bus } = shared.storage;
    const projections = new HubFunction(this, 'Projections', shared, { bundle: 'projections' });
    // Large batches: a row that a hundred events change is written once, and a delay of a minute does not matter here.
    projections.consume(queue, { batchSize: 250, windowSeconds: 60, maximumConcurrency: 2 });
    projections.allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      ],
      table.tableArn,
    );
    projections.allowKey();
    const event = '$.detail-type';
    const profileId = '$.detail.customer.profileId';
    this.rules = [
      createEventRule(this, 'Interactions', {
        ...{ bus, queue, detailTypes: ['interaction.recorded'], detail: notBatched },
        message: { event, profileId, interaction: '$.detail.id', occurredAt: '$.detail.occurredAt' },
      }),
      createEventRule(this, 'Customers', {
        ...{ bus, queue },
        detailTypes: ['customer.created', 'customer.merged', 'customer.unmerged', 'conversation.closed'],
        message: { event, profileId },
      }),
      createEventRule(this, 'Unsent', {
        ...{ bus, queue },
        detailTypes: ['suppressed', 'failed', 'sent', 'waiting', 'goal-checked'].map(
          (what) => `notification.${what}`,
        ),
        message: {
          ...{ event, profileId, trigger: '$.detail.trigger', interaction: '$.detail.interaction' },
          ...{ step: '$.detail.step', channel: '$.detail.channel', at: '$.time' },
          ...{ reason: '$.detail.reason', template: '$.detail.template' },
          ...{ waited: '$.detail.waited', goal: '$.detail.goal' },
        },
      }),
    ];
    for (const { attrArn } of this.rules) queue.allowRules({ ArnEquals: { 'aws:SourceArn': attrArn } });
  }
}
