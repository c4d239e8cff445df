// https://docs.bird.com/api/notifications-api/api-reference/webhooks
// An inbound message has the status "delivered" too: the name of the event decides its kind, not the status.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { JsonObject } from '../../core/formats/json.ts';
import { parseMailboxes } from '../../core/formats/mail/mailboxes.ts';
import { defined, entryOf, parseJson, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { e164 } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { joinedList, leftList, platformUser, sentFrom, typed } from '../../core/webhooks/vouching.ts';

const Text = VendorId.nullish();

const Contact = z.looseObject({
  id: Text,
  identifierKey: Text,
  identifierValue: Text,
  annotations: z.looseObject({ name: Text }).nullish(),
});
type Contact = z.infer<typeof Contact>;

const Written = z
  .looseObject({ text: Text, html: Text, metadata: z.looseObject({ subject: Text }).nullish() })
  .nullish();
const File = z.looseObject({ mediaUrl: z.string().nullish(), filename: Text, contentType: Text });

/** Events of other services have other shapes. */
const Webhook = z.looseObject({ event: z.string(), payload: z.unknown().optional() });

const Payload = z.looseObject({
  id: Text,
  messageId: Text,
  channelId: Text,
  type: Text,
  details: Text,
  sender: z.looseObject({ contact: Contact.nullish() }).nullish(),
  receiver: z.looseObject({ contact: Contact.nullish(), contacts: z.array(Contact).nullish() }).nullish(),
  contact: Contact.nullish(),
  body: z
    .looseObject({
      type: Text,
      text: Written,
      html: Written,
      image: z.looseObject({ text: Text, images: z.array(File).nullish() }).nullish(),
      file: z.looseObject({ text: Text, files: z.array(File).nullish() }).nullish(),
      location: JsonObject.nullish(),
    })
    .nullish(),
  replyTo: z.looseObject({ id: Text }).nullish(),
  metadata: z
    .looseObject({
      link: z.looseObject({ url: Text }).nullish(),
      button: z.looseObject({ payload: Text, text: Text }).nullish(),
    })
    .nullish(),
  status: Text,
  reason: Text,
  failure: z.looseObject({ code: Text, description: Text }).nullish(),
  lastStatusAt: Text,
  createdAt: Text,
});
type Payload = z.infer<typeof Payload>;
type Medium = DecodedInteraction['channel'];

const media: Readonly<Record<string, Medium>> = {
  sms: 'sms',
  mms: 'sms',
  rcs: 'rcs',
  whatsapp: 'whatsapp',
  email: 'email',
  line: 'line',
  instagram: 'instagram',
  facebook: 'messenger',
  viber: 'viber',
  telegram: 'telegram',
  tiktok: 'tiktok',
  apple: 'apple',
  linkedin: 'chat',
  livechat: 'chat',
};

/** Events are named by the platform, some with more than its name: `google-rcs`, `apple-messages`. */
const mediumOf = (platform: string): Medium =>
  entryOf(media, platform) ?? Object.entries(media).find(([name]) => platform.includes(name))?.[1] ?? 'chat';

/** Platforms whose ids are valid everywhere; ids of the others are valid for one page, which is a channel of Bird. */
const global: ReadonlySet<string> = new Set(['telegram', 'line', 'viber', 'tiktok', 'apple']);

const identifiersOf = (medium: Medium, contact: Contact | null | undefined, payload: Payload): string[] => {
  if (!contact) return [];
  const { id, identifierKey: key, identifierValue: value } = contact;
  const own = id ? [`bird:${id}`] : [];
  if (!value) return own;
  if (key === 'phonenumber') {
    const phone = e164(value.startsWith('+') ? value : `+${value}`);
    if (phone === undefined) return own;
    return medium === 'whatsapp'
      ? [`whatsapp:${phone.slice(1)}`, `phone:${phone}`, ...own]
      : [`phone:${phone}`, ...own];
  }
  if (key === 'emailaddress') return [...parseMailboxes(value).map((one) => `email:${one.address}`), ...own];
  if (medium === 'messenger' || medium === 'instagram')
    return [`${medium}:${payload.channelId ?? ''}:${value}`, ...own];
  return [...(global.has(medium) ? [`${medium}:${value}`] : []), ...own];
};

const message = (medium: Medium, payload: Payload): DecodedInteraction | undefined => {
  const { id, body } = payload;
  if (!id) return undefined;
  const contact = payload.sender?.contact;
  const files = [...(body?.image?.images ?? []), ...(body?.file?.files ?? [])].flatMap((one) =>
    one.mediaUrl
      ? [
          defined({
            url: one.mediaUrl,
            keep: true as const,
            name: one.filename ?? undefined,
            contentType: one.contentType ?? undefined,
          }),
        ]
      : [],
  );
  const text =
    body?.text?.text ??
    body?.html?.text ??
    (body?.html?.html && textOfHtml(body.html.html)) ??
    body?.image?.text ??
    body?.file?.text ??
    undefined;
  const name = contact?.annotations?.name;
  return defined({
    key: id,
    externalId: id,
    kind: 'message' as const,
    channel: medium,
    direction: 'inbound' as const,
    identifiers: identifiersOf(medium, contact, payload),
    text,
    subject: body?.html?.metadata?.subject ?? body?.text?.metadata?.subject ?? undefined,
    occurredAt: readTime(payload.createdAt ?? undefined),
    refersTo: payload.replyTo?.id ?? undefined,
    profile: name ? { name: { full: name } } : undefined,
    attachments: files.length > 0 ? files : undefined,
    properties: defined({ type: body?.type ?? undefined, location: body?.location ?? undefined }),
  });
};

const receiversOf = ({ receiver }: Payload): (Contact | undefined)[] => {
  const all = receiver?.contacts ?? (receiver?.contact ? [receiver.contact] : []);
  return all.length > 0 ? all : [undefined];
};

const HARD = /hard.?bounce|invalid.?recipient|unknown.?user/iu;

const statuses = (medium: Medium, payload: Payload): DecodedInteraction[] => {
  const { id, status } = payload;
  if (!id || !status) return [];
  const reason = [payload.reason, payload.failure?.description, payload.details].find((one) => one);
  const hard = medium === 'email' && status === 'delivery_failed' && HARD.test(reason ?? '');
  const receivers = receiversOf(payload);
  return receivers.map((contact) =>
    defined({
      key: receivers.length > 1 ? `${id}:${status}:${contact?.identifierValue}` : `${id}:${status}`,
      externalId: id,
      refersTo: id,
      kind: hard ? ('bounce' as const) : ('delivery-status' as const),
      channel: medium,
      direction: 'outbound' as const,
      identifiers: identifiersOf(medium, contact, payload),
      occurredAt: readTime(payload.lastStatusAt ?? payload.createdAt ?? undefined),
      properties: defined({
        status,
        reason: reason ?? undefined,
        errorCode: payload.failure?.code ?? undefined,
      }),
    }),
  );
};

const interactions: Readonly<Record<string, DecodedInteraction['kind']>> = {
  opened: 'open',
  clicked: 'click',
  read: 'read',
  'reported-as-spam': 'complaint',
  'unsubscribe-request': 'opt-out',
};

const interaction = (medium: Medium, payload: Payload): DecodedInteraction | undefined => {
  const { id, type, metadata, messageId } = payload;
  const known = entryOf(interactions, type);
  if (known === undefined) return undefined;
  const kind = known === 'click' && metadata?.button ? 'postback' : known;
  const [receiver] = receiversOf(payload);
  const contact = payload.contact ?? payload.sender?.contact ?? receiver;
  return defined({
    key: id ?? `${messageId}:${type}:${payload.createdAt}`,
    externalId: messageId ?? undefined,
    refersTo: messageId ?? undefined,
    kind,
    channel: medium,
    direction: 'inbound' as const,
    identifiers: identifiersOf(medium, contact, payload),
    text: metadata?.button?.text ?? undefined,
    occurredAt: readTime(payload.createdAt ?? undefined),
    properties: defined({
      detail: payload.details ?? undefined,
      url: metadata?.link?.url ?? undefined,
      payload: metadata?.button?.payload ?? undefined,
    }),
  });
};

const decode = ({ body }: Delivery): Drafts => {
  const { event, payload: inner } = Webhook.parse(parseJson(body));
  const [, platform = '', what] = /^(.+)\.(inbound|outbound|interactions?)$/u.exec(event) ?? [];
  if (what === undefined) return { interactions: [], ignored: [event] };
  const payload = Payload.parse(inner);
  const medium = mediumOf(platform);
  const found =
    what === 'inbound'
      ? [message(medium, payload)]
      : what === 'outbound'
        ? statuses(medium, payload)
        : [interaction(medium, payload)];
  const known = found.filter((one) => one !== undefined);
  return { interactions: known, ignored: known.length > 0 ? [] : [event] };
};

export const bird = channelMapping({
  id: 'bird',
  channels: [
    'sms',
    'rcs',
    'whatsapp',
    'email',
    'line',
    'instagram',
    'messenger',
    'viber',
    'telegram',
    'tiktok',
    'apple',
    'chat',
  ],
  kinds: [
    'message',
    'postback',
    'delivery-status',
    'read',
    'open',
    'click',
    'bounce',
    'complaint',
    'opt-out',
  ],
  vouching: [
    leftList('contact.identifierValue (emailaddress)'),
    joinedList('contact.identifierValue (emailaddress)'),
    sentFrom('contact.identifierValue (phonenumber)', 'phone', { channels: ['sms', 'rcs', 'whatsapp'] }),
    sentFrom('contact.identifierValue (phonenumber)', 'whatsapp'),
    typed('contact.identifierValue (phonenumber)', 'phone', 'on other channels it is a field of the contact'),
    ...(['messenger', 'instagram', 'telegram', 'line', 'viber', 'tiktok', 'apple'] as const).map((platform) =>
      platformUser('contact.identifierValue', platform),
    ),
    typed('contact.id', 'bird', 'Bird finds the contact by the address that a mail or a visitor names', {
      channels: ['email', 'chat'],
    }),
    platformUser('contact.id', 'bird'),
  ],
  decode,
});
