import { createHash } from 'node:crypto';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import { HubError } from '../../../core/errors.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import { publishFaults, templatesOf } from '../../../core/triggers/publishing/publishable.ts';
import type { TemplateFiles } from '../../../core/triggers/template-files.ts';
import { awaitedBy, eventPattern, ruleName, rulePattern, Trigger } from '../../../core/triggers/trigger.ts';
import {
  audienceKey,
  currentTriggerKey,
  triggerDraftKey,
  triggerListKey,
  triggerVersionKey,
} from '../../contracts/keys.ts';
import type { CurrentTrigger, TriggerDraft } from '../../contracts/rows/triggers.ts';
import type { Table, Write } from '../clients/dynamo.ts';
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

/** Who publishes, and why; `restores` is the earlier version that is published again. */
export interface Author {
  readonly by: string;
  readonly note?: string | undefined;
  readonly restores?: number | undefined;
}

const deploy: Author = { by: 'deploy' };
const unnamed: Author = { by: 'hub' };

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
 * Publishes a trigger: writes the row of its version, puts its rule, and removes the rule of the version before, or what of it
 * starts anybody. A trigger that is published unchanged keeps its version and is resumed. Resolves to the version. Throws `HubError` `rule-quota`,
 * `oversized-pattern`, `missing-template`, `unknown-team` or `invalid-template` (never), or `write-conflict` (later).
 */
export const publish = async (
  ports: PublishPorts,
  definition: unknown,
  templates: Templates,
  author: Author = unnamed,
): Promise<number> => {
  const checked = await check(ports, definition, templates);
  const current = await ports.triggers.current(checked.trigger.id);
  if (current?.digest !== checked.digest) return publishVersion(ports, checked, current, { author });
  const { since } = current.paused ? runsNow(ports) : current;
  await setCurrent(ports, checked.trigger.id, { ...current, paused: false, since }, current);
  await putRule(ports, ruleOf(checked, current.version), 'ENABLED');
  return current.version;
};

/**
 * Publishes a trigger from files, as a deploy and `hub trigger apply` do. One that was edited elsewhere since the files were
 * last published stays as it is without `overwrite`; a paused one stays paused. Resolves to whether the version of the files
 * is published now. Throws as `publish` does.
 */
export const publishSeed = async (
  ports: PublishPorts,
  definition: unknown,
  templates: Templates,
  { author = deploy, overwrite = false }: { readonly author?: Author; readonly overwrite?: boolean } = {},
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
  if (current && current.seeded !== current.digest && !overwrite) return false;
  const paused = current?.paused ?? false;
  await publishVersion(ports, checked, current, { author, seeded: digest, paused });
  return true;
};

/** Pauses a trigger; waiting notifications are not sent. Throws `HubError` `unknown-trigger` (never). */
export const pause = async (ports: PublishPorts, trigger: string, by = unnamed.by): Promise<void> => {
  const current = await pauseRow(ports, trigger, by);
  const [rule] = (await rulesOf(ports)).filter(({ name }) => name === ruleName(trigger, current.version));
  if (rule) await putRule(ports, rule, 'DISABLED');
};

/** Ends a trigger and removes its rules from the bus. Its versions stay stored, because decisions name them. */
export const unpublish = async (ports: PublishPorts, trigger: string, by = unnamed.by): Promise<void> => {
  await pauseRow(ports, trigger, by);
  await dropRules(ports, trigger);
};

/** Unpublishes triggers of an earlier deploy whose files are gone, unless a person has edited them. */
export const unpublishOthers = async (ports: PublishPorts, kept: ReadonlySet<string>): Promise<void> => {
  const published = (await rulesOf(ports)).flatMap(
    ({ name }) => /^trigger-(.+)-v\d+$/u.exec(name)?.[1] ?? [],
  );
  for (const trigger of new Set(published).difference(kept)) {
    const current = await ports.triggers.current(trigger);
    if (current?.seeded === current?.digest) await unpublish(ports, trigger, deploy.by);
  }
};

/** Removes every rule that was made at run time, so that the stack can be deleted. */
export const dropAllRules = async (ports: Pick<PublishPorts, 'events' | 'bus'>): Promise<void> => {
  for (const { name } of await rulesOf(ports)) if (name.startsWith('trigger-')) await dropRule(ports, name);
};

/** Publishes the version that was paused again. Throws `HubError` `unknown-trigger` (never). */
export const resume = async (ports: PublishPorts, trigger: string): Promise<void> => {
  const current = await ports.triggers.current(trigger);
  const stored = current && (await ports.triggers.stored(trigger, current.version));
  if (current === undefined || stored === undefined) throw unknownTrigger(trigger);
  const { since } = current.paused ? runsNow(ports) : current;
  await setCurrent(ports, trigger, { ...current, paused: false, since }, current);
  const pattern = JSON.stringify(rulePattern(Trigger.parse(stored.definition)));
  await putRule(ports, { name: ruleName(trigger, current.version), pattern }, 'ENABLED');
};

/** Stores an edit without publishing it, in place of an earlier draft. */
export const saveDraft = async (
  { table, now }: PublishPorts,
  trigger: string,
  { definition, templates }: { readonly definition: unknown; readonly templates: Templates },
  { by, note }: Author,
): Promise<void> => {
  const draft: TriggerDraft = {
    ...{ definition, templates, by, at: instant(now()) },
    ...(note !== undefined && { note }),
  };
  await table.transact([
    { put: { ...triggerDraftKey(trigger), ...draft } },
    { put: { ...triggerListKey(trigger) } },
  ]);
};

/** Removes the draft of a trigger, once it is published. */
export const dropDraft = async ({ table }: Pick<PublishPorts, 'table'>, trigger: string): Promise<void> => {
  await table.transact([{ delete: triggerDraftKey(trigger) }]);
};

const unknownTrigger = (trigger: string): HubError =>
  new HubError(
    'unknown-trigger',
    `There is no trigger ${trigger} to pause or resume. \`hub trigger list\` shows all.`,
    {
      retry: 'never',
    },
  );

const check = async (ports: PublishPorts, definition: unknown, templates: Templates): Promise<Checked> => {
  const trigger = Trigger.parse(definition);
  const pattern = JSON.stringify(rulePattern(trigger));
  const [fault] = publishFaults(trigger, templates, await ports.hub());
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
  {
    author: { by, note, restores },
    paused = false,
    seeded = current?.seeded,
  }: { author: Author; paused?: boolean; seeded?: string | undefined },
): Promise<number> => {
  const { trigger, definition, templates, pattern, digest } = checked;
  await expectRoom(ports, trigger.id, pattern);
  let version = (current?.version ?? 0) + 1;
  // The number of an interrupted publication is skipped.
  const written = {
    ...{ definition, templates, by, at: instant(ports.now()) },
    ...(note !== undefined && { note }),
    ...(restores !== undefined && { restores }),
  };
  while (
    !(await ports.table.transact([
      { put: { ...triggerVersionKey(trigger.id, version), ...written }, if: { absent: true } },
    ]))
  )
    version++;
  const rule = ruleOf(checked, version);
  await putRule(ports, rule, paused ? 'DISABLED' : 'ENABLED');
  const { pausedAt, pausedBy } = current ?? {};
  const { since } = current === undefined || current.paused ? runsNow(ports) : current;
  if (trigger.each !== undefined) await ports.table.put({ ...audienceKey(trigger.id) }, { absent: true });
  const row = { version, paused, pausedAt, pausedBy, since, digest, seeded };
  await setCurrent(ports, trigger.id, row, current);
  await retireRules(ports, trigger, rule.name);
  return version;
};

const runsNow = ({ now }: PublishPorts): Pick<CurrentTrigger, 'since'> => ({ since: instant(now()) });

/**
 * Removes the rules of earlier versions of a trigger. Customers who have started a series stay on their version: one with an
 * `await` that the new version does not have keeps a rule for that alone, which starts nobody.
 */
const retireRules = async (ports: PublishPorts, trigger: Trigger, kept: string): Promise<void> => {
  const awaited = new Set(awaitedBy(trigger).map((one) => JSON.stringify(one)));
  for (const { name } of await rulesOf(ports)) {
    const version = versionIn(name, trigger.id);
    if (version === undefined || name === kept) continue;
    const earlier = await ports.triggers.version(trigger.id, version);
    const patterns = earlier === undefined ? [] : awaitedBy(earlier.trigger);
    if (patterns.every((one) => awaited.has(JSON.stringify(one)))) await dropRule(ports, name);
    else await putRule(ports, { name, pattern: JSON.stringify(eventPattern(patterns)) }, 'ENABLED');
  }
};

/** The version whose rule has this name; undefined for other rules. */
const versionIn = (name: string, trigger: string): number | undefined => {
  const [, version] = new RegExp(`^trigger-${trigger}-v(\\d+)$`, 'u').exec(name) ?? [];
  return version === undefined ? undefined : Number(version);
};

const ruleOf = ({ trigger, pattern }: Checked, version: number): Rule => ({
  name: ruleName(trigger.id, version),
  pattern,
});

const dropRules = async (ports: PublishPorts, trigger: string): Promise<void> => {
  for (const { name } of await rulesOf(ports))
    if (versionIn(name, trigger) !== undefined) await dropRule(ports, name);
};

const pauseRow = async (ports: PublishPorts, trigger: string, by: string): Promise<CurrentTrigger> => {
  const current = await ports.triggers.current(trigger);
  if (current === undefined) throw unknownTrigger(trigger);
  const pausedAt = instant(ports.now());
  await setCurrent(ports, trigger, { ...current, paused: true, pausedAt, pausedBy: by }, current);
  return current;
};

const setCurrent = async (
  { table }: PublishPorts,
  trigger: string,
  row: CurrentTrigger,
  before: CurrentTrigger | undefined,
): Promise<void> => {
  const condition = before ? { version: before.version } : ({ absent: true } as const);
  const writes: Write[] = [
    { put: { ...currentTriggerKey(trigger), ...row }, if: condition },
    { put: { ...triggerListKey(trigger) } },
  ];
  if (await table.transact(writes)) return;
  throw new HubError(
    'write-conflict',
    `The trigger ${trigger} was changed concurrently. Look at it and try again.`,
    {
      retry: 'later',
    },
  );
};
