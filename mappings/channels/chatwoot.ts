// https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks
// `sender` is the person only if its type is `contact`; otherwise it is an agent or a bot, and `contact` is the person.

import * as z from 'zod';
import { Json } from '../../core/formats/json.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Person = z.looseObject({
  id: VendorId.nullish(),
  name: Text,
  email: Text,
  phone_number: Text,
  identifier: Text,
  type: Text,
});
type Person = z.infer<typeof Person>;
const File = z.looseObject({ data_url: Text, file_type: Text, file_size: z.int().nonnegative().nullish() });
const Verified = z.looseObject({ hmac_verified: z.boolean().nullish() }).nullish();
const Meta = z.looseObject({ sender: Person.nullish(), hmac_verified: z.boolean().nullish() }).nullish();
const Payload = Person.extend({
  event: z.string(),
  content: Text,
  created_at: z.union([z.string(), z.number()]).nullish(),
  updated_at: z.union([z.string(), z.number()]).nullish(),
  message_type: z.union([z.string(), z.number()]).nullish(),
  private: z.boolean().nullish(),
  content_attributes: z
    .looseObject({ deleted: z.boolean().nullish(), submitted_values: Json.optional() })
    .nullish(),
  sender: Person.nullish(),
  contact: Person.nullish(),
  conversation: z
    .looseObject({
      id: VendorId.nullish(),
      meta: Meta,
      contact_inbox: Verified,
    })
    .nullish(),
  attachments: z.array(File).nullish(),
  // In an event that concerns the conversation itself.
  status: Text,
  meta: Meta,
  contact_inbox: Verified,
  timestamp: z.union([z.string(), z.number()]).nullish(),
});
type Payload = z.infer<typeof Payload>;

/** When Chatwoot vouches for a visitor, for the table of who vouches. */
const VERIFIED = '`hmac_verified` of the conversation is true';

const identifiersOf = ({ id, email, phone_number, identifier }: Person): string[] => [
  ...(id ? [`chatwoot:${id}`] : []),
  ...(identifier ? [`user-id:${identifier}`] : []),
  ...(email ? [`email:${email}`] : []),
  ...phoneIdentifiers(phone_number),
];

const named = ({ name }: Person): Pick<DecodedInteraction, 'profile'> =>
  name ? { profile: { name: { full: name } } } : {};

const direction = (type: Payload['message_type']): 'inbound' | 'outbound' | undefined => {
  if (type === 'incoming' || type === 0) return 'inbound';
  return type === 'outgoing' || type === 1 || type === 'template' || type === 3 ? 'outbound' : undefined;
};

const message = (payload: Payload): DecodedInteraction | undefined => {
  const way = direction(payload.message_type);
  const { id, sender, contact, conversation, content, content_attributes, message_type } = payload;
  if (way === undefined || payload.private === true || !id) return undefined;
  const inbound = way === 'inbound';
  const isContact = sender?.type === 'contact' || (sender?.type === undefined && contact === undefined);
  const person = (inbound && isContact ? sender : (contact ?? conversation?.meta?.sender)) ?? {};
  // Templates are greetings and questions of Chatwoot itself.
  const isBot =
    !inbound && (sender?.type === 'agent_bot' || message_type === 'template' || message_type === 3);
  const deleted = content_attributes?.deleted === true;
  const changed = payload.event === 'message_updated';
  // Every change of state arrives as an update; only a deletion and a submitted form are interactions.
  const answers = changed && !deleted ? content_attributes?.submitted_values : undefined;
  if (answers !== undefined && answers !== null)
    return {
      key: `message:${id}:answers`,
      kind: 'form',
      channel: 'chat',
      direction: 'inbound',
      identifiers: identifiersOf(contact ?? conversation?.meta?.sender ?? {}),
      externalId: id,
      refersTo: id,
      ...defined({ conversationId: conversation?.id ?? undefined, occurredAt: readTime(payload.updated_at) }),
      properties: { fields: answers },
    };
  if (changed && !deleted) return undefined;
  const attachments = (payload.attachments ?? []).map(({ data_url, file_type, file_size }) =>
    defined({ url: data_url ?? undefined, name: file_type ?? undefined, size: file_size ?? undefined }),
  );
  return {
    key: deleted ? `message:${id}:delete` : `message:${id}`,
    kind: deleted ? 'delete' : inbound ? 'message' : 'echo',
    channel: 'chat',
    direction: way,
    identifiers: identifiersOf(person),
    externalId: id,
    ...(deleted && { refersTo: id }),
    ...defined({
      text: deleted ? undefined : (content ?? undefined),
      conversationId: conversation?.id ?? undefined,
      occurredAt: readTime(deleted ? payload.updated_at : payload.created_at),
    }),
    ...(attachments.length > 0 && !deleted && { attachments }),
    ...(inbound && named(person)),
    ...(isBot && { properties: { automated: true } }),
  };
};

const contact = (payload: Payload): DecodedInteraction | undefined => {
  const when = payload.updated_at ?? payload.created_at;
  return payload.id
    ? {
        key: `${payload.event}:${payload.id}:${when ?? ''}`,
        kind: 'contact-update',
        channel: 'chat',
        direction: 'inbound',
        identifiers: identifiersOf(payload),
        ...defined({ occurredAt: readTime(when) }),
        ...named(payload),
      }
    : undefined;
};

const resolved = ({ id, status, meta, ...times }: Payload): DecodedInteraction | undefined => {
  const when = times.updated_at ?? times.timestamp;
  if (status !== 'resolved' || !id || !meta?.sender) return undefined;
  return {
    key: `conversation:${id}:resolved:${when ?? ''}`,
    kind: 'system',
    channel: 'chat',
    direction: 'system',
    identifiers: identifiersOf(meta.sender),
    conversationId: id,
    ...defined({ occurredAt: readTime(when) }),
    properties: { status: 'closed' },
  };
};

const acts: Readonly<Record<string, (payload: Payload) => DecodedInteraction | undefined>> = {
  message_created: message,
  message_updated: message,
  conversation_status_changed: resolved,
  contact_created: contact,
  contact_updated: contact,
};

const decode = ({ body }: Delivery): Drafts => {
  const payload = Payload.parse(parseJson(body));
  const act = Object.hasOwn(acts, payload.event) ? acts[payload.event]?.(payload) : undefined;
  const about = payload.conversation ?? payload;
  const vouched = about.contact_inbox?.hmac_verified === true || about.meta?.hmac_verified === true;
  return act === undefined
    ? { interactions: [], ignored: [payload.event] }
    : { interactions: [{ ...act, vouched }], ignored: [] };
};

export const chatwoot = channelMapping({
  id: 'chatwoot',
  channels: ['chat'],
  kinds: ['message', 'echo', 'delete', 'form', 'contact-update', 'system'],
  vouching: [
    {
      field: 'id of the contact',
      type: 'chatwoot',
      proof: { provenIf: VERIFIED },
      why: 'Chatwoot finds a contact by what a visitor types; an inbox with identity validation knows who has signed in',
    },
    {
      field: 'identifier',
      type: 'user-id',
      proof: { provenIf: VERIFIED },
      why: 'a page sets it; with identity validation the business signs it',
    },
    typed('email', 'email', 'the signature of identity validation does not cover it'),
    typed('phone_number', 'phone', 'the signature of identity validation does not cover it'),
  ],
  decode,
});
