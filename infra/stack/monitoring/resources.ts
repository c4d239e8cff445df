import type { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FrontDoor } from '../functions/front-door.ts';
import { Jobs } from '../functions/jobs.ts';
import { Projections } from '../functions/projections.ts';
import { SalesforceEvents } from '../functions/salesforce-events.ts';
import { Sync } from '../functions/sync.ts';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { WorkQueue } from '../resources/work-queue.ts';

/** Everything that the alarms and the dashboard show. */
export interface MonitoredResources {
  readonly shared: SharedResources;
  readonly front: FrontDoor;
  readonly functions: readonly HubFunction[];
  readonly queues: readonly WorkQueue[];
  readonly syncs: readonly Sync[];
  readonly projections: readonly Projections[];
  readonly jobs: readonly Jobs[];
  /** Partners whose events come over an event bus of their own. */
  readonly partners: readonly SalesforceEvents[];
  /** Webhooks that were answered 401. */
  readonly refusedDeliveries: cloudwatch.IMetric;
}

/** Finds every function, queue and rule that was constructed under `scope` so far. */
export const findMonitoredResources = (
  scope: Construct,
  shared: SharedResources,
  front: FrontDoor,
  refusedDeliveries: cloudwatch.IMetric,
): MonitoredResources => {
  const found = scope.node.findAll();
  return {
    shared,
    front,
    functions: found.filter((one) => one instanceof HubFunction),
    queues: found.filter((one) => one instanceof WorkQueue),
    syncs: found.filter((one) => one instanceof Sync),
    projections: found.filter((one) => one instanceof Projections),
    jobs: found.filter((one) => one instanceof Jobs),
    partners: found.filter((one) => one instanceof SalesforceEvents),
    refusedDeliveries,
  };
};
