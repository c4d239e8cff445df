import * as z from 'zod';
import { Category } from '../consent/consent.ts';
import { Duration, Limit, QuietHours, TimeZone } from './duration.ts';
import { nearestWord } from './nearest.ts';

/** The active CRMs. `connector`: `http` for one that is spoken to by the templates of its mapping, under any name. */
const Crms = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,30}$/u, 'expected up to 31 letters, digits and -'),
  z.strictObject({ connector: z.literal('http').optional() }),
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
      /** The accounts, each with its own route and secret; the answer for other accounts is 404. */
      accounts: z.array(AccountName).max(50).optional(),
      /** The partner event bus of this account to which Salesforce sends record changes and platform events. */
      eventBus: z
        .string()
        .regex(
          /^aws\.partner\/[\w./-]{1,240}$/u,
          "expected the name of a partner's event bus, such as aws.partner/salesforce.com/00D…/0YL…",
        )
        .optional(),
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
  email: z.array(z.email()).optional(),
  sms: z.array(z.string()).optional(),
  slack: z.string().optional(),
});

const Rate = Limit.refine(({ count, windowMs }) => count > 0 && windowMs <= 86_400_000, {
  error: 'expected a rate such as 10 per 1s, over at most 1d',
});

/** The sender of a channel: its id, or with what the account allows, where the vendor is not to be asked or cannot be. */
const ChannelSender = z.preprocess(
  (given) => (typeof given === 'string' ? { use: given } : given),
  z.strictObject({
    use: z.string(),
    /** The most messages in a window. */
    rate: Rate.optional(),
    /** The most messages in any 24 hours. */
    daily: z.int().positive().optional(),
  }),
);

/** `mappings/hub.yaml`. An absent key has the value of the shipped file. */
export const HubConfig = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/u, 'expected up to 31 letters, digits and -')
    .default('acme'),
  timeZone: TimeZone.default('Europe/Rome'),
  /** The base URL that providers call, if the API has a custom domain. Default: the URL of API Gateway. */
  publicUrl: z
    .url({ protocol: /^https$/u })
    .regex(/[^/]$/u, 'expected no / at the end')
    .optional(),
  channels: Channels.default({ twilio: {}, sendgrid: {}, meta: {} }),
  crms: Crms.default({ salesforce: {}, hubspot: {} }),
  senders: z
    .record(z.string(), ChannelSender)
    .prefault({ email: 'ses', sms: 'aws-sms', push: 'sns-push', whatsapp: 'whatsapp-cloud' }),
  /** `single`: an opt-in by a claimed address counts at once. `double`: only after its owner has confirmed it. */
  optIn: z.enum(['double', 'single']).default('double'),
  /** The limits of messages that unproven identifiers cause. */
  claims: z
    .strictObject({
      perAddress: Limit.prefault('3 per 1d'),
      hub: Limit.prefault('200 per 1h'),
      /** Whether SMS is sent to claimed numbers. */
      sms: z.boolean().default(false),
    })
    .prefault({}),
  caps: z.partialRecord(Category.exclude(['transactional']), Limit).prefault({ marketing: '3 per 7d' }),
  quietHours: QuietHours.prefault('21:00-08:00'),
  teams: z.record(z.string(), Team).default({ sales: { email: ['sales@acme.example'], slack: '#leads' } }),
  alarms: z.email().default('ops@acme.example'),
  /** US dollars a month: where the AWS account has spent four fifths of it, or will exceed it, a mail goes to `alarms`. */
  budget: z.number().positive().optional(),
  /** The most concurrent executions that the queues of these functions cause: what is left of the account's is for webhooks. */
  concurrency: z
    .strictObject({
      record: EventSourceConcurrency.default(3),
      decide: EventSourceConcurrency.default(2),
      notify: EventSourceConcurrency.default(2),
    })
    .prefault({}),
  conversation: z.strictObject({ silence: Duration }).prefault({ silence: '72h' }),
  retention: z
    .strictObject({
      interactions: Duration.prefault('3y'),
      /** How long the archive of the bus stores events for a replay; whole days. */
      events: Duration.prefault('14d'),
    })
    .prefault({}),
});
export type HubConfig = z.output<typeof HubConfig>;

/** The ids that a hub can switch on. */
export interface KnownIds {
  readonly channels: readonly string[];
  readonly crms: readonly string[];
  readonly senders: readonly string[];
}

/** `HubConfig` that names known channels, CRMs and senders only: a misspelt one would be off in silence. */
export const hubConfigFor = ({ channels, crms, senders }: KnownIds) =>
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
      expectKnown(['senders', channel], use, senders);
  });
