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
    })
    .optional(),
  detail: z
    .looseObject({
      id: VendorId,
      requester_id: VendorId.nullish(),
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

const comment = ({ id, time, event, detail }: Event): DecodedInteraction | undefined => {
  const said = event?.comment;
  if (said === undefined || said.is_public === false || detail === undefined) return undefined;
  const byStaff = said.author?.is_staff === true;
  const customer = byStaff ? detail.requester_id : said.author?.id;
  return {
    ...base,
    ...(byStaff && { direction: 'outbound' as const }),
    key: id,
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
const EXTERNAL = '`detail.external_id` is set';

const staff: ReadonlySet<string> = new Set(['agent', 'admin']);

/** Agents are users too, but not customers. */
const user = ({ id, time, detail }: Event): Draft | undefined =>
  detail === undefined || staff.has(detail.role ?? '')
    ? undefined
    : {
        ...base,
        key: id,
        kind: 'contact-update',
        identifiers: [
          `zendesk:${detail.id}`,
          ...(detail.external_id ? [`user-id:${detail.external_id}`] : []),
          ...(detail.email ? [`email:${detail.email}`] : []),
        ],
        vouched: Boolean(detail.external_id),
        ...defined({ occurredAt: readTime(time) }),
        ...(detail.name && { profile: { name: { full: detail.name } } }),
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
    typed('requester_phone', 'phone'),
  ],
  decode,
});
