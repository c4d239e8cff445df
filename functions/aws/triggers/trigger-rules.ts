import {
  DeleteRuleCommand,
  type EventBridgeClient,
  ListRulesCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { HubError } from '../../../core/errors.ts';
import { usesWildcard } from '../../../core/triggers/pattern/index.ts';
import { isAwsRefusal } from '../clients/refusal.ts';

/** AWS's default quotas (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html). */
const MOST_RULES = 300;
const regionsWithFewerRules: ReadonlyMap<string, number> = new Map([
  ['af-south-1', 100],
  ['eu-south-1', 100],
]);
const MOST_WILDCARD_RULES = 30;

interface Bus {
  readonly events: EventBridgeClient;
  readonly bus: string;
}

interface Targets extends Bus {
  readonly decisionsQueue: string;
  readonly deadQueue: string;
}

export interface Rule {
  readonly name: string;
  /** JSON. */
  readonly pattern: string;
}

/** The pattern of a trigger with `each`. */
const AudiencePattern = z.object({ 'detail-type': z.tuple([z.literal('audience.entered')], z.string()) });

/** Every rule on the bus, including those of the stack. */
export const rulesOf = async ({ events, bus }: Bus): Promise<Rule[]> => {
  const found: Rule[] = [];
  let next: string | undefined;
  do {
    const { Rules = [], NextToken } = await events.send(
      new ListRulesCommand({ EventBusName: bus, ...(next !== undefined && { NextToken: next }) }),
    );
    found.push(...Rules.map(({ Name = '', EventPattern = '{}' }) => ({ name: Name, pattern: EventPattern })));
    next = NextToken;
  } while (next !== undefined);
  return found;
};

/** How many rules a bus has, and how many AWS allows by default. */
export interface BusRoom {
  readonly region: string;
  readonly rules: { readonly used: number; readonly most: number };
  readonly withWildcards: { readonly used: number; readonly most: number };
}

export const roomOf = async (bus: Bus): Promise<BusRoom> => {
  const rules = await rulesOf(bus);
  const region = await bus.events.config.region();
  return {
    region,
    rules: { used: rules.length, most: regionsWithFewerRules.get(region) ?? MOST_RULES },
    withWildcards: {
      used: rules.filter(({ pattern }) => hasWildcard(pattern)).length,
      most: MOST_WILDCARD_RULES,
    },
  };
};

const hasWildcard = (pattern: string): boolean => usesWildcard(JSON.parse(pattern));

/** Throws `HubError` `rule-quota` (never) where the bus has no room for one more rule; a new version counts as one more. */
export const expectRoom = async (bus: Bus, trigger: string, pattern: string): Promise<void> => {
  const { region, rules, withWildcards } = await roomOf(bus);
  if (rules.used >= rules.most)
    throw new HubError(
      'rule-quota',
      `${trigger} cannot be published: the bus ${bus.bus} has ${rules.used} rules, and AWS allows ${rules.most} in ${region} by default. Unpublish a trigger, or ask AWS for a higher quota.`,
      { retry: 'never' },
    );
  if (hasWildcard(pattern) && withWildcards.used >= withWildcards.most)
    throw new HubError(
      'rule-quota',
      `${trigger} cannot be published: the bus ${bus.bus} allows ${withWildcards.most} rules with wildcards. Use prefix or suffix where you can.`,
      { retry: 'never' },
    );
};

/**
 * Puts the rule of a version. Its target is the decisions queue, which gets ids and the time of arrival only. Rejects with
 * `HubError` `rule-without-target` (later).
 */
export const putRule = async (
  { events, bus, decisionsQueue, deadQueue }: Targets,
  { name, pattern }: Rule,
  state: 'ENABLED' | 'DISABLED',
): Promise<void> => {
  const isAudience = AudiencePattern.safeParse(JSON.parse(pattern)).success;
  const [, trigger, version] = /^trigger-(.+)-v(\d+)$/u.exec(name) ?? [];
  await events.send(
    new PutRuleCommand({ Name: name, EventBusName: bus, EventPattern: pattern, State: state }),
  );
  const { FailedEntries = [] } = await events.send(
    new PutTargetsCommand({
      Rule: name,
      EventBusName: bus,
      Targets: [
        {
          Id: 'decisions',
          Arn: decisionsQueue,
          DeadLetterConfig: { Arn: deadQueue },
          InputTransformer: {
            InputPathsMap: {
              profileId: '$.detail.customer.profileId',
              interaction: '$.detail.id',
              occurredAt: '$.detail.occurredAt',
              ...(isAudience && { occasion: '$.detail.occasion' }),
            },
            InputTemplate: `{"trigger":"${trigger}","version":${version},"profileId":"<profileId>","interaction":"<interaction>",${isAudience ? '"occasion":"<occasion>",' : ''}"occurredAt":"<occurredAt>","arrivedAt":"<aws.events.event.ingestion-time>"}`,
          },
        },
      ],
    }),
  );
  const [failed] = FailedEntries;
  if (failed) throw targetFault(`did not add the target of the rule ${name}`, failed.ErrorMessage);
};

/** EventBridge answers 200 even where it refuses a target, and names it in `FailedEntries`. */
const targetFault = (what: string, reason: string | undefined): HubError =>
  new HubError(
    'rule-without-target',
    `EventBridge ${what}: ${reason ?? 'no reason given'}. Publish it again.`,
    {
      retry: 'later',
    },
  );

/** Removes a rule and its target; a rule that is absent counts as removed. Rejects with `HubError` `rule-without-target` (later). */
export const dropRule = async ({ events, bus }: Bus, name: string): Promise<void> => {
  try {
    const { FailedEntries: [failed] = [] } = await events.send(
      new RemoveTargetsCommand({ Rule: name, EventBusName: bus, Ids: ['decisions'] }),
    );
    if (failed) throw targetFault(`did not remove the target of the rule ${name}`, failed.ErrorMessage);
    await events.send(new DeleteRuleCommand({ Name: name, EventBusName: bus }));
  } catch (error) {
    if (!isAwsRefusal(error, 'ResourceNotFoundException')) throw error;
  }
};
