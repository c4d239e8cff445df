import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import type { VirtualClock } from '../../../core/clock.ts';
import { HubSecret } from '../../../core/config/hub-secret.ts';
import { templateFaults } from '../../../core/triggers/message/faults.ts';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { config } from '../../../functions/aws/operations/configuration.ts';
import type { PublishPorts } from '../../../functions/aws/triggers/publish.ts';
import { triggers } from '../../../functions/aws/triggers/triggers.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import { createMissingSecrets } from '../../../functions/deploy/create-secrets.ts';
import { inProcess } from '../../local/runtime/client.ts';
import { type Cloud, type CloudOptions, startCloud } from '../../local/runtime/cloud.ts';
import type { Assembly } from '../../stack/assembly.ts';
import { deployedSenderDomains } from '../../stack/sender-domains.ts';
import { eventPatterns } from './event-patterns.ts';
import { foreignDynamodb, withoutExpiry } from './foreign-dynamodb.ts';
import { hubFunctions } from './functions.ts';

export interface InProcessHubOptions
  extends Partial<
    Pick<
      CloudOptions,
      | 'before'
      | 'chaos'
      | 'externalEndpoints'
      | 'file'
      | 'mailQuota'
      | 'onDecision'
      | 'publicUrl'
      | 'random'
      | 'runCustomResources'
      | 'smsPartsPerSecond'
      | 'verified'
    >
  > {
  readonly assembly: Assembly;
  readonly clock: VirtualClock;
  /** The senders of notifications in place of the hub's own. */
  readonly senders?: Runtime['senders'];
  /** The network in place of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Builds the functions in place of `hubFunctions`, for example with faults. */
  readonly functions?: typeof hubFunctions;
}

/** The whole hub in one process, with virtual time and numbered ids. */
export interface InProcessHub {
  readonly clock: VirtualClock;
  readonly cloud: Cloud;
  /** What the hub's adapters need to work on its table and its services, as an administrator. */
  readonly runtime: Runtime;
  /** The name of the hub, the prefix of its secrets. */
  readonly name: string;
  /** Errors outside any invocation, oldest first. */
  readonly errors: unknown[];
}

/** Deploys a synthesised hub into local services whose functions run in this process, from source. */
export const openInProcessHub = async ({
  assembly,
  clock,
  random = () => 0.5,
  senders,
  fetch,
  functions = hubFunctions,
  verified = deployedSenderDomains(),
  ...cloudOptions
}: InProcessHubOptions): Promise<InProcessHub> => {
  let ids = 0;
  const world = {
    now: () => clock.now(),
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    random,
    // Virtual time stands still within a call.
    sleep: () => setImmediate(),
  };
  const errors: unknown[] = [];
  const holder: { services?: Pick<Cloud, 'aws'> } = {};
  const services = (): Pick<Cloud, 'aws'> => {
    if (holder.services) return holder.services;
    throw new Error('The services are not open yet.');
  };
  const foreign = foreignDynamodb(process.env, cloudOptions.file);
  const cloud = await startCloud({
    file: ':memory:',
    publicUrl: 'https://hub.example.com',
    ...(foreign && { externalEndpoints: foreign }),
    ...cloudOptions,
    ...{
      assembly: foreign ? withoutExpiry(assembly) : assembly,
      clock,
      random,
      verified,
      newId: world.newId,
      patterns: eventPatterns,
    },
    awsUrl: 'http://127.0.0.1',
    invoke: functions(assembly, services, { ...world, ...(senders && { senders }), ...(fetch && { fetch }) }),
    onService: (service) => {
      holder.services = service;
    },
    onError: (error) => errors.push(error),
  });
  const name = environmentValue(cloud, 'HUB');
  const runtime: Runtime = {
    ...world,
    env: {
      AWS_REGION: 'eu-south-1',
      AWS_ACCESS_KEY_ID: 'ADMIN',
      AWS_SECRET_ACCESS_KEY: 'local',
      TABLE: environmentValue(cloud, 'TABLE'),
      HUB: name,
    },
    aws: inProcess((request) => cloud.aws(request)),
    ...(fetch && { fetch }),
  };
  // Where no custom resource runs, nothing of the configuration is seeded, but every function finds its secrets.
  if (cloudOptions.runCustomResources === false)
    await createMissingSecrets(runtime, name, secretsOf(cloud, assembly));
  return { clock, cloud, runtime, name, errors };
};

/** The secrets of which the deploy function has a list beside its code. */
const secretsOf = ({ functions }: Pick<Cloud, 'functions'>, { assetFolder }: Assembly): HubSecret[] => {
  const files = [...functions.values()].map(({ code }) => join(assetFolder(code), 'secrets.json'));
  const file = files.find((one) => existsSync(one));
  return file === undefined ? [] : z.array(HubSecret).parse(JSON.parse(readFileSync(file, 'utf8')));
};

/** An environment variable that the template gives to at least one function. Throws where none has it. */
const environmentValue = ({ functions }: Pick<Cloud, 'functions'>, name: string): string => {
  const value = [...functions.values()]
    .map(({ environment }) => environment[name])
    .find((one) => one !== undefined);
  if (value === undefined) throw new Error(`No function of the template has the variable ${name}.`);
  return value;
};

/** The ARN of the queue whose logical id matches. Throws where the template has no such queue. */
export const queueArn = ({ created }: Pick<Cloud, 'created'>, id: RegExp): string => {
  for (const [logicalId, { attributes }] of created)
    if (id.test(logicalId) && attributes?.['QueueUrl'] !== undefined) return attributes['Arn'] ?? '';
  throw new Error(`The template has no queue ${id.source}.`);
};

/** What publishing a trigger needs of a hub. */
export const publishPortsOf = ({
  cloud,
  runtime,
}: {
  readonly cloud: Pick<Cloud, 'created' | 'functions'>;
  readonly runtime: Runtime;
}): PublishPorts => {
  const rows = table(runtime);
  return {
    events: new EventBridgeClient(clientConfig(runtime)),
    table: rows,
    triggers: triggers(rows),
    hub: config(runtime, rows).hub,
    bus: environmentValue(cloud, 'BUS'),
    decisionsQueue: queueArn(cloud, /^Decisions(?!.*Dead)/u),
    deadQueue: queueArn(cloud, /^DecisionsDead/u),
    templateFaults,
    now: runtime.now,
  };
};
