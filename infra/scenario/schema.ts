import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { providerIds } from '../../connectors/registry.ts';
import { faultsOf, parseConfigFile } from '../../core/config/config-file.ts';
import { Duration, TimeZone } from '../../core/config/duration.ts';
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
import { Case } from './webhook-case/case.ts';

/** An identifier as people write it; the pipeline normalises it. */
const AnyIdentifier = z
  .string({ error: 'expected an identifier of the form type:value' })
  .trim()
  .regex(/^[a-z][a-z0-9-]*:.+$/isu, { error: 'expected an identifier of the form type:value' })
  .transform((text) => text.slice(0, text.indexOf(':')).toLowerCase() + text.slice(text.indexOf(':')))
  .meta({ title: 'identifier such as `phone:+393331234567`' });

const At = Instant.meta({ title: 'time such as `2026-03-02T10:00:00Z`' });
const OnChannel = Channel.meta({ title: 'channel' });
const Status = ConsentStatus.meta({ title: '`granted` `service-only` `denied` `unknown`' });
const Name = z
  .union([z.string().transform((full) => ({ full })), PersonName])
  .meta({ title: 'name, whole or `{ first, last }`' });
const Preferences = z.strictObject({ channel: OnChannel.optional() });

/** An interaction that happens in a step. */
export const StepInteraction = DecodedInteraction.omit({
  key: true,
  provider: true,
  account: true,
  direction: true,
  identifiers: true,
  becomes: true,
  fetch: true,
})
  .extend({
    id: z
      .union([z.string(), z.number().transform(String)])
      .optional()
      .meta({ title: 'text' })
      .describe('a second one with the same id is a redelivery'),
    channel: OnChannel,
    occurredAt: At.optional().describe('when it happened; otherwise the time of the step'),
    provider: z.string().default('standard').describe('who reports it'),
    account: z.string().optional().describe('the account of the provider'),
    direction: z.enum(['inbound', 'outbound', 'system']).default('inbound'),
    identifiers: z.array(AnyIdentifier).default([]).describe('whose it is'),
    claimed: z.array(AnyIdentifier).optional().describe('those of them that nobody vouches for'),
    becomes: z.array(AnyIdentifier).optional().describe('what the identifiers were replaced by'),
    profile: ProfileHints.extend({ name: Name.optional() }).optional().describe('what it says of the person'),
  })
  .meta({ title: 'interaction' });

const profile = {
  name: Name.optional(),
  language: z.string().optional(),
  stage: z.string().optional(),
  tags: z.array(z.string()).optional(),
  traits: z.record(z.string(), z.json()).optional(),
  consent: z.partialRecord(Channel, Status).optional().describe('by channel'),
  preferences: Preferences.optional(),
};

const ExpectedCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).optional().describe('the proven ones, all of them'),
  claimed: z.array(AnyIdentifier).optional().describe('those that guests shown with the customer name'),
  ...profile,
  timeZone: z.string().optional(),
  timeline: z.int().nonnegative().optional().describe('how many interactions, without notifications'),
  mergedFrom: z
    .array(AnyIdentifier)
    .optional()
    .describe('an identifier of each customer merged into this one'),
});

const ExpectedNotification = z.strictObject({
  trigger: z.string().optional().describe('the id of the trigger'),
  channel: OnChannel.optional(),
  to: z.string().optional().describe('the address, such as `bob@example.com`'),
  at: At.optional(),
  template: z.string().optional(),
  step: z.string().optional().describe('of a series'),
  file: z.string().optional().describe('the file of the template, such as `email.it.liquid`'),
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
  trigger: z.string().optional().describe('the id of the trigger'),
  reason: z.enum(reasons).optional(),
  channel: OnChannel.optional(),
  at: At.optional(),
  step: z.string().optional().describe('of a series, where it stood'),
});

export const Expectation = z
  .strictObject({
    customers: z.array(ExpectedCustomer).optional().describe('all customers'),
    notifications: z.array(ExpectedNotification).optional().describe('all that were sent'),
    suppressed: z.array(ExpectedSuppression).optional().describe('all that were not sent, and why'),
    crm: z
      .record(
        z.string(),
        z.record(z.string(), z.union([z.int().nonnegative(), z.array(z.record(z.string(), z.json()))])),
      )
      .optional()
      .describe('by CRM and object: how many records, or the records'),
    review: z.int().nonnegative().optional().describe('how many review entries are open'),
    failures: z.int().nonnegative().optional().describe('how many failures are open'),
    connections: z
      .record(z.string(), z.enum(['working', 'limited', 'paused']))
      .optional()
      .describe('by CRM: how its connection is; limited: an object of it waits for a person'),
  })
  .meta({ title: 'expectation' });
export type Expectation = z.output<typeof Expectation>;

const Action = z.strictObject({
  interaction: StepInteraction.optional().describe('something happens'),
  webhook: z.string().optional().describe('the file of a webhook case, which is delivered'),
  merge: z
    .strictObject({ keep: AnyIdentifier, other: AnyIdentifier })
    .optional()
    .describe('a person says that two customers are one'),
  unmerge: z
    .strictObject({ customer: AnyIdentifier })
    .optional()
    .describe('a person undoes the newest merge of a customer'),
  confirm: z
    .strictObject({ customer: AnyIdentifier, identifier: AnyIdentifier })
    .optional()
    .describe("a person says that a claimed identifier is the customer's"),
  split: z
    .strictObject({ customer: AnyIdentifier, identifier: AnyIdentifier })
    .optional()
    .describe('a person says that the guest with this identifier is somebody else'),
  consent: z
    .strictObject({ customer: AnyIdentifier, channel: OnChannel, status: Status })
    .optional()
    .describe('a person enters an answer'),
  preference: z
    .strictObject({ customer: AnyIdentifier, channel: OnChannel })
    .optional()
    .describe('a customer chooses a channel'),
  erase: z.strictObject({ customer: AnyIdentifier }).optional().describe('a person erases a customer'),
  open: z
    .strictObject({ to: AnyIdentifier })
    .optional()
    .describe('every link of the messages to an address is opened, as scanners of mail do'),
  press: z
    .strictObject({
      to: AnyIdentifier,
      link: z.enum(['unsubscribe', 'preferences', 'confirm']),
      form: z.record(z.string(), z.string()).default({}).describe('the choices on the page'),
    })
    .optional()
    .describe('the button behind a link of the newest message to an address is pressed'),
  crm: CrmStep.optional().describe('by CRM: somebody works in it, or something is wrong with it'),
  close: z.strictObject({ customer: AnyIdentifier }).optional().describe('the conversation is closed'),
  advance: Duration.optional().describe('time passes'),
  publish: z.string().optional().describe('a trigger is published'),
  pause: z.string().optional().describe('a trigger is paused'),
  expect: Expectation.optional().describe('what must be so now'),
});

const actions = Object.keys(Action.shape);

/** The key of the action of a step, such as `interaction`. */
export const actionOf = (step: Step): string =>
  actions.find((action) => Reflect.get(step, action) !== undefined) ?? 'nothing';

export const Step = Action.extend({
  at: At.optional().describe('when; otherwise when the step before is done'),
})
  .refine((step) => actions.filter((action) => Reflect.get(step, action) !== undefined).length === 1, {
    error: `expected exactly one of ${actions.join(', ')}`,
  })
  .meta({ title: 'step' });
export type Step = z.output<typeof Step>;

const StartingCustomer = z.strictObject({
  identifiers: z.array(AnyIdentifier).min(1),
  ...profile,
  timeZone: TimeZone.optional(),
});

/** A part of another kind of file, inline: validated like that file, and kept as it was written. */
const inline = (title: string, schema: z.ZodType) =>
  z
    .record(z.string(), z.json())
    .check((context) => {
      const { error } = schema.safeParse(context.value);
      for (const { path, message } of faultsOf(error?.issues ?? []))
        context.issues.push({ code: 'custom', path: [...path], message, input: context.value });
    })
    .meta({ title });

/** A scenario file: steps on a virtual clock, and the expected end (FORMATS, Scenarios). */
export const Scenario = z.strictObject({
  name: z
    .string({ error: 'expected a name; it is printed with the result' })
    .describe('one line, printed with the result'),
  triggers: z
    .array(z.union([z.string(), inline('trigger', Trigger)]))
    .optional()
    .describe(
      'the triggers that are published: names of files, or triggers; otherwise all of mappings/triggers',
    ),
  identity: inline('keys of identity.yaml', identityConfigFor(providerIds))
    .default({})
    .describe('replaces those of the file'),
  hub: inline('keys of hub.yaml', HubConfig).default({}).describe('replaces those of the file'),
  customers: z.array(StartingCustomer).default([]).describe('who is known before the first step'),
  crm: CrmSeeds.default({}).describe('by CRM and object: the records that staff have made before'),
  mappings: z
    .record(z.string(), z.looseObject({ contact: z.looseObject({}).optional() }))
    .default({})
    .describe('by CRM: keys of its mapping that are replaced, those of `contact.fields` one by one'),
  steps: z.array(Step).default([]).describe('what happens, in this order'),
  expect: Expectation.describe('what must be so in the end'),
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
