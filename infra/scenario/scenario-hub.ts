import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { parse } from 'yaml';
import * as z from 'zod';
import { VirtualClock } from '../../core/clock.ts';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { IdentityConfig } from '../../core/identity/rules.ts';
import { Channel } from '../../core/interaction/interaction.ts';
import type { Notification } from '../../core/triggers/notification.ts';
import type { Sender } from '../../core/triggers/sender.ts';
import { templateFaults } from '../../core/triggers/template.ts';
import type { TemplateFiles } from '../../core/triggers/template-files.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { clientConfig } from '../../functions/aws/clients/config.ts';
import { table } from '../../functions/aws/clients/dynamo.ts';
import { type PublishPorts, publish } from '../../functions/aws/operations/publish.ts';
import { triggers } from '../../functions/aws/operations/triggers.ts';
import { configKey } from '../../functions/contracts/keys.ts';
import type { Runtime } from '../../functions/contracts/runtime.ts';
import { inProcess } from '../local/runtime/client.ts';
import { type Cloud, type CloudOptions, startCloud } from '../local/runtime/cloud.ts';
import type { Assembly } from '../stack/assembly.ts';
import { root } from '../stack/bundle.ts';
import { readTemplates } from '../stack/seed.ts';
import { eventPatterns } from './event-patterns.ts';
import { hubFunctions } from './hub-functions.ts';
import { openSandboxes, type Sandboxes } from './sandboxes.ts';
import { listedTriggers, type Scenario, triggerFile } from './schema.ts';

const EARLIEST = '2026-01-01T00:00:00.000Z';

export interface ScenarioOptions {
  readonly assembly: Assembly;
  readonly chaos?: CloudOptions['chaos'];
  readonly conflict?: CloudOptions['conflict'];
  readonly before?: CloudOptions['before'];
  readonly onDecision?: CloudOptions['onDecision'];
  readonly random?: () => number;
  /** The file that holds the state; in memory when absent. */
  readonly file?: string;
  /** How functions run; in this process, one instance of each, when absent. */
  readonly functions?: typeof hubFunctions;
  /** Called with the sandbox CRMs before the first step, to switch faults on. */
  readonly crms?: (crms: Sandboxes, clock: VirtualClock) => void;
}

export interface ScenarioHub {
  readonly clock: VirtualClock;
  readonly cloud: Cloud;
  readonly crms: Sandboxes;
  readonly runtime: Runtime;
  readonly publishPorts: PublishPorts;
  readonly triggerDefinitions: ReadonlyMap<string, unknown>;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
  readonly errors: unknown[];
  /** What had been decided about people before they were erased, by the keys of its rows. */
  readonly earlierNotifications: Map<string, Notification>;
}

/** Everything that a story needs, set up as it begins. */
export const openScenarioHub = async (
  scenario: Scenario,
  folder: string,
  options: ScenarioOptions,
): Promise<ScenarioHub> => {
  const first = Date.parse(scenario.steps.find(({ at }) => at !== undefined)?.at ?? EARLIEST);
  const clock = new VirtualClock(first - (scenario.customers.length + 1) * 60_000);
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`;
  const random = options.random ?? (() => 0.5);
  const errors: unknown[] = [];
  const world = { now: () => clock.now(), newId, random };
  const crms = await openSandboxes(new DatabaseSync(options.file ?? ':memory:'));
  options.crms?.(crms, clock);
  const holder: { cloud?: Cloud } = {};
  const open = (): Cloud => {
    if (holder.cloud) return holder.cloud;
    throw new Error('The cloud is not open yet.');
  };
  const bound = inProcess((request) => open().aws(request));
  const functions = (options.functions ?? hubFunctions)(options.assembly, open, {
    ...world,
    senders: scenarioSenders(newId),
  });
  const cloud = await startCloud({
    assembly: options.assembly,
    clock,
    random,
    newId,
    file: options.file ?? ':memory:',
    patterns: eventPatterns,
    // A scenario brings its own configuration in place of the stack's seed.
    runCustomResources: false,
    invoke: functions,
    publicUrl: 'https://hub.example.com',
    awsUrl: 'http://127.0.0.1',
    onError: (error) => errors.push(error),
    ...(options.chaos && { chaos: options.chaos }),
    ...(options.conflict && { conflict: options.conflict }),
    ...(options.before && { before: options.before }),
    ...(options.onDecision && { onDecision: options.onDecision }),
  });
  holder.cloud = cloud;
  const tableName =
    cloud.created.get(
      [...cloud.created.keys()].find(
        (id) => options.assembly.template.Resources[id]?.Type === 'AWS::DynamoDB::Table',
      ) ?? '',
    )?.ref ?? '';
  const decisions = queueArn(cloud, /^Decisions(?!Dead)/u);
  const runtime: Runtime = {
    ...world,
    env: {
      AWS_REGION: 'eu-south-1',
      AWS_ACCESS_KEY_ID: 'SCENARIO',
      AWS_SECRET_ACCESS_KEY: 'local',
      TABLE: tableName,
    },
    aws: bound,
  };
  const rows = table(runtime);
  const hub = seedHub(scenario);
  await rows.put({ ...configKey('hub'), body: hub });
  await rows.put({ ...configKey('identity'), body: seedIdentity(scenario) });
  for (const crm of crms.names) {
    const body: unknown = parse(readFileSync(join(root, 'mappings', 'crm', `${crm}.yaml`), 'utf8'));
    await rows.put({ ...configKey(`crm/${crm}`), body });
  }
  await crms.connect(runtime, [...cloud.functions.values()][0]?.environment['HUB'] ?? '');
  const bus =
    cloud.created.get(
      [...cloud.created.keys()].find(
        (id) => options.assembly.template.Resources[id]?.Type === 'AWS::Events::EventBus',
      ) ?? '',
    )?.ref ?? '';
  const publishing: PublishPorts = {
    events: new EventBridgeClient(clientConfig(runtime)),
    table: rows,
    triggers: triggers(rows),
    bus,
    decisionsQueue: decisions,
    deadQueue: queueArn(cloud, /^DecisionsDead/u),
    templateFaults,
    now: world.now,
  };
  const { triggerDefinitions: definitions, templates } = readTriggers(scenario, folder);
  for (const definition of definitions.values()) await publish(publishing, definition, templates);
  return {
    ...{
      clock,
      cloud,
      crms,
      runtime,
      publishPorts: publishing,
      triggerDefinitions: definitions,
      templates,
      errors,
    },
    earlierNotifications: new Map(),
  };
};

/** Media for which the hub has no sender of its own yet are sent nowhere, so that every rule of choosing can be told. */
const scenarioSenders = (newId: () => string): Record<string, Sender> => ({
  scenario: { id: 'scenario', provider: 'scenario', send: async () => newId() },
});

const seedHub = ({ hub }: Scenario): unknown => {
  const merged = {
    ...hub,
    senders: {
      ...Object.fromEntries(Channel.options.map((channel) => [channel, 'scenario'])),
      email: 'ses',
      sms: 'aws-sms',
    },
  };
  HubConfig.parse(merged);
  return merged;
};

const seedIdentity = ({ identity }: Scenario): unknown => {
  const shipped = z
    .record(z.string(), z.unknown())
    .parse(parse(readFileSync(join(root, 'mappings', 'identity.yaml'), 'utf8')));
  const merged = { ...shipped, ...identity };
  IdentityConfig.parse(merged);
  return merged;
};

const stub: TemplateFiles = {
  'email.liquid': '---\nsubject: Stub\n---\nStub',
  'sms.liquid': 'Stub',
  'push.liquid': '---\ntitle: Stub\n---\nStub',
};

/** The scenario's own triggers, or those of `mappings/`; a template that does not exist is a stub. */
const readTriggers = (
  scenario: Scenario,
  folder: string,
): Pick<ScenarioHub, 'triggerDefinitions' | 'templates'> => {
  const definitions = new Map<string, unknown>();
  for (const one of listedTriggers(scenario)) {
    const file = typeof one === 'string' ? (triggerFile(folder, one) ?? one) : undefined;
    const trigger =
      file === undefined ? Trigger.parse(one) : parseConfigFile(file, readFileSync(file, 'utf8'), Trigger);
    definitions.set(trigger.id, file === undefined ? one : parse(readFileSync(file, 'utf8')));
  }
  const found = readTemplates(join(root, 'mappings', 'templates'));
  const named = [...definitions.values()].flatMap((definition) => {
    const { send } = Trigger.parse(definition);
    return [send.template, ...send.variants.map(({ template }) => template)];
  });
  return {
    triggerDefinitions: definitions,
    templates: Object.fromEntries(named.map((id) => [id, found[id] ?? stub])),
  };
};

/** The address of the one queue whose name in the template is like this. */
export const queueArn = (cloud: Cloud, id: RegExp): string => {
  const name = [...cloud.created.keys()].find(
    (one) => id.test(one) && cloud.created.get(one)?.attributes?.['QueueName'] !== undefined,
  );
  return cloud.created.get(name ?? '')?.attributes?.['Arn'] ?? '';
};
