import * as z from 'zod';
import type { Timer } from '../protocol/clock.ts';
import { type Operation, ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { recurrence } from '../scheduler/expression.ts';
import { checkedTransformer } from './input-transformer.ts';
import { type EventsStore, parsePattern, type Rule, State, Target } from './store.ts';

const Bus = z.string().default('default');
const RuleInput = z.strictObject({
  Name: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/u),
  EventBusName: Bus,
  EventPattern: z
    .string()
    .max(2048, 'Event pattern is not valid. Reason: it has more than 2048 characters')
    .optional(),
  ScheduleExpression: z.string().max(256).optional(),
  State: State.default('ENABLED'),
  Description: z.string().max(512).optional(),
  RoleArn: z.string().optional(),
  Tags: z.array(z.unknown()).optional(),
});
const Named = z.looseObject({ Name: z.string(), EventBusName: Bus });
const OfRule = z.looseObject({ Rule: z.string(), EventBusName: Bus });
const Page = { Limit: z.int().min(1).max(100).default(100), NextToken: z.string().default('') };

const MOST_RULES = 300;
const MOST_WILDCARD_RULES = 30;
const MOST_TARGETS = 5;

/** A page of what is in the order of its names, from behind the last one's name. */
export const paged = <T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  { Limit, NextToken }: { readonly Limit: number; readonly NextToken: string },
): { readonly page: readonly T[]; readonly NextToken?: string } => {
  const after = Buffer.from(NextToken, 'base64url').toString();
  const rest = all.filter((one) => nameOf(one) > after);
  const page = rest.slice(0, Limit);
  const last = page.at(-1);
  return last === undefined || rest.length === page.length
    ? { page }
    : { page, NextToken: Buffer.from(nameOf(last)).toString('base64url') };
};

/** Rules and their targets; `tick` is called when a rule with a schedule is due. */
export const rules = (
  { clock, patterns }: ServiceContext,
  store: EventsStore,
  tick: (rule: Rule) => void,
): Readonly<Record<string, Operation>> => {
  const timers = new Map<string, Timer>();
  const arm = (bus: string, name: string): void => {
    timers.get(`${bus}/${name}`)?.cancel();
    timers.delete(`${bus}/${name}`);
    const rule = store.find(bus, name);
    if (rule?.schedule === null || rule?.state !== 'ENABLED') return;
    const next = recurrence(rule.schedule, 'UTC', rule.since).next(clock.now());
    if (next === undefined) return;
    const fire = (): void => {
      tick(rule);
      arm(bus, name);
    };
    timers.set(`${bus}/${name}`, clock.at(next, fire));
  };
  for (const bus of store.buses()) for (const { name } of store.rules(bus)) arm(bus, name);

  const change = (rule: Rule): void => {
    store.put(rule);
    arm(rule.bus, rule.name);
  };
  const expectRoom = (bus: string, name: string, pattern: string | undefined): void => {
    const others = store.rules(bus).filter((rule) => rule.name !== name);
    if (others.length >= MOST_RULES)
      throw new ServiceError(
        'LimitExceededException',
        'The requested resource exceeds the maximum number allowed.',
      );
    const wild = (text: string | null | undefined): boolean =>
      text !== null && text !== undefined && patterns.usesWildcard(JSON.parse(text));
    if (wild(pattern) && others.filter((rule) => wild(rule.pattern)).length >= MOST_WILDCARD_RULES) {
      throw new ServiceError(
        'LimitExceededException',
        `More than ${MOST_WILDCARD_RULES} rules with wildcards on one bus.`,
      );
    }
  };
  const setState = (input: unknown, state: Rule['state']): void => {
    const { Name, EventBusName } = Named.parse(input);
    change({ ...store.expectRule(store.expectBus(EventBusName), Name), state });
  };
  const described = (rule: Rule) => ({
    Name: rule.name,
    Arn: store.ruleArn(rule.bus, rule.name),
    ...(rule.pattern !== null && { EventPattern: rule.pattern }),
    ...(rule.schedule !== null && { ScheduleExpression: rule.schedule }),
    State: rule.state,
    ...(rule.description !== null && { Description: rule.description }),
    ...(rule.role !== null && { RoleArn: rule.role }),
    EventBusName: rule.bus,
  });

  return {
    PutRule(input) {
      const asked = RuleInput.parse(input);
      const bus = store.expectBus(asked.EventBusName);
      const { Name: name, EventPattern: pattern, ScheduleExpression: schedule } = asked;
      if (pattern === undefined && schedule === undefined) {
        throw new ServiceError(
          'ValidationException',
          'Parameter(s) EventPattern or ScheduleExpression must be specified.',
        );
      }
      if (pattern !== undefined) parsePattern(patterns, pattern);
      if (schedule !== undefined) {
        if (bus !== 'default')
          throw new ServiceError(
            'ValidationException',
            'ScheduleExpression is supported only on the default event bus.',
          );
        if (schedule.startsWith('at('))
          throw new ServiceError('ValidationException', 'Parameter ScheduleExpression is not valid.');
        recurrence(schedule, 'UTC', clock.now());
      }
      expectRoom(bus, name, pattern);
      const present = store.find(bus, name);
      change({
        bus,
        name,
        pattern: pattern ?? null,
        schedule: schedule ?? null,
        state: asked.State,
        description: asked.Description ?? null,
        role: asked.RoleArn ?? null,
        targets: present?.targets ?? [],
        since: present?.schedule === schedule ? (present?.since ?? clock.now()) : clock.now(),
      });
      return { RuleArn: store.ruleArn(bus, name) };
    },
    DescribeRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      return described(store.expectRule(store.expectBus(EventBusName), Name));
    },
    DeleteRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      const bus = store.expectBus(EventBusName);
      if ((store.find(bus, Name)?.targets.length ?? 0) > 0)
        throw new ServiceError('ValidationException', "Rule can't be deleted since it has targets.");
      store.remove(bus, Name);
      arm(bus, Name);
    },
    EnableRule: (input) => setState(input, 'ENABLED'),
    DisableRule: (input) => setState(input, 'DISABLED'),
    ListRules(input) {
      const asked = z
        .looseObject({ ...Page, NamePrefix: z.string().default(''), EventBusName: Bus })
        .parse(input);
      const all = store
        .rules(store.expectBus(asked.EventBusName))
        .filter(({ name }) => name.startsWith(asked.NamePrefix));
      const { page, ...next } = paged(all, ({ name }) => name, asked);
      return { Rules: page.map(described), ...next };
    },
    ListRuleNamesByTarget(input) {
      const asked = z.looseObject({ ...Page, TargetArn: z.string(), EventBusName: Bus }).parse(input);
      const all = store
        .rules(store.expectBus(asked.EventBusName))
        .filter(({ targets }) => targets.some(({ Arn }) => Arn === asked.TargetArn))
        .map(({ name }) => name);
      const { page, ...next } = paged(all, (name) => name, asked);
      return { RuleNames: page, ...next };
    },
    PutTargets(input) {
      const { Rule: name, EventBusName } = OfRule.parse(input);
      const rule = store.expectRule(store.expectBus(EventBusName), name);
      const given = z.array(Target).min(1).parse(input['Targets']);
      for (const target of given) expectOneInput(target);
      const kept = rule.targets.filter(({ Id }) => !given.some((one) => one.Id === Id));
      if (kept.length + given.length > MOST_TARGETS)
        throw new ServiceError('LimitExceededException', `A rule can have ${MOST_TARGETS} targets.`);
      change({ ...rule, targets: [...kept, ...given] });
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    RemoveTargets(input) {
      const { Rule: name, EventBusName } = OfRule.parse(input);
      const rule = store.expectRule(store.expectBus(EventBusName), name);
      const ids = z.array(z.string()).min(1).parse(input['Ids']);
      const unknown = ids.filter((id) => !rule.targets.some(({ Id }) => Id === id));
      change({ ...rule, targets: rule.targets.filter(({ Id }) => !ids.includes(Id)) });
      return {
        FailedEntryCount: unknown.length,
        FailedEntries: unknown.map((TargetId) => ({
          TargetId,
          ErrorCode: 'ResourceNotFoundException',
          ErrorMessage: `Rule ${name} does not have a target with the Id ${TargetId}.`,
        })),
      };
    },
    ListTargetsByRule(input) {
      const asked = OfRule.extend(Page).parse(input);
      const { targets } = store.expectRule(store.expectBus(asked.EventBusName), asked.Rule);
      const sorted = [...targets].sort((one, other) => (one.Id < other.Id ? -1 : 1));
      const { page, ...next } = paged(sorted, ({ Id }) => Id, asked);
      return { Targets: page, ...next };
    },
  };
};

/** @throws ServiceError `ValidationException`: a target takes one input of three, and a template that can be filled. */
const expectOneInput = (target: Target): void => {
  const given = [target.Input, target.InputPath, target.InputTransformer].filter((one) => one !== undefined);
  if (given.length > 1)
    throw new ServiceError(
      'ValidationException',
      `Only one of Input, InputPath, or InputTransformer must be provided for target ${target.Id}.`,
    );
  if (target.InputTransformer) checkedTransformer(target.InputTransformer, target.Id);
  if (target.Input === undefined) return;
  try {
    JSON.parse(target.Input);
  } catch {
    throw new ServiceError('ValidationException', `JSON syntax error in input for target ${target.Id}.`);
  }
};
