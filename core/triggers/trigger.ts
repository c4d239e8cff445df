import * as z from 'zod';
import { Duration, Limit, QuietHours, TimeOfDay } from '../config/duration.ts';
import { Category, type ConsentStatus } from '../consent/consent.ts';
import { memberOf } from '../formats/payload.ts';
import { Channel } from '../interaction/interaction.ts';
import { sha256Hex } from '../webhooks/signature.ts';
import { Each } from './audience/each.ts';
import { Condition, EventPattern } from './condition.ts';
import { seriesFaults } from './series/faults.ts';
import { allSteps } from './series/nesting.ts';

const Share = z
  .string()
  .transform((text, context) => {
    const [, percent] = /^(\d{1,3}(?:\.\d+)?)%$/u.exec(text.trim()) ?? [];
    if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
    context.addIssue({ code: 'custom', message: 'expected a share such as 10%' });
    return z.NEVER;
  })
  .meta({ title: 'share such as `10%`' });

const Until = z.union([
  TimeOfDay,
  z.strictObject({
    property: z.string().describe('a property of the interaction that holds a time'),
    minus: Duration.optional().describe('so long before it'),
    plus: Duration.optional().describe('so long after it'),
  }),
  z.strictObject({
    open: z.string().describe('a team of hub.yaml: in its next office hour, now if it is open'),
  }),
]);

const SendChannel = z.union([z.literal('preferred'), Channel]).meta({ title: '`preferred` or a channel' });

const Send = z.strictObject({
  channels: z
    .array(SendChannel)
    .min(1)
    .optional()
    .describe('the channels in the order in which they are tried'),
  template: z.string().describe('the folder in `mappings/templates`'),
  to: z
    .strictObject({ team: z.string().describe('a team of hub.yaml') })
    .optional()
    .describe('a team instead of the customer; consent and caps do not apply, quiet hours do'),
  variants: z
    .array(
      z.strictObject({
        template: z.string().describe('the folder of the other template'),
        share: Share.describe('which share of the customers gets it, always the same ones'),
      }),
    )
    .refine((all) => all.reduce((sum, { share }) => sum + share, 0) <= 1, {
      error: 'expected shares that add up to at most 100%',
    })
    .default([])
    .describe('other templates for a share of the customers'),
});
type Send = z.output<typeof Send>;

const hasRecipient = ({ channels, to }: Pick<Send, 'channels' | 'to'>): boolean =>
  channels !== undefined || to !== undefined;
const NO_RECIPIENT = { error: 'expected channels, or to: { team: … }' };

/** One step of a series: a wait, an action, or first a wait and then an action. */
export interface Step {
  readonly id?: string | undefined;
  readonly wait?: number | undefined;
  readonly until?: z.output<typeof Until> | undefined;
  readonly await?: EventPattern | undefined;
  readonly within?: number | undefined;
  readonly send?: Send | undefined;
  readonly branch?:
    | readonly { readonly where: readonly Condition[]; readonly steps: readonly Step[] }[]
    | undefined;
  readonly split?:
    | readonly { readonly share?: number | undefined; readonly steps: readonly Step[] }[]
    | undefined;
}

const isOneOf = (...all: readonly unknown[]): boolean => all.filter((one) => one !== undefined).length <= 1;

export const Step: z.ZodType<Step> = z
  .lazy(() =>
    z
      .strictObject({
        id: z
          .string()
          .regex(/^[a-z0-9-]{1,48}$/u, 'expected up to 48 letters a-z, digits and -')
          .optional()
          .describe('the name of the step; otherwise that of its template'),
        wait: Duration.optional().describe('how long after the step before'),
        until: Until.optional().describe('at which time after the step before'),
        await: EventPattern.optional().describe(
          'an interaction of the customer, after the step before, at which the series goes on',
        ),
        within: Duration.optional().describe('how long is waited for it, at most'),
        send: Send.refine(hasRecipient, NO_RECIPIENT).optional().describe('what is sent'),
        branch: z
          .array(
            z.strictObject({
              where: z.array(Condition).default([]).describe('when it is taken; always, without'),
              steps: z.array(Step).describe('its steps; then the series goes on behind the branch'),
            }),
          )
          .min(1)
          .optional()
          .describe('several ways on, of which the first is taken whose `where` holds'),
        split: z
          .array(
            z.strictObject({
              share: Share.optional().describe('of the customers, always the same ones; the rest, without'),
              steps: z.array(Step).describe('its steps; then the series goes on behind the split'),
            }),
          )
          .min(1)
          .refine((all) => all.reduce((sum, { share = 0 }) => sum + share, 0) <= 1, {
            error: 'expected shares that add up to at most 100%',
          })
          .refine((all) => all.filter(({ share }) => share === undefined).length <= 1, {
            error: 'expected a share; only one of them may be the rest',
          })
          .optional()
          .describe('several ways on, each for a share of the customers'),
      })
      .refine((one) => isOneOf(one.wait, one.until, one.await), {
        error: 'expected one of wait, until and await; several waits are several steps',
      })
      .refine((one) => isOneOf(one.send, one.branch, one.split), {
        error: 'expected one of send, branch and split; several actions are several steps',
      })
      .refine((one) => (one.await === undefined) === (one.within === undefined), {
        error: 'expected await and within together',
      })
      .refine((one) => Object.entries(one).some(([key, value]) => key !== 'id' && value !== undefined), {
        error: 'expected wait, until, await, send, branch or split',
      }),
  )
  .meta({ id: 'Step' });

/** `mappings/triggers/<id>.yaml`. Durations are milliseconds, times of day minutes after midnight, shares 0 to 1. */
export const Trigger = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]{1,48}$/u, 'expected up to 48 letters a-z, digits and -')
      .describe('the name of the file: up to 48 letters a-z, digits and -'),
    name: z.string().optional().describe('what people call it'),
    category: Category.describe('which consent it needs, and whether caps and quiet hours apply'),
    on: EventPattern.optional().describe('which interactions set it off'),
    each: Each.optional().describe(
      'instead of `on`: a time at which customers are looked at; those enter of whom `where` holds',
    ),
    once: z
      .string()
      .regex(/^[A-Za-z]\w*(?:\.[\w-]+)*$/u, 'expected a path of the interaction such as properties.order')
      .optional()
      .describe('a path of the interaction: one entry per customer and value of it'),
    anyone: z
      .boolean()
      .default(false)
      .describe("whether an interaction that only claims a person's address counts as that person's"),
    where: z
      .array(Condition)
      .default([])
      .describe('what must hold of the customer, at the event and again before the send'),
    unless: EventPattern.optional().describe(
      'an interaction that cancels the send when it arrives meanwhile',
    ),
    wait: Duration.optional().describe('how long after the interaction it is decided'),
    until: Until.optional().describe('at which time it is decided, instead of `wait`'),
    send: Send.extend({
      holdout: Share.optional().describe(
        'the share of the customers who get nothing, so that the others can be compared with them',
      ),
    })
      .refine(hasRecipient, NO_RECIPIENT)
      .optional()
      .describe('what is sent'),
    steps: z
      .array(Step)
      .min(1)
      .optional()
      .describe('a series, instead of `send`: its steps in the order in which they are taken'),
    exit: EventPattern.optional().describe(
      'an interaction after which the series ends, at whichever step it stands; beside `steps`',
    ),
    holdout: Share.optional().describe(
      'the share of the customers who get nothing of the series; beside `steps`',
    ),
    limits: z
      .strictObject({
        perCustomer: Limit.optional().describe('how often one customer gets it'),
        quietHours: QuietHours.optional().describe(
          "when nothing is sent, in the customer's time zone; replaces that of hub.yaml",
        ),
        expires: Duration.optional().describe('after which time it is not sent any more'),
      })
      .default({})
      .describe('how often and when'),
    goal: z
      .strictObject({
        on: EventPattern.describe('the interaction that the message is for'),
        within: Duration.describe('how long after the message it counts'),
      })
      .optional()
      .describe('what the message is to bring about'),
  })
  .superRefine((trigger, context) => {
    for (const { path, message } of causeFaults(trigger))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .refine(({ wait, until }) => wait === undefined || until === undefined, {
    error: 'expected either wait or until, not both',
    path: ['until'],
  })
  .superRefine((trigger, context) => {
    for (const { path, message } of seriesFaults(trigger))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .refine(({ category, limits }) => category !== 'transactional' || limits.quietHours === undefined, {
    error: 'a transactional trigger is exempt from quiet hours and may not have its own',
    path: ['limits', 'quietHours'],
  });
export type Trigger = z.output<typeof Trigger>;

/** A trigger with one message: one with `send`, or a step of a series with what the series says of all its messages. */
export type SendingTrigger = Omit<Trigger, 'send' | 'steps' | 'exit' | 'holdout'> & {
  readonly send: NonNullable<Trigger['send']>;
};

/** What a trigger is set off by, and the keys that need an interaction to set it off. */
const causeFaults = ({
  on,
  each,
  once,
  anyone,
  until,
}: {
  readonly on?: unknown;
  readonly each?: unknown;
  readonly once?: unknown;
  readonly anyone: boolean;
  readonly until?: z.output<typeof Until> | undefined;
}): {
  readonly path: readonly string[];
  readonly message: string;
}[] => {
  if (each === undefined)
    return on === undefined ? [{ path: [], message: 'expected on, or each instead of it' }] : [];
  const without = 'is not for a trigger with each: no interaction sets it off';
  return [
    ...(on === undefined ? [] : [{ path: ['each'], message: 'expected either on or each, not both' }]),
    ...(once === undefined ? [] : [{ path: ['once'], message: without }]),
    ...(anyone ? [{ path: ['anyone'], message: without }] : []),
    ...(typeof until === 'object' && 'property' in until
      ? [{ path: ['until', 'property'], message: without }]
      : []),
  ];
};

/** Whether a pattern names the kind `notification`. A trigger that does not name it gets no notifications. */
export const namesNotifications = ({ kind, $or }: EventPattern): boolean =>
  (Array.isArray(kind) && kind.includes('notification')) ||
  (Array.isArray($or) && $or.some((one) => isPattern(one) && namesNotifications(one)));

const isPattern = (value: z.core.util.JSONType): value is EventPattern =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The event pattern of the trigger's EventBridge rule: what sets it off, and what the steps of a series wait for. */
export const rulePattern = (trigger: Pick<Trigger, 'id' | 'on' | 'each' | 'steps'>): object => {
  const { id, on, each } = trigger;
  const awaited = awaitedBy(trigger);
  if (each === undefined) return eventPattern([...(on === undefined ? [] : [on]), ...awaited]);
  const entered = { trigger: [id] };
  return {
    source: ['tributary'],
    'detail-type': ['audience.entered', ...(awaited.length === 0 ? [] : ['interaction.recorded'])],
    detail: anyOf([entered, ...awaited.map(withoutNotifications)]),
  };
};

/** The patterns of the interactions for which the steps of a series wait. */
export const awaitedBy = ({ steps = [] }: Pick<Trigger, 'steps'>): EventPattern[] =>
  allSteps(steps)
    .map((step) => step.await)
    .filter((one) => one !== undefined);

/** The event pattern of a rule for any of several patterns of interactions; there is at least one. */
export const eventPattern = (patterns: readonly EventPattern[]): object => ({
  source: ['tributary'],
  'detail-type': ['interaction.recorded'],
  detail: anyOf(patterns.map(withoutNotifications)),
});

const anyOf = (patterns: readonly object[]): unknown => {
  const [first, ...others] = [...new Set(patterns.map((one) => JSON.stringify(one)))].map((text): unknown =>
    JSON.parse(text),
  );
  return others.length === 0 ? first : { $or: [first, ...others] };
};

/** A pattern of interactions that is not one of notifications, unless it names that kind. */
export const withoutNotifications = (pattern: EventPattern): EventPattern =>
  pattern['kind'] === undefined && pattern['$or'] === undefined
    ? { kind: [{ 'anything-but': ['notification'] }], ...pattern }
    : pattern;

/** The name of the EventBridge rule of one version. */
export const ruleName = (trigger: string, version: number): string => `trigger-${trigger}-v${version}`;

/** Whether a consent status allows messages of a category. */
export const consentAllows = (category: Category, status: ConsentStatus): boolean => {
  if (category === 'transactional') return true;
  return category === 'marketing' ? status === 'granted' : status !== 'denied';
};

/** The value at a trigger's `once`, hashed: it may be personal. Undefined if the trigger has none, or the interaction has no such value. */
export const onceValue = ({ once }: Pick<Trigger, 'once'>, cause: object): string | undefined => {
  if (once === undefined) return undefined;
  const value = once.split('.').reduce<unknown>(memberOf, cause);
  return value === undefined || value === null || value === ''
    ? undefined
    : sha256Hex(JSON.stringify(value)).slice(0, 24);
};
