import { aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';

/** What people look at, kept off the way of what happens: figures, lists, what became of a message. */
export class Projections extends Construct {
  readonly rules: events.CfnRule[] = [];
  readonly #bus: events.EventBus;
  readonly #work: WorkQueue;

  constructor(scope: Construct, id: string, ground: SharedResources, work: WorkQueue) {
    super(scope, id);
    const { table, bus } = ground.storage;
    this.#bus = bus;
    this.#work = work;
    const projections = new HubFunction(this, 'Projections', ground, { bundle: 'projections' });
    // Nobody waits for it, and what a hundred events change together is written once.
    projections.consume(work, { batchSize: 250, windowSeconds: 20, maximumConcurrency: 2 });
    projections.allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem'],
        ...['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      ],
      table.tableArn,
    );
    projections.useKey();
    const event = '$.detail-type';
    const profileId = '$.detail.customer.profileId';
    const interaction = '$.detail.id';
    const occurredAt = '$.detail.occurredAt';
    this.#rule('Interactions', ['interaction.recorded'], { event, profileId, interaction, occurredAt });
    this.#rule(
      'Customers',
      ['customer.created', 'customer.merged', 'customer.unmerged', 'conversation.closed'],
      { event, profileId },
    );
    this.#rule('Unsent', ['notification.suppressed', 'notification.failed'], {
      ...{ event, profileId, trigger: '$.detail.trigger', interaction: '$.detail.interaction' },
      ...{ channel: '$.detail.channel', at: '$.time' },
    });
  }

  /** A rule whose messages have these paths of the event as their keys. */
  #rule(id: string, detailTypes: readonly string[], inputPathsMap: Readonly<Record<string, string>>): void {
    const { queue, dead } = this.#work;
    const keys = Object.keys(inputPathsMap).map((name) => `"${name}":"<${name}>"`);
    const rule = new events.CfnRule(this, id, {
      eventBusName: this.#bus.eventBusName,
      eventPattern: { source: ['tributary'], 'detail-type': detailTypes },
      targets: [
        {
          ...{ id: 'queue', arn: queue.queueArn, deadLetterConfig: { arn: dead.queueArn } },
          inputTransformer: { inputPathsMap, inputTemplate: `{${keys.join(',')}}` },
        },
      ],
    });
    this.rules.push(rule);
    this.#work.letRulesSend({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
  }
}
