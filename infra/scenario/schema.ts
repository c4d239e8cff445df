import * as z from 'zod';
import { ConsentStatus } from '../../core/consent.ts';
import { durationMs } from '../../core/duration.ts';
import { Channel, DecodedInteraction, Instant, PersonName } from '../../core/interaction.ts';

/** Identifiers are taken as people write them; the pipeline normalises. */
const AnyIdentifier = z.string().regex(/^[^:]+:.+$/su, { error: 'expected type:value' });

const Duration = z.string().transform((text, context) => {
  try {
    return durationMs(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 15m, 4h, 7d or 2w' });
    return z.NEVER;
  }
});

const StepInteraction = DecodedInteraction.omit({
  key: true,
  provider: true,
  account: true,
  direction: true,
  identifiers: true,
  fetch: true,
}).extend({
  id: z.union([z.string(), z.number().transform(String)]).optional(),
  provider: z.string().default('standard'),
  account: z.string().optional(),
  direction: z.enum(['inbound', 'outbound', 'system']).default('inbound'),
  identifiers: z.array(AnyIdentifier).default([]),
});
export type StepInteraction = z.output<typeof StepInteraction>;

const Action = z.strictObject({
  interaction: StepInteraction.optional(),
  webhook: z.string().optional(),
  merge: z.strictObject({ keep: AnyIdentifier, other: AnyIdentifier }).optional(),
  unmerge: z.strictObject({ customer: AnyIdentifier }).optional(),
  consent: z.strictObject({ customer: AnyIdentifier, channel: Channel, status: ConsentStatus }).optional(),
  preference: z.strictObject({ customer: AnyIdentifier, channel: Channel }).optional(),
  erase: z.strictObject({ customer: AnyIdentifier }).optional(),
  advance: Duration.optional(),
  publish: z.string().optional(),
  pause: z.string().optional(),
});

const actions = Object.keys(Action.shape);

const Step = Action.extend({ at: Instant.optional() }).refine(
  (step) => actions.filter((action) => Reflect.get(step, action) !== undefined).length === 1,
  { error: `expected exactly one of ${actions.join(', ')}` },
);
export type Step = z.output<typeof Step>;

const StartingCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).min(1),
  name: z.union([z.string().transform((full) => ({ full })), PersonName]).optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: z.record(z.string(), z.json()).optional(),
  consent: z.partialRecord(Channel, ConsentStatus).optional(),
  preferences: z.strictObject({ channel: Channel.optional() }).optional(),
});
export type StartingCustomer = z.output<typeof StartingCustomer>;

const ExpectedCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).optional(),
  timeline: z.int().nonnegative().optional(),
  consent: z.partialRecord(Channel, ConsentStatus).optional(),
  preferences: z.strictObject({ channel: Channel.optional() }).optional(),
  mergedFrom: z.array(AnyIdentifier).optional(),
});

const ExpectedNotification = z.strictObject({
  trigger: z.string().optional(),
  channel: Channel.optional(),
  to: z.string().optional(),
  at: Instant.optional(),
  template: z.string().optional(),
});

const ExpectedSuppression = z.strictObject({
  trigger: z.string().optional(),
  reason: z.string().optional(),
  channel: Channel.optional(),
  at: Instant.optional(),
});

export const Expectation = z.strictObject({
  customers: z.array(ExpectedCustomer).optional(),
  notifications: z.array(ExpectedNotification).optional(),
  suppressed: z.array(ExpectedSuppression).optional(),
  crm: z.record(z.string(), z.record(z.string(), z.int().nonnegative())).optional(),
  review: z.int().nonnegative().optional(),
});
export type Expectation = z.output<typeof Expectation>;

/** A story with a virtual clock; FORMATS "Scenarios". */
export const Scenario = z.strictObject({
  name: z.string(),
  triggers: z.array(z.union([z.string(), z.record(z.string(), z.json())])).optional(),
  identity: z.record(z.string(), z.json()).default({}),
  hub: z.record(z.string(), z.json()).default({}),
  customers: z.array(StartingCustomer).default([]),
  steps: z.array(Step).default([]),
  expect: Expectation,
});
export type Scenario = z.output<typeof Scenario>;
