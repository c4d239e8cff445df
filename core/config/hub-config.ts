import * as z from 'zod';
import { Category } from '../consent/consent.ts';
import { Duration, Limit, QuietHours, TimeZone } from './duration.ts';

/** Settings of one switched-on provider, CRM or sender; `{}` where there is nothing to set. */
const Switches = z.record(z.string().regex(/^[a-z0-9-]+$/u), z.record(z.string(), z.json()));

/** Channels with settings of their own. */
const Channels = z.intersection(
  Switches,
  z.looseObject({
    salesforce: z
      .strictObject({
        /** The partner's event bus of this account onto which Salesforce puts changes of records and platform events. */
        eventBus: z
          .string()
          .regex(
            /^aws\.partner\/[\w./-]{1,240}$/u,
            "expected the name of a partner's event bus, such as aws.partner/salesforce.com/00D…/0YL…",
          )
          .optional(),
      })
      .optional(),
  }),
);

const Team = z.strictObject({
  email: z.array(z.email()).optional(),
  sms: z.array(z.string()).optional(),
  slack: z.string().optional(),
});

/** `mappings/hub.yaml`. A key that is left out has the value shown in the shipped file. */
export const HubConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/u, 'expected up to 31 letters, digits and -')
    .default('acme'),
  timeZone: TimeZone.default('Europe/Rome'),
  /** What providers call where the API has a domain of its own; else the address that API Gateway gives it. */
  publicUrl: z
    .url({ protocol: /^https$/u })
    .regex(/[^/]$/u, 'expected no / at the end')
    .optional(),
  channels: Channels.default({ twilio: {}, sendgrid: {}, meta: {} }),
  crms: Switches.default({ salesforce: {}, hubspot: {} }),
  senders: z
    .record(z.string(), z.string())
    .default({ email: 'ses', sms: 'aws-sms', push: 'sns-push', whatsapp: 'whatsapp-cloud' }),
  /** Whether an opt-in by a claimed address counts at once, or once its owner pressed the button of the confirm page. */
  optIn: z.enum(['double', 'single']).default('double'),
  /** What people nobody vouches for may cause. */
  claims: z
    .strictObject({
      perAddress: Limit.prefault('3 per 1d'),
      hub: Limit.prefault('200 per 1h'),
      /** Whether claimed numbers get SMS. */
      sms: z.boolean().default(false),
    })
    .prefault({}),
  caps: z.partialRecord(Category.exclude(['transactional']), Limit).prefault({ marketing: '3 per 7d' }),
  quietHours: QuietHours.prefault('21:00-08:00'),
  teams: z.record(z.string(), Team).default({ sales: { email: ['sales@acme.example'], slack: '#leads' } }),
  alarms: z.email().default('ops@acme.example'),
  conversation: z.strictObject({ silence: Duration }).prefault({ silence: '72h' }),
  retention: z
    .strictObject({
      interactions: Duration.prefault('3y'),
      /** How long the bus's archive can tell an event again; whole days. */
      events: Duration.prefault('14d'),
    })
    .prefault({}),
});
export type HubConfig = z.output<typeof HubConfig>;
