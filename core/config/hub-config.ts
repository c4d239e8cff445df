import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { Category } from '../consent/consent.ts';
import type { Channel } from '../interaction/interaction.ts';
import { Duration, Limit, QuietHours, TimeZone } from './duration.ts';
import { nearestWord } from './nearest.ts';
import { OfficeHours } from './office-hours.ts';

const Crms = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,30}$/u, 'expected up to 31 letters, digits and -'),
  z.strictObject({
    connector: z
      .literal('http')
      .optional()
      .describe('for a CRM of any name that is spoken to by the requests of its mapping'),
  }),
);

/** What no CRM may be called: the name begins its identifiers, and these are other types. */
const takenNames: ReadonlySet<string> = new Set(['email', 'phone', 'user-id', 'anonymous', 'http']);

/** A second shop, page or number of one provider, as `hub connect --account` names it. */
export const AccountName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/u, 'expected up to 63 letters, digits and -');

const Channels = z
  .record(
    z.string().regex(/^[a-z0-9-]+$/u),
    z.strictObject({
      accounts: z
        .array(AccountName)
        .max(50)
        .optional()
        .describe('further shops, pages or numbers, each with its own address and secret'),
      eventBus: z
        .string()
        .regex(
          /^aws\.partner\/[\w./-]{1,240}$/u,
          "expected the name of a partner's event bus, such as aws.partner/salesforce.com/00D…/0YL…",
        )
        .optional()
        .describe('of salesforce: the partner event bus to which it sends changes of records'),
    }),
  )
  .superRefine((channels, context) => {
    for (const [id, { eventBus }] of Object.entries(channels))
      if (eventBus !== undefined && id !== 'salesforce')
        context.addIssue({
          code: 'custom',
          path: [id, 'eventBus'],
          message: 'is a setting of salesforce alone',
        });
  });

/** Lambda's own limits (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html). */
const EventSourceConcurrency = z.int().min(2).max(2000);

const Team = z.strictObject({
  email: z.array(z.email()).optional().describe('the addresses that get messages to the team'),
  sms: z.array(z.string()).optional().describe('its numbers'),
  slack: z.string().optional().describe('its channel in Slack, where the hub has a sender for `slack`'),
});

const Rate = Limit.refine(({ count, windowMs }) => count > 0 && windowMs <= 86_400_000, {
  error: 'expected a rate such as 10 per 1s, over at most 1d',
});

const SenderIds = z
  .union([z.string().transform((id) => [id]), z.array(z.string()).min(1)])
  .refine((ids) => new Set(ids).size === ids.length, { error: 'expected each sender once' });

const SenderRule = z.strictObject({
  use: SenderIds.describe(
    'the sender, or several in the order in which they are tried; one alone may stand for the whole entry, as in `email: ses`',
  ),
  rate: Rate.optional().describe('the most messages of each of them in a window, such as `10 per 1s`'),
  daily: z.int().positive().optional().describe('the most messages of each of them in any 24 hours'),
});

/** The sender of a channel: its id, or with what the account allows, where the vendor is not to be asked or cannot be. */
const ChannelSender = z.union([
  z
    .string()
    .transform((use): z.input<typeof SenderRule> => ({ use }))
    .pipe(SenderRule),
  SenderRule,
]);

const Language = z
  .string()
  .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/u, 'expected a language such as it or pt-BR')
  .meta({ title: 'language such as `it`' });

/** `mappings/hub.yaml`. An absent key has the value of the shipped file. */
export const HubConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/u, 'expected up to 31 letters, digits and -')
    .default('acme')
    .describe('the beginning of every name in the AWS account; never change it'),
  timeZone: TimeZone.default('Europe/Rome').describe("counts where a customer's own is unknown"),
  language: Language.default('en').describe(
    "of messages and pages where a customer's own is unknown or missing",
  ),
  brand: z
    .strictObject({
      name: z
        .string()
        .min(1)
        .max(80)
        .optional()
        .describe('the name of the business; else `name`, in capitals'),
      logo: z
        .url({ protocol: /^https$/u })
        .optional()
        .describe('the address of a picture, shown at most 192 × 64 pixels'),
      color: z
        .string()
        .regex(/^#[0-9A-Fa-f]{6}$/u, 'expected a colour such as "#0b5cad"')
        .optional()
        .describe('of buttons and links; it is made darker or lighter where it could not be read'),
    })
    .prefault({})
    .describe('how the pages for customers look: unsubscribe, choices, confirmation'),
  publicUrl: z
    .url({ protocol: /^https$/u })
    .regex(/[^/]$/u, 'expected no / at the end')
    .optional()
    .describe('an address of your own for webhooks and links; otherwise that of API Gateway'),
  table: z
    .string()
    .regex(/^[\w.-]{3,255}$/u, 'expected the name of a table')
    .optional()
    .describe(
      'the table that the hub uses after `hub restore`; absent: the one that the deployment has made',
    ),
  channels: Channels.default({ twilio: {}, sendgrid: {}, meta: {} }).describe(
    'the providers whose webhooks are taken',
  ),
  crms: Crms.default({ salesforce: {}, hubspot: {} }).describe('the CRMs that are synchronised'),
  senders: z
    .record(z.string(), ChannelSender)
    .prefault({ email: 'ses', sms: 'aws-sms', push: 'sns-push', whatsapp: 'whatsapp-cloud' })
    .describe('by channel: who sends the messages of triggers'),
  links: z
    .strictObject({
      track: z
        .boolean()
        .default(false)
        .describe('whether links in e-mails lead over the hub, which records who has clicked'),
    })
    .prefault({})
    .describe('links in messages'),
  optIn: z
    .enum(['double', 'single'])
    .default('double')
    .describe(
      'double: an opt-in by an address that somebody only typed counts once its owner confirmed it; single: at once',
    ),
  claims: z
    .strictObject({
      perAddress: Limit.prefault('3 per 1d').describe('messages to one address'),
      hub: Limit.prefault('200 per 1h').describe('messages in all'),
      sms: z.boolean().default(false).describe('whether SMS goes to numbers that were only typed'),
    })
    .prefault({})
    .describe('what may be sent because of identifiers that nobody vouches for'),
  caps: z
    .partialRecord(Category.exclude(['transactional']), Limit)
    .prefault({ marketing: '3 per 7d' })
    .describe('by category: how many messages a customer gets from all triggers together'),
  quietHours: QuietHours.prefault('21:00-08:00').describe(
    "when no marketing and service message is sent, in the customer's time zone",
  ),
  teams: z
    .record(z.string(), Team)
    .default({ sales: { email: ['sales@acme.example'], slack: '#leads' } })
    .describe('by name: to whom triggers with `to: { team: … }` go'),
  hours: z
    .record(z.string(), OfficeHours)
    .prefault({ sales: { days: 'mon-fri', from: '09:00', to: '18:00', closed: ['2026-12-25'] } })
    .describe("by team: its office hours, in the hub's time zone; a team without hours is always open"),
  alarms: z.email().default('ops@acme.example').describe('the address that gets alarms'),
  budget: z
    .number()
    .positive()
    .optional()
    .describe(
      'US dollars a month: a mail goes to `alarms` where the AWS account has spent four fifths of it, or will exceed it',
    ),
  concurrency: z
    .strictObject({
      record: EventSourceConcurrency.default(3).describe('copies that store interactions'),
      decide: EventSourceConcurrency.default(2).describe('copies that decide about triggers'),
      notify: EventSourceConcurrency.default(2).describe('copies that send'),
    })
    .prefault({})
    .describe("the most copies of functions that run at a time: the rest of the account's is for webhooks"),
  conversation: z
    .strictObject({ silence: Duration.describe('after which a conversation is closed') })
    .prefault({ silence: '72h' })
    .describe('conversations'),
  retention: z
    .strictObject({
      interactions: Duration.prefault('3y').describe('how long interactions are kept'),
      events: Duration.prefault('14d').describe(
        'how long the archive of the bus keeps events for a replay; whole days',
      ),
    })
    .prefault({})
    .describe('how long what is kept'),
});
export type HubConfig = z.output<typeof HubConfig>;

/** The ids that a hub can switch on. */
export interface KnownIds {
  readonly channels: readonly string[];
  readonly crms: readonly string[];
  readonly senders: readonly string[];
  /** By the id of a sender: the channels whose messages it sends; any, where it is absent. */
  readonly senderChannels?: Readonly<Record<string, readonly Channel[]>>;
}

/**
 * `HubConfig` that names known channels, CRMs and senders only, and each sender for a channel that it serves: a misspelt one
 * would be off in silence.
 */
export const hubConfigFor = ({ channels, crms, senders, senderChannels = {} }: KnownIds) =>
  HubConfig.superRefine((hub, context) => {
    const expectKnown = (path: string[], id: string, known: readonly string[]): void => {
      if (known.includes(id)) return;
      const nearest = nearestWord(id, known);
      context.addIssue({
        code: 'custom',
        path,
        message: `unknown ${JSON.stringify(id)}; ${nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${nearest}?`}`,
      });
    };
    for (const id of Object.keys(hub.channels)) expectKnown(['channels', id], id, channels);
    for (const [id, { connector }] of Object.entries(hub.crms)) {
      if (connector === undefined) expectKnown(['crms', id], id, crms);
      else if (takenNames.has(id) || crms.includes(id) || channels.includes(id))
        context.addIssue({
          code: 'custom',
          path: ['crms', id],
          message: 'is the name of something else; choose another',
        });
    }
    for (const [channel, { use }] of Object.entries(hub.senders))
      for (const id of use) {
        expectKnown(['senders', channel], id, senders);
        const served: readonly string[] = senderChannels[id] ?? [channel];
        if (!served.includes(channel))
          context.addIssue({
            code: 'custom',
            path: ['senders', channel],
            message: `${id} sends ${served.join(' and ')}, and no ${channel}`,
          });
      }
    const teams = Object.keys(hub.teams);
    // The hours of the shipped file stand for themselves where the teams are others.
    const shipped = HubConfig.parse({}).hours['sales'];
    for (const [team, hours] of Object.entries(hub.hours))
      if (team !== 'sales' || !isDeepStrictEqual(hours, shipped)) expectKnown(['hours', team], team, teams);
  });

/** The senders that a hub uses, in no order. */
export const usedSenders = ({ senders }: Pick<HubConfig, 'senders'>): ReadonlySet<string> =>
  new Set(Object.values(senders).flatMap(({ use }) => use));
