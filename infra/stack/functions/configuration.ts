import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { Seed } from '../seed.ts';

/** Seeds the running configuration, publishes the triggers, and deletes the rules of triggers together with the stack. */
export class Configuration extends Construct {
  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { seed, decisions }: { readonly seed: Seed; readonly decisions: WorkQueue },
  ) {
    super(scope, id);
    const { table, bus } = shared.storage;
    const text = JSON.stringify(seed);
    writeFileSync(join(shared.bundles, 'deploy', 'seed.json'), text);
    const deploy = new HubFunction(this, 'Deploy', shared, {
      bundle: 'deploy',
      environment: {
        BUS: bus.eventBusName,
        QUEUE_ARN_DECISIONS: decisions.queue.queueArn,
        DEAD_ARN_DECISIONS: decisions.deadLetters.queueArn,
      },
      timeoutSeconds: 300,
    });
    const rules = (name: string): string =>
      Stack.of(this).formatArn({
        service: 'events',
        resource: 'rule',
        resourceName: `${bus.eventBusName}/${name}`,
      });
    deploy.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], table.tableArn);
    deploy.allow(
      ['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule'],
      rules('trigger-*'),
    );
    // EventBridge checks this action against no resource.
    deploy.allow(['events:ListRules'], '*');
    deploy.allowKey();
    decisions.allowRules({ ArnLike: { 'aws:SourceArn': rules('trigger-*') } });
    new CustomResource(this, 'Seed', {
      serviceToken: deploy.lambda.functionArn,
      resourceType: 'Custom::TributaryConfiguration',
      properties: { seed: createHash('sha256').update(text).digest('hex') },
    }).node.addDependency(bus, table);
  }
}
