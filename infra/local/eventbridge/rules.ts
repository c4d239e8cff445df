import * as z from 'zod';
import type { Timer } from '../protocol/clock.ts';
import { type Operation, ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { recurrence } from '../scheduler/expression.ts';
import { Page, paged } from './paging.ts';
import { type EventsStore, parsePattern, type Rule, State } from './store.ts';

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
type RuleInput = z.infer<typeof RuleInput>;
const Named = z.looseObject({ Name: z.string(), EventBusName: Bus });
const ListInput = z.looseObject({ ...Page, NamePrefix: z.string().default(''), EventBusName: Bus });
const ByTargetInput = z.looseObject({ ...Page, TargetArn: z.string(), EventBusName: Bus });

const MOST_RULES = 300;
const MOST_WILDCARD_RULES = 30;

/** The operations on rules. `onSchedule` is called whenever a rule with a schedule is due. */
export const rules = (
  { clock, patterns }: ServiceContext,
  store: EventsStore,
  onSchedule: (rule: Rule) => void,
): Readonly<Record<string, Operation>> => {
  const arm = scheduleTimers(clock, store, onSchedule);
  return {
    PutRule(input) {
      const asked = RuleInput.parse(input);
      const bus = store.expectBus(asked.EventBusName);
      const { Name: name, EventPattern: pattern, ScheduleExpression: schedule } = asked;
      if (pattern !== undefined) parsePattern(patterns, pattern);
      expectTrigger(asked, bus, clock.now());
      expectWithinQuota(store, patterns, bus, asked);
      const present = store.find(bus, name);
      store.put({
        ...{ bus, name, pattern: pattern ?? null, schedule: schedule ?? null, state: asked.State },
        description: asked.Description ?? null,
        role: asked.RoleArn ?? null,
        targets: present?.targets ?? [],
        since: present?.schedule === schedule ? (present?.since ?? clock.now()) : clock.now(),
      });
      arm(bus, name);
      return { RuleArn: store.ruleArn(bus, name) };
    },
    DescribeRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      return described(store, store.expectRule(store.expectBus(EventBusName), Name));
    },
    DeleteRule(input) {
      const { Name, EventBusName } = Named.parse(input);
      const bus = store.expectBus(EventBusName);
      if ((store.find(bus, Name)?.targets.length ?? 0) > 0)
        throw new ServiceError('ValidationException', "Rule can't be deleted since it has targets.");
      store.remove(bus, Name);
      arm(bus, Name);
    },
    ListRules(input) {
      const asked = ListInput.parse(input);
      const all = store
        .rules(store.expectBus(asked.EventBusName))
        .filter(({ name }) => name.startsWith(asked.NamePrefix));
      const { page, ...next } = paged(all, ({ name }) => name, asked);
      return { Rules: page.map((rule) => described(store, rule)), ...next };
    },
    ListRuleNamesByTarget(input) {
      const asked = ByTargetInput.parse(input);
      const all = store
        .rules(store.expectBus(asked.EventBusName))
        .filter(({ targets }) => targets.some(({ Arn }) => Arn === asked.TargetArn))
        .map(({ name }) => name);
      const { page, ...next } = paged(all, (name) => name, asked);
      return { RuleNames: page, ...next };
    },
  };
};

/** Timers of the rules with a schedule. The returned function sets the timer of a rule that has changed. */
const scheduleTimers = (
  clock: ServiceContext['clock'],
  store: EventsStore,
  onSchedule: (rule: Rule) => void,
): ((bus: string, name: string) => void) => {
  const timers = new Map<string, Timer>();
  const arm = (bus: string, name: string): void => {
    timers.get(`${bus}/${name}`)?.cancel();
    timers.delete(`${bus}/${name}`);
    const rule = store.find(bus, name);
    if (rule?.schedule === null || rule?.state !== 'ENABLED') return;
    const next = recurrence(rule.schedule, 'UTC', rule.since).next(clock.now());
    if (next === undefined) return;
    const fire = (): void => {
      onSchedule(store.expectRule(bus, name));
      arm(bus, name);
    };
    timers.set(`${bus}/${name}`, clock.at(next, fire, true));
  };
  for (const bus of store.buses()) for (const { name } of store.rules(bus)) arm(bus, name);
  return arm;
};

/** @throws ServiceError `ValidationException` for a rule without pattern and schedule, or with an invalid schedule. */
const expectTrigger = (
  { EventPattern: pattern, ScheduleExpression: schedule }: RuleInput,
  bus: string,
  now: number,
): void => {
  const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);
  if (schedule === undefined) {
    if (pattern === undefined)
      throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
    return;
  }
  if (bus !== 'default') throw invalid('ScheduleExpression is supported only on the default event bus.');
  if (schedule.startsWith('at(')) throw invalid('Parameter ScheduleExpression is not valid.');
  recurrence(schedule, 'UTC', now);
};

/** @throws ServiceError `LimitExceededException`. */
const expectWithinQuota = (
  store: EventsStore,
  patterns: ServiceContext['patterns'],
  bus: string,
  { Name, EventPattern }: RuleInput,
): void => {
  const others = store.rules(bus).filter((rule) => rule.name !== Name);
  if (others.length >= MOST_RULES)
    throw new ServiceError(
      'LimitExceededException',
      'The requested resource exceeds the maximum number allowed.',
    );
  const usesWildcard = (text: string | null | undefined): boolean =>
    text !== null && text !== undefined && patterns.usesWildcard(JSON.parse(text));
  const withWildcard = others.filter(({ pattern }) => usesWildcard(pattern));
  if (usesWildcard(EventPattern) && withWildcard.length >= MOST_WILDCARD_RULES)
    throw new ServiceError(
      'LimitExceededException',
      `More than ${MOST_WILDCARD_RULES} rules with wildcards on one bus.`,
    );
};

const described = (store: EventsStore, rule: Rule): object => ({
  Name: rule.name,
  Arn: store.ruleArn(rule.bus, rule.name),
  ...(rule.pattern !== null && { EventPattern: rule.pattern }),
  ...(rule.schedule !== null && { ScheduleExpression: rule.schedule }),
  State: rule.state,
  ...(rule.description !== null && { Description: rule.description }),
  ...(rule.role !== null && { RoleArn: rule.role }),
  EventBusName: rule.bus,
});
