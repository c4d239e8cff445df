import {
  DeleteRuleCommand,
  DisableRuleCommand,
  type EventBridgeClient,
  ListRulesCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { HubError } from '../../core/errors.ts';
import type { TemplateFiles } from '../../core/media.ts';
import { usesWildcard } from '../../core/pattern/index.ts';
import { ruleName, rulePattern, Trigger } from '../../core/trigger.ts';
import type { Table } from '../aws/table.ts';
import { currentKey, type Triggers, versionKey } from '../aws/triggers.ts';

export interface PublishPorts {
  readonly events: EventBridgeClient;
  readonly table: Table;
  readonly triggers: Triggers;
  readonly bus: string;
  readonly decisionsQueue: string;
  readonly deadQueue: string;
}

const MOST_RULES = 300;
const MOST_WILDCARD_RULES = 30;
const PATTERN_LIMIT = 2048;

/**
 * Publishes a trigger as a new version: its row, then its rule, then the end of the rule before it. `definition` is the
 * trigger as it was written. Throws `HubError` where the bus has no room, a template is missing or the pattern is too long.
 */
export const publish = async (
  ports: PublishPorts,
  definition: unknown,
  templates: Readonly<Record<string, TemplateFiles>>,
): Promise<number> => {
  const trigger = Trigger.parse(definition);
  const pattern = JSON.stringify(rulePattern(trigger));
  if (pattern.length > PATTERN_LIMIT) {
    throw new HubError(
      'pattern-too-long',
      `The pattern of ${trigger.id} has ${pattern.length} characters; EventBridge takes ${PATTERN_LIMIT}. Say less in \`on\` and more in \`where\`.`,
      { retry: 'never' },
    );
  }
  const wanted = [trigger.send.template, ...trigger.send.variants.map(({ template }) => template)];
  const missing = wanted.filter((id) => templates[id] === undefined);
  if (missing.length > 0)
    throw new HubError(
      'no-template',
      `The trigger ${trigger.id} names the template ${missing.join(', ')}, which is not in mappings/templates.`,
      { retry: 'never' },
    );
  await expectRoom(ports, trigger.id, pattern);
  const current = await ports.triggers.current(trigger.id);
  const version = (current?.version ?? 0) + 1;
  const kept = Object.fromEntries(wanted.map((id) => [id, templates[id]]));
  await ports.table.put({ ...versionKey(trigger.id, version), definition, templates: kept });
  await putRule(ports, trigger.id, version, pattern);
  await ports.table.put({ ...currentKey(trigger.id), version, paused: false });
  if (current) await dropRule(ports, ruleName(trigger.id, current.version));
  return version;
};

/** Disables the rule; what waits is suppressed when its wait ends. */
export const pause = async (ports: PublishPorts, trigger: string): Promise<void> => {
  const current = await ports.triggers.current(trigger);
  if (current === undefined)
    throw new HubError('unknown-trigger', `There is no trigger ${trigger} to pause.`, { retry: 'never' });
  await ports.table.put({ ...currentKey(trigger), version: current.version, paused: true });
  await ports.events.send(
    new DisableRuleCommand({ Name: ruleName(trigger, current.version), EventBusName: ports.bus }),
  );
};

/** Takes away every rule that was made at run time. */
export const dropAllRules = async (ports: Pick<PublishPorts, 'events' | 'bus'>): Promise<void> => {
  for (const rule of await rulesOf(ports)) await dropRule(ports, rule.name);
};

const rulesOf = async (
  { events, bus }: Pick<PublishPorts, 'events' | 'bus'>,
  prefix = 'trigger-',
): Promise<{ name: string; pattern: string }[]> => {
  const found: { name: string; pattern: string }[] = [];
  let next: string | undefined;
  do {
    const page = await events.send(
      new ListRulesCommand({
        EventBusName: bus,
        ...(prefix !== '' && { NamePrefix: prefix }),
        ...(next !== undefined && { NextToken: next }),
      }),
    );
    found.push(
      ...(page.Rules ?? []).map(({ Name = '', EventPattern = '{}' }) => ({
        name: Name,
        pattern: EventPattern,
      })),
    );
    next = page.NextToken;
  } while (next !== undefined);
  return found;
};

const expectRoom = async (ports: PublishPorts, trigger: string, pattern: string): Promise<void> => {
  const others = (await rulesOf(ports, '')).filter(({ name }) => !name.startsWith(`trigger-${trigger}-v`));
  const wild = (text: string): boolean => usesWildcard(JSON.parse(text));
  if (others.length + 1 > MOST_RULES) {
    throw new HubError(
      'bus-full',
      `The bus ${ports.bus} has ${others.length} rules and takes ${MOST_RULES}. Unpublish a trigger, or ask AWS for a higher quota.`,
      { retry: 'never' },
    );
  }
  if (wild(pattern) && others.filter((one) => wild(one.pattern)).length + 1 > MOST_WILDCARD_RULES) {
    throw new HubError(
      'bus-full',
      `The bus ${ports.bus} takes ${MOST_WILDCARD_RULES} rules with wildcards. Use prefix or suffix where you can.`,
      { retry: 'never' },
    );
  }
};

const putRule = async (
  { events, bus, decisionsQueue, deadQueue }: PublishPorts,
  trigger: string,
  version: number,
  pattern: string,
): Promise<void> => {
  const Name = ruleName(trigger, version);
  await events.send(new PutRuleCommand({ Name, EventBusName: bus, EventPattern: pattern, State: 'ENABLED' }));
  await events.send(
    new PutTargetsCommand({
      Rule: Name,
      EventBusName: bus,
      Targets: [
        {
          Id: 'decisions',
          Arn: decisionsQueue,
          DeadLetterConfig: { Arn: deadQueue },
          InputTransformer: {
            InputPathsMap: {
              half: '$.detail.customer.half',
              interaction: '$.detail.id',
              occurredAt: '$.detail.occurredAt',
            },
            InputTemplate: `{"trigger":"${trigger}","version":${version},"half":"<half>","interaction":"<interaction>","occurredAt":"<occurredAt>","arrivedAt":"<aws.events.event.ingestion-time>"}`,
          },
        },
      ],
    }),
  );
};

const dropRule = async (
  { events, bus }: Pick<PublishPorts, 'events' | 'bus'>,
  Name: string,
): Promise<void> => {
  await events.send(new RemoveTargetsCommand({ Rule: Name, EventBusName: bus, Ids: ['decisions'] }));
  await events.send(new DeleteRuleCommand({ Name, EventBusName: bus }));
};
