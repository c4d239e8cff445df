// https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
// `message.data` is one event as base64 JSON. An event's messageId is that of the agent's message to which it refers; events
// of Google itself (a message expired) name the person as phoneNumber.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, entryOf, parseJson, readTime } from '../../core/formats/payload.ts';
import { e164 } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { sentFrom } from '../../core/webhooks/vouching.ts';

const Envelope = z.looseObject({
  message: z.looseObject({ data: z.string(), publishTime: z.string().nullish() }),
});

const Text = z.string().nullish();

const File = z.looseObject({
  mimeType: Text,
  fileUri: Text,
  fileName: Text,
  fileSizeBytes: z.union([z.number(), z.string()]).nullish(),
});

const Act = z.looseObject({
  senderPhoneNumber: Text,
  phoneNumber: Text,
  messageId: Text,
  eventId: Text,
  eventType: Text,
  sendTime: Text,
  text: Text,
  agentId: Text,
  userFile: z.looseObject({ payload: File.nullish() }).nullish(),
  location: JsonObject.nullish(),
  suggestionResponse: z.looseObject({ text: Text, postbackData: Text, type: Text }).nullish(),
});
type Act = z.infer<typeof Act>;

type Event = readonly [DecodedInteraction['direction'], DecodedInteraction['kind'], string];
const events: Readonly<Record<string, Event>> = {
  DELIVERED: ['outbound', 'delivery-status', 'delivered'],
  READ: ['inbound', 'read', 'read'],
  SUBSCRIBE: ['inbound', 'opt-in', 'subscribed'],
  UNSUBSCRIBE: ['inbound', 'opt-out', 'unsubscribed'],
  TTL_EXPIRATION_REVOKED: ['outbound', 'delivery-status', 'expired'],
  TTL_EXPIRATION_REVOKE_FAILED: ['outbound', 'delivery-status', 'expired-not-revoked'],
};

const identifiers = (act: Act): string[] => {
  const phone = e164(act.senderPhoneNumber ?? act.phoneNumber ?? '');
  return phone === undefined ? [] : [`phone:${phone}`];
};

const event = (act: Act, at: string | undefined): DecodedInteraction | undefined => {
  const [direction, kind, status] = entryOf(events, act.eventType) ?? [];
  if (direction === undefined || kind === undefined || status === undefined) return undefined;
  return defined({
    key: act.eventId || `${act.messageId ?? identifiers(act)[0]}:${act.eventType}:${act.sendTime ?? ''}`,
    kind,
    channel: 'rcs' as const,
    direction,
    identifiers: identifiers(act),
    externalId: act.messageId || undefined,
    refersTo: act.messageId || undefined,
    occurredAt: at,
    properties: { status },
  });
};

const message = (act: Act, id: string, at: string | undefined): DecodedInteraction => {
  const [file, answer] = [act.userFile?.payload, act.suggestionResponse];
  const size = Number(file?.fileSizeBytes ?? Number.NaN);
  return defined({
    key: id,
    externalId: id,
    kind: answer ? ('postback' as const) : ('message' as const),
    channel: 'rcs' as const,
    direction: 'inbound' as const,
    identifiers: identifiers(act),
    occurredAt: at,
    text: act.text ?? answer?.text ?? '',
    attachments: file?.fileUri
      ? [
          defined({
            url: file.fileUri,
            keep: true as const,
            name: file.fileName ?? undefined,
            contentType: file.mimeType ?? undefined,
            size: Number.isSafeInteger(size) && size >= 0 ? size : undefined,
          }),
        ]
      : undefined,
    properties:
      answer?.postbackData || act.location
        ? defined({ payload: answer?.postbackData ?? undefined, location: act.location ?? undefined })
        : undefined,
  });
};

const decode = (delivery: Delivery): Drafts => {
  const { message: outer } = Envelope.parse(parseJson(delivery.body));
  const act = Act.parse(parseJson(Buffer.from(outer.data, 'base64')));
  const at = readTime(act.sendTime ?? outer.publishTime ?? undefined);
  const interaction = act.eventType || !act.messageId ? event(act, at) : message(act, act.messageId, at);
  return interaction === undefined
    ? { interactions: [], ignored: [act.eventType || 'message of another type'] }
    : { interactions: [interaction], ignored: [] };
};

export const rbm = channelMapping({
  id: 'rbm',
  channels: ['rcs'],
  kinds: ['message', 'postback', 'opt-in', 'opt-out', 'delivery-status', 'read'],
  vouching: [sentFrom('senderPhoneNumber, phoneNumber', 'phone')],
  decode,
});
