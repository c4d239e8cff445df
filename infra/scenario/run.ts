import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { readSecret } from '../../functions/aws/clients/secret.ts';
import { pause, publish } from '../../functions/aws/operations/publish.ts';
import type { CommandMessage, InteractionMessage } from '../../functions/contracts/messages/record.ts';
import { Case } from './case.ts';
import { compareOutcome, type Outcome } from './compare.ts';
import { queueArn } from './in-process-hub.ts';
import { notificationsByKey, readOutcome } from './outcome.ts';
import { receiveMessage } from './receive-case.ts';
import { scanTable } from './scan-table.ts';
import { openScenarioHub, type ScenarioHub, type ScenarioOptions } from './scenario-hub.ts';
import { type Scenario, type Step, scenarioIn } from './schema.ts';

const LONGEST_MS = 60 * 86_400_000;

/** Runs a story from a file; the lines tell how its end differs from what it expects. */
export const runScenarioFile = async (
  file: string,
  options: ScenarioOptions,
): Promise<{ name: string; lines: string[] }> => {
  const folder = dirname(file);
  const scenario = parseConfigFile(file, readFileSync(file, 'utf8'), scenarioIn(folder));
  const outcome = await runScenario(scenario, folder, options);
  const lines = compareOutcome(scenario.expect, outcome);
  // What could not be done tells why a story ended otherwise; it may as well be what the story is about.
  return { name: scenario.name, lines: lines.length === 0 ? [] : [...lines, ...outcome.refused] };
};

export const runScenario = async (
  scenario: Scenario,
  folder: string,
  options: ScenarioOptions,
): Promise<Outcome> => {
  const stage = await openScenarioHub(scenario, folder, options);
  try {
    await runSteps(stage, scenario, folder);
    return await readOutcome(stage);
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
};

/** Plays the starting customers and the steps, then lets time run until nothing is scheduled. */
export const runSteps = async (stage: ScenarioHub, scenario: Scenario, folder: string): Promise<void> => {
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

const send = (stage: ScenarioHub, queue: string, message: InteractionMessage | CommandMessage): void =>
  stage.cloud.send(queue, JSON.stringify(message));

const perform = async (
  stage: ScenarioHub,
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
    const message = await receiveMessage(
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
    await publish(stage.publishPorts, stage.triggerDefinitions.get(step.publish), stage.templates);
  if (step.pause !== undefined) await pause(stage.publishPorts, step.pause);
};

/**
 * Asked for by the API, as by a person; nobody is erased whom the hub does not know. What was sent by then was sent, though
 * no row will tell so.
 */
const erase = async (
  { cloud, runtime, earlierNotifications: decided }: ScenarioHub,
  customer: string,
): Promise<void> => {
  for (const [key, one] of notificationsByKey(await scanTable(runtime)))
    if (['sent', 'suppressed'].includes(one.status)) decided.set(key, one);
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
