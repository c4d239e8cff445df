// https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
// `webhookEventId` survives a redelivery; the reply token does not. In groups and rooms LINE names only those senders who
// have agreed to it. A sticker of the type MESSAGE has the words that its sender wrote on it; the text of others is the
// picture's. Several edits of a message may arrive out of order; the latest has the largest timestamp.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, entryOf, instantOf, parsePayload, urlPart } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';
import { platformUser } from '../../core/webhooks/vouching.ts';

const Text = z.string().optional();

const Message = z.looseObject({
  id: z.string(),
  type: z.string(),
  text: Text,
  quotedMessageId: Text,
  fileName: Text,
  fileSize: z.int().nonnegative().optional(),
  contentProvider: z.looseObject({ originalContentUrl: Text }).optional(),
  stickerId: Text,
  stickerResourceType: Text,
  title: Text,
  address: Text,
  latitude: z.number().optional(),
  longitude: z.number().optional(),
});
type Message = z.infer<typeof Message>;

const Details = JsonObject.optional();

const Event = z.looseObject({
  type: z.string(),
  webhookEventId: z.string().min(1),
  timestamp: z.number(),
  source: z.looseObject({ userId: Text, groupId: Text, roomId: Text }).optional(),
  message: Message.optional(),
  unsend: z.looseObject({ messageId: z.string() }).optional(),
  follow: z.looseObject({ isUnblocked: z.boolean().optional() }).optional(),
  postback: z.looseObject({ data: Text, params: Details }).optional(),
  delivery: z.looseObject({ data: Text }).optional(),
  link: z.looseObject({ result: z.string(), nonce: Text }).optional(),
  beacon: Details,
  membership: Details,
  videoPlayComplete: Details,
});
type Event = z.infer<typeof Event>;

const Named = z.looseObject({ type: z.string() });
const Payload = z.looseObject({ events: z.array(z.unknown()).default([]) });

type Act = Partial<DecodedInteraction> & Pick<DecodedInteraction, 'kind'>;

const fileTypes: readonly string[] = ['image', 'video', 'audio', 'file'];

/** A file stored at LINE is fetched by the id of its message; LINE deletes it after some weeks. */
const attachmentOf = (message: Message): NonNullable<DecodedInteraction['attachments']> => {
  const { id, type, fileName, fileSize, contentProvider } = message;
  if (type === 'sticker') return [{ name: 'sticker' }];
  if (!fileTypes.includes(type)) return [];
  const elsewhere = contentProvider?.originalContentUrl;
  if (elsewhere !== undefined) return [defined({ name: fileName ?? type, size: fileSize, url: elsewhere })];
  const content = `https://api-data.line.me/v2/bot/message/${urlPart(id)}/content`;
  return [
    defined({
      name: fileName ?? type,
      size: fileSize,
      externalId: id,
      url: type === 'video' || type === 'audio' ? `${content}/transcoding` : content,
      keep: true as const,
    }),
  ];
};

const messageOf = (message: Message): Act => {
  const { id, type, text, quotedMessageId: refersTo, title, address, latitude, longitude } = message;
  const attachments = attachmentOf(message);
  const hasOwnWords = type === 'sticker' && message.stickerResourceType === 'MESSAGE';
  return {
    kind: 'message',
    externalId: id,
    ...defined({ refersTo, text: type === 'text' || hasOwnWords ? text : undefined }),
    ...(attachments.length > 0 && { attachments }),
    ...(message.stickerId !== undefined && { properties: { sticker: message.stickerId } }),
    ...(type === 'location' && {
      properties: { location: defined({ title, address, latitude, longitude }) },
    }),
  };
};

const behaviour = (name: string, details: z.infer<typeof Details>): Act => ({
  kind: 'behaviour',
  properties: { ...details, name },
});

/** The interaction of each type of event; undefined if it lacks a member that LINE documents. */
const acts: Readonly<Record<string, (event: Event) => Act | undefined>> = {
  message: ({ message }) => message && messageOf(message),
  messageEdited: ({ message }) => message && { ...messageOf(message), kind: 'edit', refersTo: message.id },
  unsend: ({ unsend }) =>
    unsend && { kind: 'delete', externalId: unsend.messageId, refersTo: unsend.messageId },
  follow: ({ follow }) => ({
    kind: 'opt-in',
    properties: { unblocked: follow?.isUnblocked === true },
  }),
  unfollow: () => ({ kind: 'opt-out' }),
  postback: ({ postback }) =>
    postback && {
      kind: 'postback',
      properties: defined({ payload: postback.data, params: postback.params }),
    },
  accountLink: ({ link }) =>
    link && { kind: 'contact-update', properties: defined({ result: link.result, nonce: link.nonce }) },
  delivery: ({ delivery }) => ({
    kind: 'delivery-status',
    direction: 'outbound',
    ...defined({ refersTo: delivery?.data }),
    properties: { status: 'delivered' },
  }),
  beacon: ({ beacon }) => behaviour('beacon', beacon),
  membership: ({ membership }) => behaviour('membership', membership),
  videoPlayComplete: ({ videoPlayComplete }) => behaviour('videoPlayComplete', videoPlayComplete),
};

const interactionOf = (event: Event): DecodedInteraction | undefined => {
  const act = entryOf(acts, event.type)?.(event);
  if (act === undefined) return undefined;
  const { userId, groupId, roomId } = event.source ?? {};
  return {
    key: event.webhookEventId,
    channel: 'line',
    direction: 'inbound',
    identifiers: userId ? [`line:${userId}`] : [],
    ...defined({ occurredAt: instantOf(event.timestamp), conversationId: groupId ?? roomId ?? userId }),
    ...act,
  };
};

const decode = (delivery: Delivery): Drafts => {
  const { events } = Payload.parse(parsePayload(delivery.body));
  return decodeMembers(delivery, membersOf(events, 'events'), (one) => {
    const { type } = Named.parse(one);
    // Events of other types have other members.
    if (entryOf(acts, type) === undefined) return { interactions: [], ignored: [type] };
    const event = Event.parse(one);
    const interaction = interactionOf(event);
    return interaction ? { interactions: [interaction] } : { interactions: [], ignored: [event.type] };
  });
};

export const line = channelMapping({
  id: 'line',
  channels: ['line'],
  kinds: [
    'message',
    'edit',
    'delete',
    'opt-in',
    'opt-out',
    'postback',
    'contact-update',
    'delivery-status',
    'behaviour',
  ],
  vouching: [platformUser('source.userId', 'line')],
  decode,
});
