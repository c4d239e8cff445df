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
import { Storage } from './resources/storage.ts';
import { WorkQueue } from './resources/work-queue.ts';
import type { Seed } from './seed.ts';

interface HubProps {
  readonly hub: HubConfig;
  readonly seed: Seed;
  /** The folder that holds each function's bundle. */
  readonly bundles: string;
}

/** Everything a hub is made of in its AWS account. */
export class HubStack extends Stack {
  constructor(app: App, id: string, { hub, seed, bundles }: HubProps) {
    super(app, id, {
      description: 'Tributary: many channels, one customer',
      tags: { hub: hub.name },
      analyticsReporting: false,
    });
    const ground: SharedResources = { hub, bundles, storage: new Storage(this, 'Storage', hub) };
    const front = new FrontDoor(this, 'FrontDoor', hub);
    const deliveries = new WorkQueue(this, 'Deliveries', { visibility: Duration.minutes(6) });
    const decisions = new WorkQueue(this, 'Decisions');
    const notifications = new WorkQueue(this, 'Notifications');

    // Rows of files wait apart, so that what arrives now is never behind them.
    const imports = new WorkQueue(this, 'Imports', {
      visibility: Duration.minutes(6),
      oldest: Duration.hours(6),
    });

    new Intake(this, 'Intake', ground, { front, deliveries, imports });
    const { eventBus } = hub.channels.salesforce ?? {};
    if (eventBus !== undefined) new SalesforceEvents(this, 'SalesforceEvents', ground, eventBus, deliveries);
    new Sending(this, 'Sending', ground, { front, deliveries, decisions, notifications });
    const jobs = new WorkQueue(this, 'Jobs', {
      visibility: Duration.seconds(900),
      oldest: Duration.minutes(60),
    });
    const syncs = Object.keys(hub.crms).map((crm) => {
      const { work } = new Sync(this, `${crm.charAt(0).toUpperCase()}${crm.slice(1)}`, ground, crm);
      return [`sync-${crm}`, work] as const;
    });
    // Six times the timeout of its function, and the window in which messages are gathered.
    const projections = new WorkQueue(this, 'Projections', {
      visibility: Duration.minutes(4),
      oldest: Duration.minutes(30),
    });
    new Projections(this, 'ReadModels', ground, projections);
    const queues: StageQueues = {
      ...{ record: deliveries, import: imports, decide: decisions, notify: notifications, projections, jobs },
      ...Object.fromEntries(syncs),
    };
    new Failures(this, 'Failures', ground, queues);
    new Jobs(this, 'LongWork', ground, { work: jobs, imports, deliveries, queues });
    new Api(this, 'Api', ground, { front, deliveries, jobs, queues });
    new Configuration(this, 'Configuration', ground, { seed, decisions });

    const watch = new Monitoring(this, 'Watch', ground, front);

    const outputs = {
      Url: [front.publicUrl, 'The public base of webhooks and of the API'],
      Table: [ground.storage.table.tableName, 'The table of customers'],
      Bucket: [ground.storage.bucket.bucketName, 'The bucket of files'],
      Secrets: [
        `https://${this.region}.console.aws.amazon.com/secretsmanager/listsecrets?region=${this.region}&search=name%3D${hub.name}%2F`,
        'Where the secrets of providers, CRMs and senders are stored',
      ],
      Dashboard: [
        `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${watch.dashboard.dashboardName}`,
        'What is coming in, stuck, behind and being sent',
      ],
    } as const;
    for (const [name, [value, description]] of Object.entries(outputs))
      new CfnOutput(this, name, { value, description });
  }
}
