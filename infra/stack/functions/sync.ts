import { Duration, type aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { createEventRule } from '../resources/event-rule.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { emptySecret, secretArn } from '../resources/secrets.ts';
import { WorkQueue } from '../resources/work-queue.ts';

/** The sync with one CRM: its queue, its function, its secret, and the rules that send ids to the queue. */
export class Sync extends Construct {
  readonly queue: WorkQueue;
  readonly crm: string;
  readonly rules: readonly events.CfnRule[];

  constructor(scope: Construct, id: string, shared: SharedResources, crm: string) {
    super(scope, id);
    const { hub, storage } = shared;
    this.crm = crm;
    this.queue = new WorkQueue(this, id, { maxAge: Duration.minutes(30) });
    const sync = new HubFunction(this, `${id}Sync`, shared, {
      bundle: `sync-${crm}`,
      environment: { QUEUE_URL_SYNC: this.queue.queue.queueUrl },
      sendsToOwnQueue: true,
    });
    sync.allowSavingFailures(`sync-${crm}`);
    // Large batches: one API call of a CRM takes hundreds of records, and the number of calls is limited.
    sync.consume(this.queue, { batchSize: 500, windowSeconds: 2, maximumConcurrency: 2 });
    sync.allow(['sqs:SendMessage'], this.queue.queue.queueArn);
    sync.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], storage.table.tableArn);
    sync.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, `crm/${crm}-??????`));
    sync.allowPublishing();
    sync.allowKey({ writesFiles: true });
    emptySecret(this, hub, `crm/${crm}`, `Credentials of ${crm}`);
    const { bus } = storage;
    const profileId = '$.detail.customer.profileId';
    this.rules = [
      createEventRule(this, 'Interactions', {
        ...{ bus, queue: this.queue, detailTypes: ['interaction.recorded'] },
        message: { profileId, interaction: '$.detail.id', occurredAt: '$.detail.occurredAt' },
      }),
      createEventRule(this, 'Customers', {
        ...{ bus, queue: this.queue },
        detailTypes: [
          ...['customer.imported', 'customer.merged', 'customer.unmerged'],
          ...['consent.changed', 'preference.changed'],
        ],
        message: { profileId },
      }),
      createEventRule(this, 'Changes', {
        ...{ bus, queue: this.queue, detailTypes: ['crm.changed'], detail: { crm: [crm] } },
        ...{ message: {}, objects: { change: '$.detail.change' } },
      }),
    ];
    for (const { attrArn } of this.rules) this.queue.allowRules({ ArnEquals: { 'aws:SourceArn': attrArn } });
  }
}
