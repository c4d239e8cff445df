// https://developer.zendesk.com/api-reference/webhooks/event-types/webhook-event-types/
// An event names users by id only. A trigger's webhook has no id of its own, and a body that the admin wrote.

import * as z from 'zod';
import { defined, parsePayload, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { sha256Hex } from '../../core/webhooks/signature.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
/** Other types have other shapes. */
const Named = z.looseObject({ type: z.string() });
const Event = z.looseObject({
  type: z.string(),
  id: z.string(),
  time: Text,
  event: z
    .looseObject({
      comment: z
        .looseObject({
          id: VendorId,
          body: Text,
          is_public: z.boolean().optional(),
          author: z.looseObject({ id: VendorId, is_staff: z.boolean().optional(), name: Text }).optional(),
        })
        .optional(),
      current: z.unknown().optional(),
      identity: z.unknown().optional(),
      /** The user that a merge has ended. */
      user: z.looseObject({ id: VendorId }).optional().catch(undefined),
    })
    .optional(),
  detail: z
    .looseObject({
      id: VendorId,
      requester_id: VendorId.nullish(),
      submitter_id: VendorId.nullish(),
      description: Text,
      is_public: z.boolean().nullish(),
      created_at: Text,
      subject: Text,
      email: Text,
      external_id: Text,
      name: Text,
      role: Text,
    })
    .optional(),
});
type Event = z.infer<typeof Event>;
const Custom = z.looseObject({
  ticket_id: VendorId,
  title: Text,
  requester_email: Text,
  requester_name: Text,
  requester_phone: Text,
  latest_comment: Text,
  updated_at: Text,
});

const base = { channel: 'chat', direction: 'inbound' } as const;

/** Zendesk may report the description of a new ticket as its first comment too: both have the same key. */
const firstWords = (ticket: string): string => `ticket:${ticket}:description`;

/** A ticket begins with words, by the person who asks or by an agent in their name. */
const created = ({ id, time, detail }: Event): DecodedInteraction | undefined => {
  if (!detail?.description || detail.is_public === false) return undefined;
  const { requester_id: customer, submitter_id: submitter } = detail;
  const byStaff = Boolean(customer && submitter && customer !== submitter);
  return {
    ...base,
    ...(byStaff && { direction: 'outbound' as const }),
    key: detail.id ? firstWords(detail.id) : id,
    kind: byStaff ? 'echo' : 'message',
    identifiers: customer ? [`zendesk:${customer}`] : [],
    conversationId: detail.id,
    text: detail.description,
    ...defined({ subject: detail.subject ?? undefined, occurredAt: readTime(time) }),
  };
};

/** Whether a comment was made in the second in which its ticket was. */
const isFirst = ({ time, detail }: Event): boolean => {
  const [at, began] = [readTime(time), readTime(detail?.created_at)];
  return at !== undefined && began !== undefined && Math.abs(Date.parse(at) - Date.parse(began)) < 1000;
};

const comment = (whole: Event): DecodedInteraction | undefined => {
  const { id, time, event, detail } = whole;
  const said = event?.comment;
  if (said === undefined || said.is_public === false || detail === undefined) return undefined;
  const byStaff = said.author?.is_staff === true;
  const customer = byStaff ? detail.requester_id : said.author?.id;
  return {
    ...base,
    ...(byStaff && { direction: 'outbound' as const }),
    key: isFirst(whole) ? firstWords(detail.id) : id,
    kind: byStaff ? 'echo' : 'message',
    identifiers: customer ? [`zendesk:${customer}`] : [],
    externalId: said.id,
    conversationId: detail.id,
    ...defined({
      text: said.body ?? undefined,
      subject: detail.subject ?? undefined,
      occurredAt: readTime(time),
    }),
    ...(!byStaff && said.author?.name && { profile: { name: { full: said.author.name } } }),
  };
};

/** When Zendesk's user is a person whom the business knows, for the table of who vouches. */
const EXTERNAL = '`detail.external_id` is set, or staff merged two users';

const Identity = z
  .looseObject({ type: z.string(), value: z.string() })
  .or(z.looseObject({}).transform(() => undefined));

/** An address or number that was added to a user. */
const addedTo = ({ event }: Event): string[] => {
  const { data } = Identity.safeParse(event?.identity ?? event?.current);
  if (data?.type === 'email') return [`email:${data.value}`];
  return data?.type === 'phone_number' ? phoneIdentifiers(data.value) : [];
};

const staff: ReadonlySet<string> = new Set(['agent', 'admin']);

/** Agents are users too, but not customers. */
const user = (whole: Event): Draft | undefined => {
  const { id, time, type, event, detail } = whole;
  if (detail === undefined || staff.has(detail.role ?? '')) return undefined;
  const other = type === 'zen:event-type:user.merged' ? event?.user?.id : undefined;
  return {
    ...base,
    key: id,
    kind: 'contact-update',
    identifiers: [
      ...new Set([
        `zendesk:${detail.id}`,
        ...(detail.external_id ? [`user-id:${detail.external_id}`] : []),
        ...(detail.email ? [`email:${detail.email}`] : []),
        ...addedTo(whole),
      ]),
    ],
    ...(other && other !== detail.id && { becomes: [`zendesk:${other}`] }),
    vouched: Boolean(detail.external_id) || other !== undefined,
    ...defined({ occurredAt: readTime(time) }),
    ...(detail.name && { profile: { name: { full: detail.name } } }),
  };
};

const rating = (event: Event): DecodedInteraction | undefined => {
  const customer = event.detail?.requester_id;
  return customer
    ? {
        ...base,
        key: event.id,
        kind: 'form',
        identifiers: [`zendesk:${customer}`],
        conversationId: event.detail?.id ?? '',
        ...defined({ occurredAt: readTime(event.time) }),
        properties: { rating: typeof event.event?.current === 'string' ? event.event.current : null },
      }
    : undefined;
};

/** A person solves a ticket; Zendesk closes it some days later. */
const solved = ({ id, time, event, detail }: Event): DecodedInteraction | undefined => {
  const now = event?.current;
  if (typeof now !== 'string' || now.toLowerCase() !== 'solved' || !detail?.requester_id) return undefined;
  return {
    ...base,
    direction: 'system',
    key: id,
    kind: 'system',
    identifiers: [`zendesk:${detail.requester_id}`],
    conversationId: detail.id,
    ...defined({ occurredAt: readTime(time) }),
    properties: { status: 'closed' },
  };
};

const acts: Readonly<Record<string, (event: Event) => Draft | undefined>> = {
  'zen:event-type:ticket.created': created,
  'zen:event-type:ticket.comment_added': comment,
  'zen:event-type:ticket.csat_received': rating,
  'zen:event-type:ticket.status_changed': solved,
  'zen:event-type:user.created': user,
  'zen:event-type:user.name_changed': user,
  'zen:event-type:user.external_id_changed': user,
  'zen:event-type:user.details_changed': user,
  'zen:event-type:user.identity_created': user,
  'zen:event-type:user.identity_changed': user,
  'zen:event-type:user.merged': user,
};

const fromTrigger = (body: Uint8Array, custom: z.infer<typeof Custom>): DecodedInteraction => ({
  ...base,
  key: `trigger:${custom.ticket_id}:${custom.updated_at ?? ''}:${sha256Hex(body).slice(0, 16)}`,
  kind: 'message',
  identifiers: [
    ...(custom.requester_email ? [`email:${custom.requester_email}`] : []),
    ...phoneIdentifiers(custom.requester_phone),
  ],
  conversationId: custom.ticket_id,
  ...defined({
    text: custom.latest_comment ?? undefined,
    subject: custom.title ?? undefined,
    occurredAt: readTime(custom.updated_at),
  }),
  ...(custom.requester_name && { profile: { name: { full: custom.requester_name } } }),
});

const decode = ({ body }: Delivery): Drafts => {
  const json = parsePayload(body);
  const custom = Custom.safeParse(json);
  if (custom.success) return { interactions: [fromTrigger(body, custom.data)], ignored: [] };
  const { type } = Named.parse(json);
  const act = Object.hasOwn(acts, type) ? acts[type]?.(Event.parse(json)) : undefined;
  return act === undefined ? { interactions: [], ignored: [type] } : { interactions: [act], ignored: [] };
};

export const zendesk = channelMapping({
  id: 'zendesk',
  channels: ['chat'],
  kinds: ['message', 'echo', 'form', 'contact-update', 'system'],
  vouching: [
    {
      field: 'detail.id of a user',
      type: 'zendesk',
      on: { kinds: ['contact-update'] },
      proof: { provenIf: EXTERNAL },
      why: 'an account of the business stands behind the user',
    },
    typed(
      'author.id, requester_id',
      'zendesk',
      'Zendesk finds the user of a ticket by the address that a form or a mail names. `proof: { zendesk: proven }` if only people who have signed in can write',
    ),
    {
      field: 'detail.external_id',
      type: 'user-id',
      proof: 'proven',
      why: 'only the business sets it: by the API or by signed sign-in',
    },
    typed('detail.email, requester_email', 'email', 'an event does not say whether the address was verified'),
    typed('requester_phone, value of an identity', 'phone'),
  ],
  decode,
});
