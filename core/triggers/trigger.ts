import * as z from 'zod';
import { Duration, Limit, QuietHours, TimeOfDay } from '../config/duration.ts';
import { Category, type ConsentStatus } from '../consent/consent.ts';
import { HubError } from '../errors.ts';
import { memberOf } from '../formats/payload.ts';
import { Channel } from '../interaction/interaction.ts';
import { sha256Hex } from '../webhooks/signature.ts';
import { Each } from './audience/each.ts';
import { parsePattern } from './pattern/index.ts';

/** A pattern in EventBridge's syntax over an event's `detail`, validated when the trigger is read. */
const EventPattern = z
  .record(z.string(), z.json())
  .superRefine((pattern, context) => {
    try {
      parsePattern(pattern);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof HubError ? error.message : String(error),
      });
    }
  })
  .meta({ title: 'pattern' });
type EventPattern = z.infer<typeof EventPattern>;

/** A condition on the customer: on the interactions, on the profile, or a combination. */
export type Condition =
  | {
      readonly count: EventPattern;
      readonly within: number;
      readonly atLeast?: number | undefined;
      readonly atMost?: number | undefined;
      readonly exactly?: number | undefined;
    }
  | { readonly customer: EventPattern }
  | { readonly conversation: 'none-waiting' }
  | { readonly not: Condition }
  | { readonly any: readonly Condition[] }
  | { readonly all: readonly Condition[] };

const Count = z.int().nonnegative();
export const Condition: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      z
        .strictObject({
          count: EventPattern.describe('which interactions of the customer are counted'),
          within: Duration.describe('how far back: those later than so long ago, and not after now'),
          atLeast: Count.optional().describe('holds from so many on'),
          atMost: Count.optional().describe('holds up to so many'),
          exactly: Count.optional().describe('holds with exactly so many'),
        })
        .refine((one) => one.atLeast !== undefined || one.atMost !== undefined || one.exactly !== undefined, {
          error: 'expected atLeast, atMost or exactly beside count',
        }),
      z.strictObject({ customer: EventPattern.describe('a pattern on the profile') }),
      z.strictObject({
        conversation: z
          .literal('none-waiting')
          .describe('holds while no message of the customer waits for an answer'),
      }),
      z.strictObject({ not: Condition.describe('holds where the condition does not') }),
      z.strictObject({ any: z.array(Condition).min(1).describe('holds where one of them does') }),
      z.strictObject({ all: z.array(Condition).min(1).describe('holds where all of them do') }),
    ]),
  )
  .meta({ title: 'condition', id: 'Condition' });

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
    send: z
      .strictObject({
        channels: z
          .array(SendChannel)
          .min(1)
          .optional()
          .describe('the channels in the order in which they are tried'),
        template: z.string().describe('the folder in `mappings/templates`'),
        to: z
          .strictObject({ team: z.string().describe('a team of hub.yaml') })
          .optional()
          .describe('a team instead of the customer; consent and caps do not apply'),
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
        holdout: Share.optional().describe(
          'the share of the customers who get nothing, so that the others can be compared with them',
        ),
      })
      .refine(({ channels, to }) => channels !== undefined || to !== undefined, {
        error: 'expected channels, or to: { team: … }',
      })
      .describe('what is sent'),
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
  .refine(({ category, limits }) => category !== 'transactional' || limits.quietHours === undefined, {
    error: 'a transactional trigger is exempt from quiet hours and may not have its own',
    path: ['limits', 'quietHours'],
  });
export type Trigger = z.output<typeof Trigger>;

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

/** The event pattern of the trigger's EventBridge rule. */
export const rulePattern = ({ id, on = {}, each }: Pick<Trigger, 'id' | 'on' | 'each'>): object =>
  each === undefined
    ? {
        source: ['tributary'],
        'detail-type': ['interaction.recorded'],
        detail:
          on['kind'] === undefined && on['$or'] === undefined
            ? { kind: [{ 'anything-but': ['notification'] }], ...on }
            : on,
      }
    : { source: ['tributary'], 'detail-type': ['audience.entered'], detail: { trigger: [id] } };

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
