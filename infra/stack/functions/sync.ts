import {
  ArnFormat,
  Duration,
  aws_events as events,
  aws_iam as iam,
  Stack,
  type aws_sns as sns,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { createEventRule, notBatched } from '../resources/event-rule.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import { WORK_RETENTION, WorkQueue } from '../resources/work-queue.ts';

/** The connectors of CRMs that report nothing by themselves, so that the hub asks what has changed. */
const polled: ReadonlySet<string> = new Set(['servicenow', 'http']);
const POLL = Duration.minutes(5);
const TIMEOUT_SECONDS = 30;
/** How long changes are gathered: each run of the function has costs of its own, whatever it writes. */
const WINDOW_SECONDS = 20;

/** The sync with one CRM: its queues, its function, its secret, and the rules that send ids to the queue. */
export class Sync extends Construct {
  readonly queue: WorkQueue;
  /** The probes of a CRM that stopped: while the event source of the other queue is off, this one stays on. */
  readonly probes: WorkQueue;
  readonly crm: string;
  readonly rules: readonly events.CfnRule[];
  readonly #function: HubFunction;

  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    {
      crm,
      deliveries,
      imports,
    }: { readonly crm: string; readonly deliveries: WorkQueue; readonly imports: WorkQueue },
  ) {
    super(scope, id);
    const { hub, storage } = shared;
    this.crm = crm;
    this.queue = new WorkQueue(this, id, {
      // Six times the timeout of the function plus its batching window.
      visibilityTimeout: Duration.seconds(6 * TIMEOUT_SECONDS + WINDOW_SECONDS),
      maxAge: Duration.minutes(30),
    });
    // A probe waits for at most fifteen minutes.
    this.probes = new WorkQueue(this, `${id}Probes`, { maxAge: Duration.minutes(30) });
    const connector = hub.crms[crm]?.connector ?? crm;
    const sync = new HubFunction(this, `${id}Sync`, shared, {
      bundle: `sync-${connector}`,
      environment: {
        CRM: crm,
        QUEUE_URL_SYNC: this.queue.queue.queueUrl,
        QUEUE_ARN_SYNC: this.queue.queue.queueArn,
        QUEUE_RETENTION_SECONDS: String(WORK_RETENTION.toSeconds()),
        QUEUE_URL_PROBES: this.probes.queue.queueUrl,
        // Slices of jobs about the CRM come with the probes: no job holds up live traffic.
        QUEUE_URL_JOBS: this.probes.queue.queueUrl,
        QUEUE_URL_IMPORTS: imports.queue.queueUrl,
        BUCKET: storage.bucket.bucketName,
        QUEUE_URL_DELIVERIES: deliveries.queue.queueUrl,
      },
      sendsToOwnQueue: true,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    this.#function = sync;
    for (const stage of [`sync-${crm}`, `connection-${crm}`]) sync.allowSavingFailures(stage);
    // Large batches: one API call of a CRM takes hundreds of records, and the number of calls is limited.
    sync.consume(this.queue, { batchSize: 1000, windowSeconds: WINDOW_SECONDS, maximumConcurrency: 2 });
    sync.consume(this.probes, { batchSize: 1, maximumConcurrency: 2 });
    this.#allowSwitching(sync);
    for (const { queue } of [this.queue, this.probes, deliveries, imports])
      sync.allow(['sqs:SendMessage'], queue.queueArn);
    sync.allow(
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:DeleteItem'],
      storage.table.tableArn,
    );
    sync.allow(['sqs:GetQueueAttributes'], imports.queue.queueArn);
    sync.allow(['s3:PutObject'], storage.bucket.arnForObjects('jobs/*'));
    sync.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, `crm/${crm}-??????`));
    sync.allow(['secretsmanager:GetSecretValue'], secretArn(this, hub, 'hashed-keys-??????'));
    sync.allowPublishing();
    sync.allowKey({ files: true, topic: true });
    shared.secrets.addEmpty(`crm/${crm}`, `Credentials of ${crm}`);
    this.rules = [...this.#createRules(shared), ...(polled.has(connector) ? [this.#createPoll()] : [])];
  }

  /** Lets the function send an e-mail to the address of the alarms. */
  sendAlarms({ topicArn }: sns.ITopic): void {
    this.#function.lambda.addEnvironment('ALARM_TOPIC', topicArn);
    this.#function.allow(['sns:Publish'], topicArn);
  }

  #createRules({ storage: { bus } }: SharedResources): events.CfnRule[] {
    const profileId = '$.detail.customer.profileId';
    const rules = [
      createEventRule(this, 'Interactions', {
        ...{ bus, queue: this.queue, detailTypes: ['interaction.recorded'], detail: notBatched },
        message: { profileId, interaction: '$.detail.id', occurredAt: '$.detail.occurredAt' },
      }),
      createEventRule(this, 'Customers', {
        ...{ bus, queue: this.queue },
        detailTypes: [
          ...['customer.merged', 'customer.unmerged', 'consent.changed', 'preference.changed'],
          'conversation.closed',
        ],
        message: { profileId },
      }),
      // The job that adopts a CRM writes the customers that it imports itself.
      createEventRule(this, 'Imports', {
        ...{
          bus,
          queue: this.queue,
          detailTypes: ['customer.imported'],
          detail: { crm: [{ exists: false }] },
        },
        ...{ message: { profileId }, flags: ['imported'] },
      }),
      createEventRule(this, 'Decisions', {
        ...{ bus, queue: this.queue, detailTypes: ['crm.decided'], detail: { crm: [this.crm] } },
        ...{ message: {}, objects: { decided: '$.detail.decided' } },
      }),
      createEventRule(this, 'Changes', {
        ...{ bus, queue: this.queue, detailTypes: ['crm.changed'], detail: { crm: [this.crm] } },
        ...{ message: {}, objects: { change: '$.detail.change' } },
      }),
    ];
    for (const { attrArn } of rules) this.queue.allowRules({ ArnEquals: { 'aws:SourceArn': attrArn } });
    return rules;
  }

  #createPoll(): events.CfnRule {
    const { queue, deadLetters } = this.probes;
    const rule = new events.CfnRule(this, 'Poll', {
      scheduleExpression: events.Schedule.rate(POLL).expressionString,
      targets: [
        {
          id: 'queue',
          arn: queue.queueArn,
          deadLetterConfig: { arn: deadLetters.queueArn },
          input: JSON.stringify({ poll: true }),
        },
      ],
    });
    this.probes.allowRules({ ArnEquals: { 'aws:SourceArn': rule.attrArn } });
    return rule;
  }

  /**
   * Lets the function switch its own event sources on and off. The policy is none of the role's own, because it names the
   * function, which depends on those.
   */
  #allowSwitching({ lambda, role }: HubFunction): void {
    const arn = Stack.of(this).formatArn({
      ...{ service: 'lambda', resource: 'event-source-mapping', resourceName: '*' },
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    new iam.Policy(this, 'Switching', {
      roles: [role],
      statements: [
        new iam.PolicyStatement({
          actions: ['lambda:UpdateEventSourceMapping'],
          resources: [arn],
          conditions: { ArnEquals: { 'lambda:FunctionArn': lambda.functionArn } },
        }),
        // Lambda knows neither a resource nor a condition for this action.
        new iam.PolicyStatement({ actions: ['lambda:ListEventSourceMappings'], resources: ['*'] }),
      ],
    });
  }
}
