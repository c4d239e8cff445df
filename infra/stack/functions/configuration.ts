import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { HubFunction, type SharedResources } from '../resources/hub-function.ts';
import { secretArn } from '../resources/secrets.ts';
import type { WorkQueue } from '../resources/work-queue.ts';
import type { Seed } from '../seed.ts';
import { allowTriggerRules, publishingEnvironment, triggerRules } from './trigger-rules.ts';

/** The function has five minutes, and Lambda runs it twice more where it ends without an answer. */
const ANSWER_WITHIN = Duration.minutes(20);

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Creates the secrets that are missing, seeds the running configuration, publishes the triggers, and deletes the rules of
 * triggers together with the stack. Construct it after everything that has a secret.
 */
export class Configuration extends Construct {
  constructor(
    scope: Construct,
    id: string,
    shared: SharedResources,
    { seed, decisions }: { readonly seed: Seed; readonly decisions: WorkQueue },
  ) {
    super(scope, id);
    const { table, bus } = shared.storage;
    const folder = join(shared.bundles, 'deploy');
    const files = { 'seed.json': JSON.stringify(seed), 'secrets.json': JSON.stringify(shared.secrets.all) };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const code = readFileSync(join(folder, 'index.cjs'), 'utf8');
    const deploy = new HubFunction(this, 'Deploy', shared, {
      bundle: 'deploy',
      environment: publishingEnvironment(shared, decisions),
      timeoutSeconds: 300,
    });
    deploy.allow(['dynamodb:BatchGetItem', 'dynamodb:PutItem'], table.tableArn);
    allowTriggerRules(deploy, shared);
    deploy.allowKey();
    this.#allowCreatingSecrets(deploy, shared);
    decisions.allowRules({ ArnLike: { 'aws:SourceArn': triggerRules(Stack.of(this), shared) } });
    new CustomResource(this, 'Seed', {
      serviceToken: deploy.lambda.functionArn,
      serviceTimeout: ANSWER_WITHIN,
      resourceType: 'Custom::TributaryConfiguration',
      // CloudFormation runs it again where one of these changes.
      properties: {
        seed: digestOf(files['seed.json']),
        secrets: digestOf(files['secrets.json']),
        code: digestOf(code),
      },
    }).node.addDependency(bus, table);
  }

  /** Secrets Manager checks the creation of a secret against its name, before the secret has its six characters. */
  #allowCreatingSecrets(deploy: HubFunction, { hub, secrets }: SharedResources): void {
    deploy.allow(['secretsmanager:CreateSecret'], secretArn(this, hub, '*'), {
      StringEquals: { 'secretsmanager:Name': secrets.all.map(({ name }) => `${hub.name}/${name}`) },
    });
    deploy.allow(['secretsmanager:RestoreSecret'], secretArn(this, hub, '*'));
  }
}
