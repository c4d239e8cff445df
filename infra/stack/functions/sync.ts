import { Duration, aws_events as events } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { emptySecret, secretArn } from '../resources/secrets.ts';
import { WorkQueue } from '../resources/work-queue.ts';

/** One CRM: its own queue, function and secret; rules that hand it ids. */
export class Sync extends Construct {
  readonly work: WorkQueue;
  readonly crm: string;
  readonly rules: events.CfnRule[] = [];

  constructor(scope: Construct, id: string, ground: SharedResources, crm: string) {
    super(scope, id);
    const { hub, storage } = ground;
    this.crm = crm;
    this.work = new WorkQueue(this, id, { oldest: Duration.minutes(30) });
    const sync = new HubFunction(this, `${id}Sync`, ground, {
      bundle: `sync-${crm}`,
      environment: { QUEUE_URL_SYNC: this.work.queue.queueUrl },
      queuesItself: true,
    });
    sync.keepFailures(`sync-${crm}`);
    // A CRM is asked rarely and with much: a call takes hundreds of records, and its calls are rationed.
    sync.consume(this.work, { batchSize: 500, windowSeconds: 2, maximumConcurrency: 2 });
    sync.allow(['sqs:SendMessage'], this.work.queue.queueArn);
    sync.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], storage.table.tableArn);
    sync.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, `crm/${crm}-??????`));
    sync.publishes();
    sync.useKey({ writesFiles: true });
    emptySecret(this, hub, `crm/${crm}`, `Credentials of ${crm}`);
    const profileId = '$.detail.customer.profileId';
    this.#rule(storage.bus, 'Interactions', ['interaction.recorded'], {
      inputPathsMap: { profileId, interaction: '$.detail.id', occurredAt: '$.detail.occurredAt' },
      inputTemplate: '{"profileId":"<profileId>","interaction":"<interaction>","occurredAt":"<occurredAt>"}',
    });
    const told = [
      ...['customer.imported', 'customer.merged', 'customer.unmerged'],
      ...['consent.changed', 'preference.changed'],
    ];
    this.#rule(storage.bus, 'Customers', told, {
      inputPathsMap: { profileId },
      inputTemplate: '{"profileId":"<profileId>"}',
    });
  }

  #rule(
    bus: events.EventBus,
    id: string,
    detailTypes: readonly string[],
    inputTransformer: events.CfnRule.InputTransformerProperty,
  ): void {
    const { queue, dead } = this.work;
    const rule = new events.CfnRule(this, id, {
      eventBusName: bus.eventBusName,
      eventPattern: { source: ['tributary'], 'detail-type': detailTypes },
      targets: [
        { id: 'queue', arn: queue.queueArn, deadLetterConfig: { arn: dead.queueArn }, inputTransformer },
      ],
    });
    this.rules.push(rule);
    this.work.letRulesSend({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
  }
}
