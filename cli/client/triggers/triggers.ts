import * as z from 'zod';
import { type HubConnection, request } from '../request.ts';

const Templates = z.record(z.string(), z.record(z.string(), z.string()));
const Authored = { by: z.string().optional(), at: z.string().optional(), note: z.string().optional() };

const TriggerState = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  category: z.string().optional(),
  state: z.enum(['draft', 'published', 'paused']),
  version: z.number().optional(),
  ...Authored,
  pausedAt: z.string().optional(),
  pausedBy: z.string().optional(),
  draft: z.looseObject(Authored).optional(),
  /** How many notifications wait for the end of a wait or a deferral. */
  waiting: z.number(),
});
export type TriggerState = z.infer<typeof TriggerState>;

const Version = z.looseObject({
  version: z.number(),
  ...Authored,
  restores: z.number().optional(),
  published: z.boolean(),
  /** The keys in which it differs from the version before. */
  changed: z.array(z.string()),
});

const Fault = z.object({ file: z.string(), line: z.number(), key: z.string(), message: z.string() });
const Room = z.object({ used: z.number(), most: z.number() });

const Check = z.looseObject({
  faults: z.array(Fault),
  warnings: z.array(z.string()).default([]),
  limits: z
    .object({
      region: z.string(),
      rules: Room,
      withWildcards: Room,
      pattern: z.object({ characters: z.number(), most: z.number() }),
    })
    .optional(),
  publishedVersion: z.number().optional(),
  differences: z
    .array(z.object({ key: z.string(), published: z.string().optional(), given: z.string().optional() }))
    .default([]),
});
export type Check = z.infer<typeof Check>;

/** A trigger file with the templates that it names. `text`: YAML; `file`: as faults name it. */
export interface GivenTrigger {
  readonly file: string;
  readonly text: string;
  readonly templates: z.infer<typeof Templates>;
}

interface Author {
  readonly by: string;
  readonly note?: string | undefined;
}

export const listTriggers = async (hub: HubConnection): Promise<TriggerState[]> =>
  (await request(hub, { method: 'GET', path: ['triggers'] }, z.object({ items: z.array(TriggerState) })))
    .items;

/** Newest first. */
export const triggerHistory = async (hub: HubConnection, id: string): Promise<z.infer<typeof Version>[]> =>
  (
    await request(
      hub,
      { method: 'GET', path: ['triggers', id, 'versions'] },
      z.object({ items: z.array(Version) }),
    )
  ).items;

/** The published version, or the given one, with its definition, its templates and its draft. */
export const getTrigger = (hub: HubConnection, id: string, version?: string): Promise<TriggerState> =>
  request(hub, { method: 'GET', path: ['triggers', id], query: { version } }, TriggerState);

/** What publishing would say, without an effect. */
export const checkTrigger = (hub: HubConnection, body: GivenTrigger): Promise<Check> =>
  request(hub, { method: 'POST', path: ['triggers', 'check'], body }, Check);

export const putTrigger = (
  hub: HubConnection,
  id: string,
  body: GivenTrigger & Author & { readonly as: 'edit' | 'draft' | 'apply'; readonly overwrite?: boolean },
): Promise<TriggerState> => request(hub, { method: 'PUT', path: ['triggers', id], body }, TriggerState);

/** `publish` publishes the draft; `roll-back` publishes an earlier version as a new one. */
export const actOnTrigger = (
  hub: HubConnection,
  id: string,
  act: 'publish' | 'pause' | 'resume' | 'roll-back',
  body: Author & { readonly version?: number | undefined },
): Promise<TriggerState> => request(hub, { method: 'POST', path: ['triggers', id, act], body }, TriggerState);

/** Removes the rule of a trigger; its versions stay stored. */
export const unpublishTrigger = (hub: HubConnection, id: string, by: string): Promise<TriggerState> =>
  request(hub, { method: 'DELETE', path: ['triggers', id], query: { by } }, TriggerState);

const Message = z.looseObject({ subject: z.string().optional(), text: z.string() });
const Tried = z.looseObject({
  /** The address to which a test message is sent. */
  sentTo: z.string().optional(),
  interaction: z.looseObject({
    ...{ id: z.string(), kind: z.string(), channel: z.string(), occurredAt: z.string() },
    /** Whether the trigger's `on` matches it. */
    setsItOff: z.boolean(),
  }),
  /** At once; and where it would wait, at the end of the wait. */
  decisions: z.array(
    z.looseObject({
      ...{ at: z.string(), summary: z.string(), sentences: z.array(z.string()) },
      message: Message.optional(),
      /** Why the message cannot be rendered. */
      fault: z.string().optional(),
    }),
  ),
});

/** What a trigger would decide now for a customer. Changes nothing. */
export const testTrigger = (
  hub: HubConnection,
  body: {
    readonly customer: string;
    readonly trigger: string | GivenTrigger;
    readonly interaction?: unknown;
    readonly sendTo?: string;
  },
): Promise<z.infer<typeof Tried>> =>
  request(hub, { method: 'POST', path: ['triggers', 'test'], body }, Tried);

const Interval = z.object({ estimate: z.number(), low: z.number(), high: z.number() });
const Funnel = z.looseObject({
  ...{ matched: z.number(), sent: z.number(), delivered: z.number(), opened: z.number() },
  ...{ clicked: z.number(), failed: z.number(), suppressed: z.record(z.string(), z.number()) },
});
const Reached = z.object({ checked: z.number(), reached: z.number(), rate: Interval.optional() });

const Report = Funnel.extend({
  ...{ trigger: z.string(), from: z.string(), to: z.string(), timeZone: z.string(), waiting: z.number() },
  goal: z.object({ sent: Reached, holdout: Reached, difference: Interval.optional() }),
  days: z.array(Funnel.extend({ day: z.string() })),
  variants: z.array(Funnel.extend({ template: z.string(), goal: Reached })),
});
export type Report = z.infer<typeof Report>;

/** What a trigger achieved in the last days. */
export const triggerReport = (hub: HubConnection, id: string, days: string): Promise<Report> =>
  request(hub, { method: 'GET', path: ['triggers', id, 'report'], query: { days } }, Report);
