// https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
// An inbound message has no time of its own: the time of SNS is used. `messageKeyword` is the keyword in the number's
// settings with which the text begins, not the text.

import * as z from 'zod';
import { consentWordIn } from '../../core/consent/consent-words.ts';
import { defined, instantOf, memberOf, msisdn } from '../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { type SnsNotification, snsNotification } from '../../core/webhooks/sns.ts';
import { calledNumber, sentFrom } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();

const Inbound = z.looseObject({
  inboundMessageId: z.string(),
  originationNumber: z.string(),
  destinationNumber: Text,
  messageKeyword: Text,
  messageBody: Text,
  previousPublishedMessageId: Text,
  mediaUrls: z.array(z.string()).nullish(),
});
type Inbound = z.infer<typeof Inbound>;

const Event = z.looseObject({
  eventType: z.string(),
  eventTimestamp: z.union([z.number(), z.string()]).nullish(),
  isFinal: z.boolean().nullish(),
  messageId: Text,
  destinationPhoneNumber: Text,
  messageStatus: Text,
  messageStatusDescription: Text,
});
type Event = z.infer<typeof Event>;

const phones = (number: string | null | undefined): string[] => {
  const phone = msisdn(number);
  return phone === undefined ? [] : [`phone:${phone}`];
};

const message = (inbound: Inbound, { publishedAt }: SnsNotification): DecodedInteraction => {
  const text = inbound.messageBody ?? '';
  // AWS itself stops sending to a person who answers with one of its words, which are among these.
  const stops = consentWordIn(text)?.means === 'stop';
  const files = (inbound.mediaUrls ?? []).map((url) => ({ url }));
  return defined({
    key: inbound.inboundMessageId,
    externalId: inbound.inboundMessageId,
    kind: stops ? ('opt-out' as const) : ('message' as const),
    channel: 'sms' as const,
    direction: 'inbound' as const,
    identifiers: phones(inbound.originationNumber),
    text,
    occurredAt: publishedAt,
    refersTo: inbound.previousPublishedMessageId || undefined,
    attachments: files.length > 0 ? files : undefined,
    properties: inbound.messageKeyword ? { keyword: inbound.messageKeyword } : undefined,
  });
};

const report = (event: Event, { id, publishedAt }: SnsNotification): DecodedInteraction | undefined => {
  const [, medium, stage] = /^(TEXT|MEDIA|VOICE)_([A-Z_]+)$/u.exec(event.eventType) ?? [];
  if (medium === undefined || stage === undefined) return undefined;
  const status = stage === 'SUCCESSFUL' ? 'sent' : stage.toLowerCase().replaceAll('_', '-');
  const message = event.messageId || undefined;
  return defined({
    key: message === undefined ? id : `${message}:${event.eventType}`,
    externalId: message,
    refersTo: message,
    kind: medium === 'VOICE' ? ('call' as const) : ('delivery-status' as const),
    channel: medium === 'VOICE' ? ('voice' as const) : ('sms' as const),
    direction: 'outbound' as const,
    identifiers: phones(event.destinationPhoneNumber),
    occurredAt: instantOf(event.eventTimestamp) ?? publishedAt,
    properties: defined({
      status,
      final: event.isFinal ?? undefined,
      detail: event.messageStatusDescription || event.messageStatus || undefined,
    }),
  });
};

const decode = ({ body }: Delivery): Drafts => {
  const notification = snsNotification(body);
  if ((memberOf(notification.message, 'inboundMessageId') ?? null) !== null)
    return { interactions: [message(Inbound.parse(notification.message), notification)], ignored: [] };
  const event = Event.safeParse(notification.message);
  const interaction = event.success ? report(event.data, notification) : undefined;
  return interaction === undefined
    ? { interactions: [], ignored: [event.data?.eventType ?? 'a message of another kind'] }
    : { interactions: [interaction], ignored: [] };
};

export const awsSms = channelMapping({
  id: 'aws-sms',
  channels: ['sms', 'voice'],
  kinds: ['message', 'opt-out', 'delivery-status', 'call'],
  vouching: [
    sentFrom('originationNumber', 'phone', { channels: ['sms'] }),
    calledNumber('destinationPhoneNumber'),
  ],
  decode,
});
