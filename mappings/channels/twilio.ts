import * as z from 'zod';
import type { ChannelMapping, Decoded, Delivery } from '../../core/channel.ts';
import { e164 } from '../../core/identity.ts';
import type { DecodedInteraction } from '../../core/interaction.ts';
import { parseForm } from '../../core/payload.ts';

// MessageSid survives a redelivery and is the id that status callbacks name. Twilio gives no time at all: the time of
// receipt stands in. +266696687 ("anonymous" on a keypad) is a caller who withholds the number.

const Payload = z.looseObject({
  MessageSid: z.string().optional(),
  SmsSid: z.string().optional(),
  CallSid: z.string().optional(),
  From: z.string().optional(),
  To: z.string().optional(),
  Caller: z.string().optional(),
  Direction: z.string().optional(),
  Body: z.string().optional(),
  ProfileName: z.string().optional(),
  ExternalUserId: z.string().optional(),
  MessageStatus: z.string().optional(),
  SmsStatus: z.string().optional(),
  CallStatus: z.string().optional(),
  OptOutType: z.string().optional(),
  ErrorCode: z.string().optional(),
  ButtonPayload: z.string().optional(),
  NumMedia: z.string().optional(),
  OriginalRepliedMessageSid: z.string().optional(),
  RecordingUrl: z.string().optional(),
  SpeechResult: z.string().optional(),
});
type Payload = z.infer<typeof Payload>;

const media = (payload: Payload): DecodedInteraction['attachments'] => {
  const count = Math.min(Number(payload.NumMedia ?? 0) || 0, 10);
  return Array.from({ length: count }, (_, at) => {
    const [url, contentType] = [payload[`MediaUrl${at}`], payload[`MediaContentType${at}`]];
    return {
      ...(typeof url === 'string' && { url }),
      ...(typeof contentType === 'string' && { contentType }),
    };
  });
};

const WITHHELD = '+266696687';

/** The person behind an address; nobody for a short code, a client name or a withheld number. */
const identifiersOf = (address: string | undefined, payload: Payload): string[] => {
  const number = e164((address ?? '').replace(/^(?:whatsapp|rcs|sip):/u, ''));
  const scoped = payload.ExternalUserId === undefined ? [] : [`whatsapp-user:${payload.ExternalUserId}`];
  if (number === undefined || number === WITHHELD) return scoped;
  return address?.startsWith('whatsapp:') === true
    ? [`whatsapp:${number.slice(1)}`, `phone:${number}`, ...scoped]
    : [`phone:${number}`];
};

const channelOf = ({ From = '', To = '' }: Payload): 'sms' | 'whatsapp' | 'rcs' => {
  const address = [From, To].find((one) => /^(?:whatsapp|rcs):/u.test(one)) ?? '';
  return address.startsWith('whatsapp:') ? 'whatsapp' : address.startsWith('rcs:') ? 'rcs' : 'sms';
};

const optOut: Readonly<Record<string, 'opt-out' | 'opt-in'>> = { STOP: 'opt-out', START: 'opt-in' };
const statusKinds: Readonly<Record<string, 'read'>> = { read: 'read' };
const statuses: ReadonlySet<string> = new Set([
  'accepted',
  'scheduled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'canceled',
  'partially_delivered',
  'read',
]);

const message = (payload: Payload, id: string): DecodedInteraction => {
  const referral = Object.entries(payload).filter(
    ([name, value]) => name.startsWith('Referral') && typeof value === 'string',
  );
  const attachments = media(payload);
  const kind =
    optOut[payload.OptOutType ?? ''] ?? (payload.ButtonPayload === undefined ? 'message' : 'postback');
  return {
    key: id,
    externalId: id,
    kind,
    channel: channelOf(payload),
    direction: 'inbound',
    identifiers: identifiersOf(payload.From, payload),
    text: payload.Body ?? '',
    ...(payload.OriginalRepliedMessageSid !== undefined && { refersTo: payload.OriginalRepliedMessageSid }),
    ...(attachments && attachments.length > 0 && { attachments }),
    ...(payload.ProfileName !== undefined && { profile: { name: { full: payload.ProfileName } } }),
    ...((referral.length > 0 || payload.ButtonPayload !== undefined) && {
      properties: {
        ...Object.fromEntries(referral.map(([name, value]) => [name, String(value)])),
        ...(payload.ButtonPayload !== undefined && { payload: payload.ButtonPayload }),
      },
    }),
  };
};

const status = (payload: Payload, id: string, name: string): DecodedInteraction => ({
  key: `${id}:${name}`,
  externalId: id,
  kind: statusKinds[name] ?? 'delivery-status',
  channel: channelOf(payload),
  direction: name === 'read' ? 'inbound' : 'outbound',
  identifiers: identifiersOf(payload.To, payload),
  refersTo: id,
  properties: { status: name, ...(payload.ErrorCode !== undefined && { errorCode: payload.ErrorCode }) },
});

const call = (payload: Payload, id: string): DecodedInteraction => {
  const outbound = payload.Direction?.startsWith('outbound') === true;
  const stage =
    payload.CallStatus ??
    (payload['Digits'] === undefined ? 'in-progress' : `digits-${String(payload['Digits'])}`);
  return {
    key: `${id}:${stage}`,
    externalId: id,
    kind: 'call',
    channel: 'voice',
    direction: outbound ? 'outbound' : 'inbound',
    identifiers: identifiersOf(outbound ? payload.To : (payload.From ?? payload.Caller), payload),
    ...(payload.SpeechResult !== undefined && { text: payload.SpeechResult }),
    ...(payload.RecordingUrl !== undefined && { attachments: [{ url: payload.RecordingUrl }] }),
    properties: { status: stage },
  };
};

const decode = (delivery: Delivery): Decoded => {
  const form =
    delivery.method === 'GET'
      ? Object.fromEntries(new URL(delivery.url).searchParams)
      : parseForm(delivery.body);
  const payload = Payload.parse(form);
  const id = payload.MessageSid ?? payload.SmsSid;
  if (id !== undefined) {
    const name = payload.MessageStatus ?? payload.SmsStatus ?? 'received';
    if (statuses.has(name)) return { interactions: [status(payload, id, name)], ignored: [] };
    if (payload.From !== undefined) return { interactions: [message(payload, id)], ignored: [] };
  }
  if (payload.CallSid !== undefined) return { interactions: [call(payload, payload.CallSid)], ignored: [] };
  return { interactions: [], ignored: ['callback without MessageSid or CallSid'] };
};

export const twilio: ChannelMapping = {
  id: 'twilio',
  channels: ['sms', 'whatsapp', 'rcs', 'voice'],
  kinds: ['message', 'postback', 'opt-in', 'opt-out', 'delivery-status', 'read', 'call'],
  decode,
};
