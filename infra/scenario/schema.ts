import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { providerIds } from '../../connectors/registry.ts';
import { faultsOf, parseConfigFile } from '../../core/config/config-file.ts';
import { TimeZone } from '../../core/config/duration.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { ConsentStatus } from '../../core/consent/consent.ts';
import { identityConfigFor } from '../../core/identity/identity-config.ts';
import {
  Channel,
  DecodedInteraction,
  Instant,
  PersonName,
  ProfileHints,
} from '../../core/interaction/interaction.ts';
import type { SuppressionReason } from '../../core/triggers/decision.ts';
import { Trigger } from '../../core/triggers/trigger.ts';
import { mappingsFolder } from '../stack/seed.ts';
import { CrmSeeds, CrmStep } from './crm/schema.ts';
import { Duration } from './duration.ts';
import { Case } from './webhook-case/case.ts';

/** An identifier as people write it; the pipeline normalises it. */
const AnyIdentifier = z
  .string({ error: 'expected an identifier of the form type:value' })
  .trim()
  .regex(/^[a-z][a-z0-9-]*:.+$/isu, { error: 'expected an identifier of the form type:value' })
  .transform((text) => text.slice(0, text.indexOf(':')).toLowerCase() + text.slice(text.indexOf(':')));

const Name = z.union([z.string().transform((full) => ({ full })), PersonName]);

const StepInteraction = DecodedInteraction.omit({
  key: true,
  provider: true,
  account: true,
  direction: true,
  identifiers: true,
  becomes: true,
  fetch: true,
}).extend({
  id: z.union([z.string(), z.number().transform(String)]).optional(),
  provider: z.string().default('standard'),
  account: z.string().optional(),
  direction: z.enum(['inbound', 'outbound', 'system']).default('inbound'),
  identifiers: z.array(AnyIdentifier).default([]),
  claimed: z.array(AnyIdentifier).optional(),
  becomes: z.array(AnyIdentifier).optional(),
  profile: ProfileHints.extend({ name: Name.optional() }).optional(),
});

const ExpectedCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).optional(),
  claimed: z.array(AnyIdentifier).optional(),
  name: Name.optional(),
  language: z.string().optional(),
  timeZone: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: z.record(z.string(), z.json()).optional(),
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

const reasons: { readonly [One in SuppressionReason]: One } = {
  condition: 'condition',
  'no-address': 'no-address',
  'address-closed': 'address-closed',
  'no-consent': 'no-consent',
  'channel-closed': 'channel-closed',
  'no-template': 'no-template',
  'frequency-cap': 'frequency-cap',
  'claim-cap': 'claim-cap',
  holdout: 'holdout',
  cancelled: 'cancelled',
  paused: 'paused',
  erased: 'erased',
  expired: 'expired',
};

const ExpectedSuppression = z.strictObject({
  trigger: z.string().optional(),
  reason: z.enum(reasons).optional(),
  channel: Channel.optional(),
  at: Instant.optional(),
});

export const Expectation = z.strictObject({
  customers: z.array(ExpectedCustomer).optional(),
  notifications: z.array(ExpectedNotification).optional(),
  suppressed: z.array(ExpectedSuppression).optional(),
  /** By CRM and object: how many records, or the records. */
  crm: z
    .record(
      z.string(),
      z.record(z.string(), z.union([z.int().nonnegative(), z.array(z.record(z.string(), z.json()))])),
    )
    .optional(),
  review: z.int().nonnegative().optional(),
  /** The number of open failures. */
  failures: z.int().nonnegative().optional(),
  /** By CRM. */
  connections: z.record(z.string(), z.enum(['working', 'limited', 'paused'])).optional(),
});
export type Expectation = z.output<typeof Expectation>;

const Action = z.strictObject({
  interaction: StepInteraction.optional(),
  webhook: z.string().optional(),
  merge: z.strictObject({ keep: AnyIdentifier, other: AnyIdentifier }).optional(),
  unmerge: z.strictObject({ customer: AnyIdentifier }).optional(),
  confirm: z.strictObject({ customer: AnyIdentifier, identifier: AnyIdentifier }).optional(),
  split: z.strictObject({ customer: AnyIdentifier, identifier: AnyIdentifier }).optional(),
  consent: z.strictObject({ customer: AnyIdentifier, channel: Channel, status: ConsentStatus }).optional(),
  preference: z.strictObject({ customer: AnyIdentifier, channel: Channel }).optional(),
  erase: z.strictObject({ customer: AnyIdentifier }).optional(),
  /** Opens every link of the messages that an address got, as scanners of mail do. */
  open: z.strictObject({ to: AnyIdentifier }).optional(),
  /** Presses the button behind a link of the newest message that an address got with one. `form`: the choices. */
  press: z
    .strictObject({
      to: AnyIdentifier,
      link: z.enum(['unsubscribe', 'preferences', 'confirm']),
      form: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  crm: CrmStep.optional(),
  /** Closes the conversation. */
  close: z.strictObject({ customer: AnyIdentifier }).optional(),
  advance: Duration.optional(),
  publish: z.string().optional(),
  pause: z.string().optional(),
  expect: Expectation.optional(),
});

const actions = Object.keys(Action.shape);

/** The key of the action of a step, such as `interaction`. */
export const actionOf = (step: Step): string =>
  actions.find((action) => Reflect.get(step, action) !== undefined) ?? 'nothing';

const Step = Action.extend({ at: Instant.optional() }).refine(
  (step) => actions.filter((action) => Reflect.get(step, action) !== undefined).length === 1,
  { error: `expected exactly one of ${actions.join(', ')}` },
);
export type Step = z.output<typeof Step>;

const StartingCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).min(1),
  name: Name.optional(),
  language: z.string().optional(),
  timeZone: TimeZone.optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: z.record(z.string(), z.json()).optional(),
  consent: z.partialRecord(Channel, ConsentStatus).optional(),
  preferences: z.strictObject({ channel: Channel.optional() }).optional(),
});

/** A part of another kind of file, inline: validated like that file, and kept as it was written. */
const inline = (schema: z.ZodType) =>
  z.record(z.string(), z.json()).check((context) => {
    const { error } = schema.safeParse(context.value);
    for (const { path, message } of faultsOf(error?.issues ?? []))
      context.issues.push({ code: 'custom', path: [...path], message, input: context.value });
  });

/** A scenario file: steps on a virtual clock, and the expected end (FORMATS, Scenarios). */
export const Scenario = z.strictObject({
  name: z.string({ error: 'expected a name; it is printed with the result' }),
  triggers: z.array(z.union([z.string(), inline(Trigger)])).optional(),
  identity: inline(identityConfigFor(providerIds)).default({}),
  hub: inline(HubConfig).default({}),
  customers: z.array(StartingCustomer).default([]),
  crm: CrmSeeds.default({}),
  /** By CRM, what differs from its shipped mapping: keys are replaced, and those of `contact.fields` one by one. */
  mappings: z.record(z.string(), z.looseObject({ contact: z.looseObject({}).optional() })).default({}),
  steps: z.array(Step).default([]),
  expect: Expectation,
});
export type Scenario = z.output<typeof Scenario>;

/** The path of a trigger file that a scenario names: beside the scenario, else in mappings/triggers. */
export const triggerFile = (folder: string, name: string): string | undefined =>
  [resolve(folder, name), join(ownTriggers(), name)].find((path) => existsSync(path));

const ownTriggers = (): string => join(mappingsFolder(), 'triggers');

/** The trigger files and inline triggers of a scenario; those of mappings/triggers where it lists none. */
export const listedTriggers = ({ triggers }: Pick<Scenario, 'triggers'>): NonNullable<Scenario['triggers']> =>
  triggers ?? readdirSync(ownTriggers()).filter((name) => name.endsWith('.yaml'));

/** The schema of a scenario file in `folder`. The files and triggers that it names must exist. */
export const scenarioIn = (folder: string) =>
  Scenario.check(({ value, issues }) => {
    const wrong = (path: PropertyKey[], message: string): void => {
      issues.push({ code: 'custom', path, message, input: value });
    };
    const ids = new Set<unknown>();
    for (const [position, trigger] of listedTriggers(value).entries()) {
      const file = typeof trigger === 'string' ? triggerFile(folder, trigger) : undefined;
      if (typeof trigger === 'string' && file === undefined) {
        wrong(
          ['triggers', position],
          `expected a trigger or the name of its file; there is no ${trigger} beside the scenario or in mappings/triggers`,
        );
        continue;
      }
      ids.add(typeof trigger === 'string' ? triggerIdIn(file) : trigger['id']);
    }
    for (const [position, { webhook, publish, pause }] of value.steps.entries()) {
      const fault = webhook === undefined ? undefined : caseFault(resolve(folder, webhook));
      if (fault !== undefined) wrong(['steps', position, 'webhook'], fault);
      for (const [action, id] of Object.entries({ publish, pause }))
        if (id !== undefined && !ids.has(id))
          wrong(
            ['steps', position, action],
            `expected the id of a trigger of this scenario: ${[...ids].join(', ') || 'it has none'}`,
          );
    }
  });

const triggerIdIn = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : parseConfigFile(file, readFileSync(file, 'utf8'), Trigger).id;

const caseFault = (file: string): string | undefined => {
  if (!existsSync(file)) return `expected the file of a webhook case; there is no ${file}`;
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return `expected a webhook case; ${file} is not JSON`;
  }
  const { error } = Case.safeParse(read);
  const [issue] = error?.issues ?? [];
  return issue && `expected a webhook case; in ${file}, ${issue.path.join('.')}: ${issue.message}`;
};
