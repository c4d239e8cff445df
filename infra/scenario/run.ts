import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { parse } from 'yaml';
import * as z from 'zod';
import { VirtualClock } from '../../core/clock.ts';
import { parseConfigFile } from '../../core/config-file.ts';
import { foldCustomer, type Half } from '../../core/customer.ts';
import { HubConfig } from '../../core/hub-config.ts';
import { identifierValue } from '../../core/identifier.ts';
import { IdentityConfig } from '../../core/identity.ts';
import { Channel, instant } from '../../core/interaction.ts';
import type { TemplateFiles } from '../../core/media.ts';
import type { Notification } from '../../core/notification.ts';
import type { Sender } from '../../core/sender.ts';
import { templateFaults } from '../../core/template.ts';
import { Trigger } from '../../core/trigger.ts';
import { type PublishPorts, pause, publish } from '../../functions/api/publish.ts';
import { clientConfig } from '../../functions/aws/client.ts';
import { notificationOf } from '../../functions/aws/notifications.ts';
import { activityOf, interactionOf, profileOf } from '../../functions/aws/rows.ts';
import { readSecret } from '../../functions/aws/secret.ts';
import { type Row, table } from '../../functions/aws/table.ts';
import { triggers } from '../../functions/aws/triggers.ts';
import type { CommandMessage, InteractionMessage } from '../../functions/record/message.ts';
import type { Runtime } from '../../functions/runtime.ts';
import type { Assembly } from '../assembly.ts';
import { root } from '../bundle.ts';
import { Case } from '../conformance/case.ts';
import { receiveMessage } from '../conformance/run.ts';
import { allRows } from '../crash/promises.ts';
import { inProcess } from '../local/client.ts';
import { type Cloud, type CloudOptions, startCloud } from '../local/cloud.ts';
import { inProcessFunctions } from '../local/in-process.ts';
import { type Sandboxes, sandboxes } from '../local/sandbox/index.ts';
import { readTemplates } from '../seed.ts';
import { type ActualCustomer, differences, type Outcome } from './compare.ts';
import { listedTriggers, type Scenario, type Step, scenarioIn, triggerFile } from './schema.ts';

const LONGEST_MS = 60 * 86_400_000;
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
  readonly functions?: typeof inProcessFunctions;
  /** Called with the sandbox CRMs before the first step, to switch faults on. */
  readonly crms?: (crms: Sandboxes, clock: VirtualClock) => void;
}

/** Runs a story from a file; the lines tell how its end differs from what it expects. */
export const runScenario = async (
  file: string,
  options: ScenarioOptions,
): Promise<{ name: string; lines: string[] }> => {
  const folder = dirname(file);
  const scenario = parseConfigFile(file, readFileSync(file, 'utf8'), scenarioIn(folder));
  const outcome = await playScenario(scenario, folder, options);
  const lines = differences(scenario.expect, outcome);
  // What could not be done tells why a story ended otherwise; it may as well be what the story is about.
  return { name: scenario.name, lines: lines.length === 0 ? [] : [...lines, ...outcome.refused] };
};

export const playScenario = async (
  scenario: Scenario,
  folder: string,
  options: ScenarioOptions,
): Promise<Outcome> => {
  const stage = await openStage(scenario, folder, options);
  try {
    await play(stage, scenario, folder);
    return await outcomeOf(stage);
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
};

export interface Stage {
  readonly clock: VirtualClock;
  readonly cloud: Cloud;
  readonly crms: Sandboxes;
  readonly runtime: Runtime;
  readonly publishing: PublishPorts;
  readonly definitions: ReadonlyMap<string, unknown>;
  readonly templates: Readonly<Record<string, TemplateFiles>>;
  readonly errors: unknown[];
  /** What had been decided about people before they were erased, by the keys of its rows. */
  readonly decided: Map<string, Notification>;
}

/** Everything that a story needs, set up as it begins. */
export const openStage = async (
  scenario: Scenario,
  folder: string,
  options: ScenarioOptions,
): Promise<Stage> => {
  const first = Date.parse(scenario.steps.find(({ at }) => at !== undefined)?.at ?? EARLIEST);
  const clock = new VirtualClock(first - (scenario.customers.length + 1) * 60_000);
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`;
  const random = options.random ?? (() => 0.5);
  const errors: unknown[] = [];
  const world = { now: () => clock.now(), newId, random };
  const crms = await sandboxes(new DatabaseSync(options.file ?? ':memory:'));
  options.crms?.(crms, clock);
  const holder: { cloud?: Cloud } = {};
  const open = (): Cloud => {
    if (holder.cloud) return holder.cloud;
    throw new Error('The cloud is not open yet.');
  };
  const bound = inProcess((request) => open().aws(request));
  const functions = (options.functions ?? inProcessFunctions)(options.assembly, open, {
    ...world,
    senders: scenarioSenders(newId),
  });
  const cloud = await startCloud({
    assembly: options.assembly,
    clock,
    random,
    newId,
    file: options.file ?? ':memory:',
    // The configuration of a scenario is its own: the stack's seed is not applied.
    invoke: async (target, event, invocation) =>
      isCustomResource(event) ? { Status: 'SUCCESS' } : functions(target, event, invocation),
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
  await rows.put({ pk: 'config#hub', sk: 'current', body: hub });
  await rows.put({ pk: 'config#identity', sk: 'current', body: seedIdentity(scenario) });
  for (const crm of crms.names) {
    const body: unknown = parse(readFileSync(join(root, 'mappings', 'crm', `${crm}.yaml`), 'utf8'));
    await rows.put({ pk: `config#crm/${crm}`, sk: 'current', body });
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
  const { definitions, templates } = readTriggers(scenario, folder);
  for (const definition of definitions.values()) await publish(publishing, definition, templates);
  return {
    ...{ clock, cloud, crms, runtime, publishing, definitions, templates, errors },
    decided: new Map(),
  };
};

const isCustomResource = (event: unknown): boolean =>
  typeof event === 'object' && event !== null && 'ResponseURL' in event;

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
const readTriggers = (scenario: Scenario, folder: string): Pick<Stage, 'definitions' | 'templates'> => {
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
  return { definitions, templates: Object.fromEntries(named.map((id) => [id, found[id] ?? stub])) };
};

const queueArn = (cloud: Cloud, id: RegExp): string => {
  const name = [...cloud.created.keys()].find(
    (one) => id.test(one) && cloud.created.get(one)?.attributes?.['QueueName'] !== undefined,
  );
  return cloud.created.get(name ?? '')?.attributes?.['Arn'] ?? '';
};

/** Plays the starting customers and the steps, then lets time run until nothing is scheduled. */
export const play = async (stage: Stage, scenario: Scenario, folder: string): Promise<void> => {
  const { clock } = stage;
  const deliveries = queueArn(stage.cloud, /^Deliveries(?!Dead)/u);
  for (const [position, customer] of scenario.customers.entries()) {
    await clock.runUntil(clock.now() + 60_000);
    const { identifiers, consent = {}, preferences = {}, ...profile } = customer;
    send(stage, deliveries, {
      type: 'command',
      command: 'import',
      id: `customer-${position}`,
      at: instant(clock.now()),
      by: 'scenario',
      identifiers,
      profile,
      consent,
      preferences,
    } as CommandMessage);
    await clock.runUntil(clock.now());
  }
  let position = 0;
  while (position < scenario.steps.length) {
    const step = scenario.steps[position];
    if (step === undefined) break;
    const at = Math.max(clock.now(), step.at === undefined ? clock.now() : Date.parse(step.at));
    await clock.runUntil(at);
    if (step.advance !== undefined) {
      await clock.runUntil(at + step.advance);
      position++;
      continue;
    }
    // Steps of one instant run concurrently.
    do {
      const now = scenario.steps[position];
      if (
        now === undefined ||
        (position > 0 &&
          now !== step &&
          (now.at === undefined || now.at !== step.at || now.advance !== undefined))
      )
        break;
      await perform(stage, deliveries, folder, now, position++, at);
    } while (position < scenario.steps.length);
    await clock.runUntil(at);
  }
  await clock.runUntilIdle(clock.now() + LONGEST_MS);
};

const send = (stage: Stage, queue: string, message: InteractionMessage | CommandMessage): void =>
  stage.cloud.send(queue, JSON.stringify(message));

const perform = async (
  stage: Stage,
  queue: string,
  folder: string,
  step: Step,
  position: number,
  at: number,
): Promise<void> => {
  // A step of a time that has passed arrives late: it happens now, and says when it was.
  const told = step.at ?? instant(at);
  const command = { type: 'command' as const, id: `step-${position}`, at: told, by: 'scenario' };
  if (step.interaction) {
    const { id = `step-${position}`, provider, account, ...act } = step.interaction;
    const interaction = {
      ...act,
      key: id,
      externalId: act.externalId ?? id,
      provider,
      ...(account !== undefined && { account }),
      occurredAt: act.occurredAt ?? told,
    };
    send(stage, queue, { type: 'interaction', receivedAt: instant(at), interaction } as InteractionMessage);
  }
  if (step.webhook !== undefined) {
    const { message } = await receiveMessage(
      Case.parse(JSON.parse(readFileSync(resolve(folder, step.webhook), 'utf8'))),
      at,
    );
    if (message) stage.cloud.send(queue, JSON.stringify(message));
  }
  if (step.merge) send(stage, queue, { ...command, command: 'merge', ...step.merge });
  if (step.unmerge) send(stage, queue, { ...command, command: 'unmerge', ...step.unmerge });
  if (step.consent) send(stage, queue, { ...command, command: 'consent', ...step.consent });
  if (step.preference) send(stage, queue, { ...command, command: 'preference', ...step.preference });
  if (step.erase) await erase(stage, step.erase.customer);
  if (step.publish !== undefined)
    await publish(stage.publishing, stage.definitions.get(step.publish), stage.templates);
  if (step.pause !== undefined) await pause(stage.publishing, step.pause);
};

const settled = ({ status }: Notification): boolean => status === 'sent' || status === 'suppressed';

const notificationsIn = (rows: readonly Row[]): Map<string, Notification> =>
  new Map(
    rows
      .filter(({ sk }) => sk.startsWith('notification#'))
      .map((row) => [`${row.pk} ${row.sk}`, notificationOf(row)]),
  );

/**
 * Asked for by the API, as by a person; nobody is erased whom the hub does not know. What was sent by then was sent, though
 * no row will tell so.
 */
const erase = async ({ cloud, runtime, decided }: Stage, customer: string): Promise<void> => {
  for (const [key, one] of notificationsIn(await allRows(runtime))) if (settled(one)) decided.set(key, one);
  const hub = [...cloud.functions.values()][0]?.environment['HUB'] ?? '';
  const { keys } = z.looseObject({ keys: z.string() }).parse(await readSecret(runtime)(`${hub}/api`));
  const { status } = await cloud.front({
    method: 'POST',
    target: '/erasures',
    headers: { authorization: `Bearer ${keys}`, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ customer, by: 'scenario' })),
  });
  if (status !== 202 && status !== 404) throw new Error(`The erasure was answered with ${status}.`);
};

const outcomeOf = async (stage: Stage): Promise<Outcome> => {
  const rows = await allRows(stage.runtime);
  const halves = new Map<string, Half>();
  for (const row of rows.filter(({ sk }) => sk === 'profile')) {
    const activity = rows.find(({ pk, sk }) => pk === row.pk && sk === 'activity');
    if (activity) halves.set(profileOf(row).id, { profile: profileOf(row), activity: activityOf(activity) });
  }
  const roots = [...halves.values()]
    .filter(({ activity }) => activity.survivor === undefined)
    .map(({ profile }) => profile.id);
  const acts = rows.filter(({ sk }) => sk.startsWith('at#')).map(interactionOf);
  const customers = roots.map((root): ActualCustomer => {
    const customer = foldCustomer(root, halves);
    const ids = new Set(customer.halves.map(({ profile }) => profile.id));
    return {
      identifiers: customer.identifiers,
      timeline: acts.filter(({ half, kind }) => ids.has(half) && kind !== 'notification').length,
      consent: Object.fromEntries(
        Object.entries(customer.consent).map(([channel, entry]) => [channel, entry?.status ?? 'unknown']),
      ),
      preferences:
        customer.preferences.channel === undefined ? {} : { channel: customer.preferences.channel },
      mergedFrom: customer.halves.slice(1).map(({ profile }) => profile.identifiers),
    };
  });
  const decided = [...new Map([...stage.decided, ...notificationsIn(rows)]).values()];
  const told = ({ trigger, channel, at, template, reason }: Notification): Record<string, string> => ({
    trigger,
    at,
    ...(channel && { channel }),
    ...(template !== undefined && { template }),
    ...(reason !== undefined && { reason }),
  });
  return {
    customers,
    notifications: decided
      .filter(({ status }) => status === 'sent')
      .flatMap((one) =>
        (one.addresses ?? []).map((address) => ({ ...told(one), to: identifierValue(address) })),
      ),
    suppressed: decided.filter(({ status }) => status === 'suppressed').map(told),
    crm: stage.crms.counts(new Set(roots)),
    review: rows.filter(({ pk }) => pk === 'review').length,
    refused: rows
      .filter(({ sk }) => sk === 'failure')
      .map((row) => `not done: ${String(row['code'])}: ${String(row['reason'])}`),
  };
};
