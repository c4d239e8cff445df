import { type App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import type { HubConfig } from '../../core/config/hub-config.ts';
import { Api } from './functions/api.ts';
import { Configuration } from './functions/configuration.ts';
import { Failures, type StageQueues } from './functions/failures.ts';
import { FrontDoor } from './functions/front-door.ts';
import { Intake } from './functions/intake.ts';
import { Jobs } from './functions/jobs.ts';
import { Projections } from './functions/projections.ts';
import { SalesforceEvents } from './functions/salesforce-events.ts';
import { Sending } from './functions/sending.ts';
import { Sync } from './functions/sync.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import type { SharedResources } from './resources/hub-function.ts';
import { Secrets } from './resources/secrets.ts';
import { Storage } from './resources/storage.ts';
import { WorkQueue } from './resources/work-queue.ts';
import type { Seed } from './seed.ts';

interface HubProps {
  readonly hub: HubConfig;
  readonly seed: Seed;
  /** The folder that holds each function's bundle. */
  readonly bundles: string;
}

/** All resources of a hub in its AWS account. */
export class HubStack extends Stack {
  constructor(app: App, id: string, { hub, seed, bundles }: HubProps) {
    super(app, id, {
      description: 'Tributary: many channels, one customer',
      tags: { hub: hub.name },
      analyticsReporting: false,
    });
    const storage = new Storage(this, 'Storage', hub);
    const shared: SharedResources = { hub, bundles, storage, secrets: new Secrets() };
    const front = new FrontDoor(this, 'FrontDoor', hub);
    const deliveries = new WorkQueue(this, 'Deliveries', { visibilityTimeout: Duration.minutes(6) });
    const decisions = new WorkQueue(this, 'Decisions');
    // A message that waits for a slot of its sender is delayed for 15 minutes at most.
    const notifications = new WorkQueue(this, 'Notifications', { maxAge: Duration.minutes(30) });
    // Imported rows have a queue of their own, so that live deliveries never wait behind them.
    const imports = new WorkQueue(this, 'Imports', {
      visibilityTimeout: Duration.minutes(6),
      maxAge: Duration.hours(6),
    });

    const intake = new Intake(this, 'Intake', shared, { front, deliveries, imports });
    const { eventBus } = hub.channels.salesforce ?? {};
    if (eventBus !== undefined) new SalesforceEvents(this, 'SalesforceEvents', shared, eventBus, deliveries);
    new Sending(this, 'Sending', shared, { seed, front, deliveries, decisions, notifications });
    const jobs = new WorkQueue(this, 'Jobs', {
      visibilityTimeout: Duration.seconds(900),
      maxAge: Duration.minutes(60),
    });
    const syncs = Object.keys(hub.crms).map((crm) => {
      const id = `${crm.charAt(0).toUpperCase()}${crm.slice(1)}`;
      return new Sync(this, id, shared, { crm, deliveries, imports });
    });
    // Six times the timeout of the function plus its batching window.
    const projections = new WorkQueue(this, 'Projections', {
      visibilityTimeout: Duration.minutes(4),
      maxAge: Duration.minutes(30),
    });
    new Projections(this, 'ProjectionsConsumer', shared, projections);
    intake.sendBatches(
      projections,
      syncs.map(({ queue }) => queue),
    );
    const queues: StageQueues = {
      ...{ record: deliveries, import: imports, decide: decisions, notify: notifications, projections, jobs },
      ...Object.fromEntries(
        syncs.flatMap(({ crm, queue, probes }) => [
          [`sync-${crm}`, queue],
          [`connection-${crm}`, probes],
        ]),
      ),
    };
    new Failures(this, 'Failures', shared, queues);
    new Jobs(this, 'JobsConsumer', shared, { queue: jobs, imports, deliveries, queues });
    new Api(this, 'Api', shared, { front, deliveries, decisions, jobs, queues });
    new Configuration(this, 'Configuration', shared, { seed, decisions });

    const monitoring = new Monitoring(this, 'Monitoring', shared, front);

    const outputs = {
      Url: [front.publicUrl, 'The public base address of the webhooks and the API'],
      Table: [shared.storage.table.tableName, 'The table of customers'],
      Bucket: [shared.storage.bucket.bucketName, 'The bucket of files'],
      Secrets: [
        `https://${this.region}.console.aws.amazon.com/secretsmanager/listsecrets?region=${this.region}&search=name%3D${hub.name}%2F`,
        'Where the secrets of providers, CRMs and senders are stored',
      ],
      Dashboard: [
        `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${monitoring.dashboard.dashboardName}`,
        'The dashboard: arriving webhooks, backlogs, CRMs and sent messages',
      ],
    } as const;
    for (const [name, [value, description]] of Object.entries(outputs))
      new CfnOutput(this, name, { value, description });
  }
}
