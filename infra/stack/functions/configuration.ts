import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { Seed } from '../seed.ts';

/** Seeds the running configuration and publishes the triggers; takes the rules made at run time away with the stack. */
export class Configuration extends Construct {
  constructor(
    scope: Construct,
    id: string,
    ground: SharedResources,
    { seed, decisions }: { readonly seed: Seed; readonly decisions: WorkQueue },
  ) {
    super(scope, id);
    const { table, bus } = ground.storage;
    const text = JSON.stringify(seed);
    writeFileSync(join(ground.bundles, 'deploy', 'seed.json'), text);
    const deploy = new HubFunction(this, 'Deploy', ground, {
      bundle: 'deploy',
      environment: {
        BUS: bus.eventBusName,
        QUEUE_ARN_DECISIONS: decisions.queue.queueArn,
        DEAD_ARN_DECISIONS: decisions.dead.queueArn,
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
    deploy.allow(['events:ListRules'], rules('*'));
    deploy.useKey();
    decisions.letRulesSend({ ArnLike: { 'aws:SourceArn': rules('trigger-*') } });
    new CustomResource(this, 'Seed', {
      serviceToken: deploy.lambda.functionArn,
      resourceType: 'Custom::TributaryConfiguration',
      properties: { seed: createHash('sha256').update(text).digest('hex') },
    }).node.addDependency(bus, table);
  }
}
