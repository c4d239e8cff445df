// https://resend.com/docs/dashboard/webhooks/event-types
// `svix-id` survives a redelivery and is the only id of an event. A mail to several recipients has them all in `to`, without
// the one that opened, clicked, complained or bounced: then the event belongs to no customer.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { JsonObject } from '../../core/formats/json.ts';
import { refusesSender } from '../../core/formats/mail/bounce.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Content, Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { markAutomated } from '../../core/webhooks/received-mail.ts';
import { joinedList, leftList, typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();

const Payload = z.looseObject({
  type: Text,
  created_at: Text,
  data: z
    .looseObject({
      id: Text,
      email_id: Text,
      created_at: Text,
      from: Text,
      to: z.union([z.string(), z.array(z.string())]).nullish(),
      subject: Text,
      message_id: Text,
      attachments: z
        .array(
          z.looseObject({
            id: Text,
            filename: Text,
            content_type: Text,
            size: z.int().nonnegative().nullish(),
          }),
        )
        .nullish(),
      bounce: z
        .looseObject({
          type: Text,
          subType: Text,
          message: Text,
          diagnosticCode: z.union([z.string(), z.array(z.string())]).nullish(),
        })
        .nullish(),
      failed: z.looseObject({ reason: Text }).nullish(),
      suppressed: z.looseObject({ type: Text, message: Text }).nullish(),
      click: z.looseObject({ link: Text }).nullish(),
      email: Text,
      first_name: Text,
      last_name: Text,
      unsubscribed: z.boolean().nullish(),
      audience_id: Text,
    })
    .nullish(),
});
type Payload = z.infer<typeof Payload>;
type Fields = NonNullable<Payload['data']>;

type Act = readonly [DecodedInteraction['direction'], DecodedInteraction['kind'], string];

const acts: Readonly<Record<string, Act>> = {
  'email.scheduled': ['outbound', 'delivery-status', 'scheduled'],
  'email.sent': ['outbound', 'delivery-status', 'sent'],
  'email.delivered': ['outbound', 'delivery-status', 'delivered'],
  'email.delivery_delayed': ['outbound', 'delivery-status', 'deferred'],
  'email.failed': ['outbound', 'delivery-status', 'failed'],
  'email.suppressed': ['outbound', 'delivery-status', 'suppressed'],
  'email.bounced': ['outbound', 'bounce', 'bounced'],
  'email.complained': ['inbound', 'complaint', 'complained'],
  'email.opened': ['inbound', 'open', 'opened'],
  'email.clicked': ['inbound', 'click', 'clicked'],
};
const soft: Act = ['outbound', 'delivery-status', 'soft-bounced'];

const mailboxes = (list: Fields['to']) => [list ?? []].flat().flatMap(parseMailboxes);

const reports = (
  type: string,
  { created_at: at }: Payload,
  data: Fields,
  delivery: string | undefined,
): DecodedInteraction[] => {
  const known = acts[type];
  if (known === undefined) return [];
  const isSoft =
    known[1] === 'bounce' &&
    (/^(?:transient|temporary|undetermined)$/iu.test(data.bounce?.type ?? '') ||
      refusesSender(data.bounce?.message, ...[data.bounce?.diagnosticCode ?? []].flat()));
  const [direction, kind, status] = isSoft ? soft : known;
  const all = mailboxes(data.to).map(({ address }) => address);
  const isOfOne = kind !== 'delivery-status' || isSoft;
  const people = all.length === 1 || (!isOfOne && all.length > 0) ? all : [undefined];
  const id = data.email_id || undefined;
  return people.map((address) => {
    const event = delivery ?? `${id}:${type}:${at}`;
    return defined({
      key: people.length > 1 ? `${event}:${address}` : event,
      kind,
      channel: 'email' as const,
      direction,
      identifiers: address === undefined ? [] : [`email:${address}`],
      externalId: id,
      refersTo: id,
      occurredAt: readTime(at ?? data.created_at ?? undefined),
      properties: defined({
        status,
        type: data.bounce?.type ?? data.suppressed?.type ?? undefined,
        subtype: data.bounce?.subType ?? undefined,
        reason: data.bounce?.message ?? data.failed?.reason ?? data.suppressed?.message ?? undefined,
        url: data.click?.link ?? undefined,
      }),
    });
  });
};

const API = 'https://api.resend.com/emails/receiving';

/** The webhook has no body: it is fetched. */
const received = (
  { created_at: at }: Payload,
  data: Fields,
  delivery: string | undefined,
): DecodedInteraction => {
  const [from] = parseMailboxes(data.from ?? '');
  const id = data.email_id || undefined;
  const files = (data.attachments ?? []).map((file) =>
    defined({
      name: file.filename ?? undefined,
      contentType: file.content_type ?? undefined,
      size: file.size ?? undefined,
      externalId: file.id ?? undefined,
      ...(id && file.id && { url: `${API}/${id}/attachments/${file.id}`, keep: true as const }),
    }),
  );
  const message: DecodedInteraction = defined({
    key: id ?? delivery ?? `${data.message_id}`,
    kind: 'message' as const,
    channel: 'email' as const,
    direction: 'inbound' as const,
    identifiers: from === undefined ? [] : [`email:${from.address}`],
    externalId: data.message_id || id,
    occurredAt: readTime(at ?? data.created_at ?? undefined),
    subject: data.subject ?? undefined,
    profile: from?.name === undefined ? undefined : { name: { full: from.name } },
    attachments: files.length > 0 ? files : undefined,
    fetch: id === undefined ? undefined : { url: `${API}/${id}` },
  });
  return markAutomated(message, { headers: [], from: from?.address });
};

/** A contact of an audience: a person who unsubscribed there gets no broadcasts, but still gets transactional mail. */
const contact = (
  type: string,
  { created_at: at }: Payload,
  data: Fields,
  delivery: string | undefined,
): DecodedInteraction => {
  const left = type === 'contact.updated' && data.unsubscribed === true;
  const name = defined({ first: data.first_name || undefined, last: data.last_name || undefined });
  return defined({
    key: delivery ?? `${data.id}:${type}:${at}`,
    kind: left ? ('opt-out' as const) : ('contact-update' as const),
    channel: 'email' as const,
    direction: left ? ('inbound' as const) : ('system' as const),
    identifiers: parseMailboxes(data.email ?? '').map(({ address }) => `email:${address}`),
    occurredAt: readTime(at ?? undefined),
    profile: Object.keys(name).length > 0 ? { name } : undefined,
    properties: defined({
      status: type.slice('contact.'.length),
      scope: left ? 'marketing' : undefined,
      unsubscribed: data.unsubscribed ?? undefined,
      audience: data.audience_id ?? undefined,
    }),
  });
};

const decode = ({ headers, body }: Delivery): Drafts => {
  const payload = Payload.parse(parseJson(body));
  const { type, data } = payload;
  const delivery = headers['svix-id'];
  const ignored: Drafts = { interactions: [], ignored: [type ?? 'no type'] };
  if (!type || !data) return ignored;
  const interactions =
    type === 'email.received'
      ? [received(payload, data, delivery)]
      : /^contact\.(?:created|updated|deleted)$/u.test(type)
        ? [contact(type, payload, data, delivery)]
        : reports(type, payload, data, delivery);
  return interactions.length > 0 ? { interactions, ignored: [] } : ignored;
};

const Mail = z.looseObject({
  text: Text,
  html: Text,
  headers: JsonObject.nullish(),
});

const complete = (interaction: DecodedInteraction, { bytes }: Content): DecodedInteraction => {
  const mail = Mail.parse(parseJson(bytes));
  const repliedTo = Object.entries(mail.headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'in-reply-to',
  )?.[1];
  const headers = Object.entries(mail.headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, value }] : [],
  );
  const whole: DecodedInteraction = {
    ...interaction,
    text: mail.text?.trim() ? mail.text : textOfHtml(mail.html ?? ''),
    ...(typeof repliedTo === 'string' && { refersTo: repliedTo }),
  };
  return markAutomated(whole, { headers });
};

export const resend = channelMapping({
  id: 'resend',
  channels: ['email'],
  kinds: ['message', 'delivery-status', 'bounce', 'complaint', 'open', 'click', 'opt-out', 'contact-update'],
  vouching: [
    typed('from', 'email', 'Resend reports no verdict about the author of a mail', { kinds: ['message'] }),
    leftList('data.email'),
    joinedList('data.email'),
  ],
  decode,
  complete,
});
