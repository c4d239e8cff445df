import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { readSecret } from '../../functions/aws/clients/secret.ts';
import { pause, publish } from '../../functions/aws/triggers/publish.ts';
import { compareOutcome, type Outcome } from './compare.ts';
import { workInCrm } from './crm/work.ts';
import { queueArn } from './hub/in-process-hub.ts';
import { scanTable } from './hub/scan-table.ts';
import { planLooks } from './looks.ts';
import { notificationsByKey, readOutcome } from './outcome.ts';
import { openLinks, pressButton } from './pages.ts';
import { openScenarioHub, type ScenarioHub, type ScenarioOptions } from './scenario-hub.ts';
import { actionOf, type Scenario, type Step, scenarioIn } from './schema.ts';
import { Case } from './webhook-case/case.ts';
import { receiveMessage } from './webhook-case/receive-case.ts';

/** How long virtual time runs on after the last step, unless nothing is scheduled any more. */
const MAX_TIME_AFTER_STEPS_MS = 60 * 86_400_000;

/**
 * Runs a scenario file. `lines` are the differences between the expected and the actual end, then the failures that the
 * hub recorded, which usually explain them; empty where the end is as expected. Throws where the file is invalid or a step
 * cannot be run.
 */
export const runScenarioFile = async (
  file: string,
  options: ScenarioOptions,
): Promise<{ name: string; lines: string[] }> => {
  const folder = dirname(file);
  const scenario = parseConfigFile(file, readFileSync(file, 'utf8'), scenarioIn(folder));
  const { outcome, differences } = await runScenario(scenario, folder, options);
  const lines = [...differences, ...compareOutcome(scenario.expect, outcome)];
  return { name: scenario.name, lines: lines.length === 0 ? [] : [...lines, ...outcome.failures] };
};

/**
 * Runs a scenario on a hub of its own. `folder`: that of the scenario file, for relative paths. `differences`: from what
 * steps expected at their instant.
 */
export const runScenario = async (
  scenario: Scenario,
  folder: string,
  options: ScenarioOptions,
): Promise<{ readonly outcome: Outcome; readonly differences: readonly string[] }> => {
  const hub = await openScenarioHub(scenario, folder, options);
  try {
    const differences = await runSteps(hub, scenario, folder);
    return { outcome: await readOutcome(hub), differences };
  } finally {
    await hub.cloud.stop();
    await hub.crms.stop();
  }
};

/**
 * Imports the starting customers, runs the steps, then lets virtual time pass until nothing is scheduled. Returns the
 * differences from what steps expected at their instant.
 */
export const runSteps = async (
  hub: ScenarioHub,
  scenario: Scenario,
  folder: string,
): Promise<readonly string[]> => {
  const differences: string[] = [];
  const { clock } = hub;
  await importCustomers(hub, scenario.customers);
  await planLooks(hub);
  const { steps } = scenario;
  for (let position = 0; position < steps.length; ) {
    const first = steps[position];
    if (first === undefined) break;
    const at = Math.max(clock.now(), first.at === undefined ? clock.now() : Date.parse(first.at));
    await clock.runUntil(at);
    if (first.advance !== undefined) {
      await clock.runUntil(at + first.advance);
      position++;
      continue;
    }
    if (first.expect) {
      const found = compareOutcome(first.expect, await readOutcome(hub));
      differences.push(...found.map((line) => `steps.${position}.${line}`));
      position++;
      continue;
    }
    for (const step of concurrentSteps(steps, position))
      await runStep(hub, { folder, step, position: position++, at });
    await clock.runUntil(at);
    await planLooks(hub);
  }
  await clock.runUntilIdle(clock.now() + MAX_TIME_AFTER_STEPS_MS);
  return differences;
};

/** The step at `position` and those directly after it that have the same time: their messages are queued together. */
const concurrentSteps = (steps: readonly Step[], position: number): Step[] => {
  const [first, ...rest] = steps.slice(position);
  if (first === undefined) return [];
  const end = rest.findIndex(
    ({ at, advance, expect }) =>
      at === undefined || at !== first.at || advance !== undefined || expect !== undefined,
  );
  return [first, ...(end < 0 ? rest : rest.slice(0, end))];
};

const importCustomers = async (hub: ScenarioHub, customers: Scenario['customers']): Promise<void> => {
  const { clock } = hub;
  for (const [position, customer] of customers.entries()) {
    await clock.runUntil(clock.now() + 60_000);
    const { identifiers, consent = {}, preferences = {}, ...profile } = customer;
    send(hub, {
      ...{ type: 'command', command: 'import', id: `customer-${position}` },
      ...{ at: instant(clock.now()), by: 'scenario' },
      ...{ identifiers, profile, consent, preferences },
    });
    await clock.runUntil(clock.now());
  }
};

const send = ({ cloud }: ScenarioHub, message: object): void =>
  cloud.send(queueArn(cloud, /^DeliveriesQueue/u), JSON.stringify(message));

interface StepRun {
  /** That of the scenario file. */
  readonly folder: string;
  readonly step: Step;
  /** In the list of steps, from 0. */
  readonly position: number;
  /** Epoch milliseconds at which the step runs. */
  readonly at: number;
}

/** Runs one step. Throws an error that names the step. */
const runStep = async (hub: ScenarioHub, run: StepRun): Promise<void> => {
  try {
    sendMessages(hub, run);
    await runAction(hub, run);
  } catch (error) {
    const name = `steps.${run.position} (${actionOf(run.step)})`;
    throw new Error(`${name} cannot be run: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
};

/** Queues the interaction or the command of a step. */
const sendMessages = (hub: ScenarioHub, { step, position, at }: StepRun): void => {
  // A step whose time has passed arrives late: it is sent now, with its own time.
  const statedAt = step.at ?? instant(at);
  const command = { type: 'command' as const, id: `step-${position}`, at: statedAt, by: 'scenario' };
  if (step.interaction) {
    const { id = `step-${position}`, provider, account, ...rest } = step.interaction;
    const interaction = {
      ...rest,
      key: id,
      externalId: rest.externalId ?? id,
      provider,
      ...(account !== undefined && { account }),
      occurredAt: rest.occurredAt ?? statedAt,
    };
    send(hub, { type: 'interaction', receivedAt: instant(at), interaction });
  }
  if (step.merge) send(hub, { ...command, command: 'merge', reason: 'scenario', ...step.merge });
  if (step.unmerge) send(hub, { ...command, command: 'unmerge', ...step.unmerge });
  if (step.confirm) send(hub, { ...command, command: 'confirm', ...step.confirm });
  if (step.split) send(hub, { ...command, command: 'split', ...step.split });
  if (step.consent) send(hub, { ...command, command: 'consent', ...step.consent });
  if (step.close) send(hub, { ...command, command: 'close', ...step.close });
  if (step.preference) send(hub, { ...command, command: 'preference', ...step.preference });
};

/** Runs a step that is more than a message. */
const runAction = async (hub: ScenarioHub, { folder, step, at }: StepRun): Promise<void> => {
  if (step.webhook !== undefined) {
    const file = resolve(folder, step.webhook);
    const message = await receiveMessage(Case.parse(JSON.parse(readFileSync(file, 'utf8'))), at);
    if (message) send(hub, message);
  }
  if (step.crm) workInCrm(hub, step.crm);
  if (step.erase) await erase(hub, step.erase.customer);
  if (step.open) await openLinks(hub.cloud, step.open.to);
  if (step.press) await pressButton(hub.cloud, step.press);
  if (step.publish !== undefined)
    await publish(hub.publishPorts, hub.triggerDefinitions.get(step.publish), hub.templates);
  if (step.pause !== undefined) await pause(hub.publishPorts, step.pause);
};

/**
 * Requests an erasure through the API. An identifier that nobody has is no error. Notifications that were sent before are
 * part of the outcome although their rows are erased.
 */
const erase = async (
  { cloud, runtime, earlierNotifications }: ScenarioHub,
  customer: string,
): Promise<void> => {
  for (const [key, notification] of notificationsByKey(await scanTable(runtime)))
    if (['sent', 'suppressed'].includes(notification.status)) earlierNotifications.set(key, notification);
  const hub = [...cloud.functions.values()][0]?.environment['HUB'] ?? '';
  const { keys } = z.looseObject({ keys: z.string() }).parse(await readSecret(runtime)(`${hub}/api`));
  const { status } = await cloud.front({
    method: 'POST',
    target: '/erasures',
    headers: { authorization: `Bearer ${keys}`, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ customer, by: 'scenario' })),
  });
  if (status !== 202 && status !== 404)
    throw new Error(`POST /erasures: expected the status 202 or 404, found ${status}`);
};
