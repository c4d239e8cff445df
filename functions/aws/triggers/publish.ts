import { createHash } from 'node:crypto';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { publishFaults, templatesOf } from '../../../core/triggers/publishable.ts';
import { teamFaults } from '../../../core/triggers/teams.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { ruleName, rulePattern, Trigger } from '../../../core/triggers/trigger.ts';
import { audienceKey, currentTriggerKey, triggerVersionKey } from '../../contracts/keys.ts';
import type { CurrentTrigger } from '../../contracts/rows/triggers.ts';
import type { Table } from '../clients/dynamo.ts';
import { dropRule, expectRoom, putRule, type Rule, rulesOf } from './trigger-rules.ts';
import type { Triggers } from './triggers.ts';

export interface PublishPorts {
  readonly events: EventBridgeClient;
  readonly table: Table;
  readonly triggers: Triggers;
  readonly hub: () => Promise<HubConfig>;
  readonly bus: string;
  readonly decisionsQueue: string;
  readonly deadQueue: string;
  /** The faults of a template, one line each. A port, so that the deploy function does not carry the Liquid library. */
  readonly templateFaults: (id: string, files: TemplateFiles, hasCause: boolean) => string[];
  /** Epoch milliseconds. */
  readonly now: () => number;
}

type Templates = Readonly<Record<string, TemplateFiles>>;

/** A trigger that passed every check before its publication. */
interface Checked {
  readonly trigger: Trigger;
  /** The trigger as it was written. */
  readonly definition: unknown;
  /** The templates that it names, as they are now. */
  readonly templates: Templates;
  readonly pattern: string;
  readonly digest: string;
}

/**
 * Publishes a trigger: writes the row of its version, puts its rule, and removes the rule of the version before. A trigger
 * that is published unchanged keeps its version and is resumed. Resolves to the version. Throws `HubError` `rule-quota`,
 * `oversized-pattern`, `missing-template`, `unknown-team` or `invalid-template` (never), or `write-conflict` (later).
 */
export const publish = async (
  ports: PublishPorts,
  definition: unknown,
  templates: Templates,
): Promise<number> => {
  const checked = await check(ports, definition, templates);
  const current = await ports.triggers.current(checked.trigger.id);
  if (current?.digest !== checked.digest) return publishVersion(ports, checked, current, {});
  const { since } = current.paused ? runsNow(ports) : current;
  await setCurrent(ports, checked.trigger.id, { ...current, paused: false, since }, current);
  await putRule(ports, ruleOf(checked, current.version), 'ENABLED');
  return current.version;
};

/**
 * Publishes a trigger from the files of a deploy. One that a person has edited or paused since the last deploy stays so.
 * Resolves to whether the version of the files is published now. Throws as `publish` does.
 */
export const publishSeed = async (
  ports: PublishPorts,
  definition: unknown,
  templates: Templates,
): Promise<boolean> => {
  const checked = await check(ports, definition, templates);
  const { digest, trigger } = checked;
  const current = await ports.triggers.current(trigger.id);
  if (current?.digest === digest) {
    if (current.seeded !== digest)
      await setCurrent(ports, trigger.id, { ...current, seeded: digest }, current);
    await putRule(ports, ruleOf(checked, current.version), current.paused ? 'DISABLED' : 'ENABLED');
    return true;
  }
  if (current && current.seeded !== current.digest) return false;
  await publishVersion(ports, checked, current, { seeded: digest, paused: current?.paused ?? false });
  return true;
};

/** Pauses a trigger; waiting notifications are not sent. Throws `HubError` `unknown-trigger` (never). */
export const pause = async (ports: PublishPorts, trigger: string): Promise<void> => {
  const current = await pauseRow(ports, trigger);
  const [rule] = (await rulesOf(ports)).filter(({ name }) => name === ruleName(trigger, current.version));
  if (rule) await putRule(ports, rule, 'DISABLED');
};

/** Ends a trigger and removes its rules from the bus. Its versions stay stored, because decisions name them. */
export const unpublish = async (ports: PublishPorts, trigger: string): Promise<void> => {
  await pauseRow(ports, trigger);
  await dropRules(ports, trigger);
};

/** Unpublishes triggers of an earlier deploy whose files are gone, unless a person has edited them. */
export const unpublishOthers = async (ports: PublishPorts, kept: ReadonlySet<string>): Promise<void> => {
  const published = (await rulesOf(ports)).flatMap(
    ({ name }) => /^trigger-(.+)-v\d+$/u.exec(name)?.[1] ?? [],
  );
  for (const trigger of new Set(published).difference(kept)) {
    const current = await ports.triggers.current(trigger);
    if (current?.seeded === current?.digest) await unpublish(ports, trigger);
  }
};

/** Removes every rule that was made at run time, so that the stack can be deleted. */
export const dropAllRules = async (ports: Pick<PublishPorts, 'events' | 'bus'>): Promise<void> => {
  for (const { name } of await rulesOf(ports)) if (name.startsWith('trigger-')) await dropRule(ports, name);
};

const check = async (ports: PublishPorts, definition: unknown, templates: Templates): Promise<Checked> => {
  const trigger = Trigger.parse(definition);
  const pattern = JSON.stringify(rulePattern(trigger));
  const [fault] = [...publishFaults(trigger, templates), ...teamFaults(trigger, await ports.hub())];
  if (fault !== undefined) throw new HubError(fault.code, fault.message, { retry: 'never' });
  const named = templatesOf(trigger);
  const own = Object.fromEntries(named.map((id) => [id, templates[id] ?? {}]));
  const faults = Object.entries(own).flatMap(([id, files]) =>
    ports.templateFaults(id, files, trigger.each === undefined),
  );
  if (faults.length > 0) throw new HubError('invalid-template', faults.join('\n'), { retry: 'never' });
  const digest = createHash('sha256')
    .update(JSON.stringify([definition, own]))
    .digest('hex');
  return { trigger, definition, templates: own, pattern, digest };
};

const publishVersion = async (
  ports: PublishPorts,
  checked: Checked,
  current: CurrentTrigger | undefined,
  { paused = false, seeded = current?.seeded }: { paused?: boolean; seeded?: string | undefined },
): Promise<number> => {
  const { trigger, definition, templates, pattern, digest } = checked;
  await expectRoom(ports, trigger.id, pattern);
  let version = (current?.version ?? 0) + 1;
  // The number of an interrupted publication is skipped.
  while (
    !(await ports.table.transact([
      { put: { ...triggerVersionKey(trigger.id, version), definition, templates }, if: { absent: true } },
    ]))
  )
    version++;
  const rule = ruleOf(checked, version);
  await putRule(ports, rule, paused ? 'DISABLED' : 'ENABLED');
  const { pausedAt } = current ?? {};
  const { since } = current === undefined || current.paused ? runsNow(ports) : current;
  if (trigger.each !== undefined) await ports.table.put({ ...audienceKey(trigger.id) }, { absent: true });
  await setCurrent(ports, trigger.id, { version, paused, pausedAt, since, digest, seeded }, current);
  await dropRules(ports, trigger.id, rule.name);
  return version;
};

const runsNow = ({ now }: PublishPorts): Pick<CurrentTrigger, 'since'> => ({ since: instant(now()) });

const ruleOf = ({ trigger, pattern }: Checked, version: number): Rule => ({
  name: ruleName(trigger.id, version),
  pattern,
});

const dropRules = async (ports: PublishPorts, trigger: string, kept?: string): Promise<void> => {
  const own = new RegExp(`^trigger-${trigger}-v\\d+$`, 'u');
  for (const { name } of await rulesOf(ports))
    if (own.test(name) && name !== kept) await dropRule(ports, name);
};

const pauseRow = async (ports: PublishPorts, trigger: string): Promise<CurrentTrigger> => {
  const current = await ports.triggers.current(trigger);
  if (current === undefined)
    throw new HubError('unknown-trigger', `There is no trigger ${trigger} to pause.`, { retry: 'never' });
  const pausedAt = instant(ports.now());
  await setCurrent(ports, trigger, { ...current, paused: true, pausedAt }, current);
  return current;
};

const setCurrent = async (
  { table }: PublishPorts,
  trigger: string,
  row: CurrentTrigger,
  before: CurrentTrigger | undefined,
): Promise<void> => {
  const condition = before ? { version: before.version } : ({ absent: true } as const);
  if (await table.transact([{ put: { ...currentTriggerKey(trigger), ...row }, if: condition }])) return;
  throw new HubError(
    'write-conflict',
    `The trigger ${trigger} was changed concurrently. Look at it and try again.`,
    {
      retry: 'later',
    },
  );
};
