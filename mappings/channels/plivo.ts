// https://docs.plivo.com/docs/messaging/api/message/handling-incoming
// Numbers arrive without the plus. Each part of a long message has its own MessageUUID and names the message by
// ParentMessageUUID. The times of Plivo have no offset.

import * as z from 'zod';
import { defined, entryOf, msisdn, parseForm, parseJson, parseQuery } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { calledNumber, callerNumber, sentFrom } from '../../core/webhooks/vouching.ts';

const Text = VendorId.nullish();

const Payload = z.looseObject({
  MessageUUID: Text,
  ParentMessageUUID: Text,
  CallUUID: Text,
  RequestUUID: Text,
  From: Text,
  To: Text,
  Type: Text,
  Text,
  Body: Text,
  Status: Text,
  ErrorCode: Text,
  ContentType: Text,
  MimeType: Text,
  MessageIntent: Text,
  ProfileName: Text,
  ButtonPayload: Text,
  ButtonText: Text,
  ContextMessageUUID: Text,
  CallStatus: Text,
  Event: Text,
  Direction: Text,
  Digits: Text,
  Speech: Text,
  HangupCause: Text,
  STIRVerification: Text,
  STIRAttestation: Text,
  RecordUrl: Text,
  RecordFile: Text,
  RecordingID: Text,
});
type Payload = z.infer<typeof Payload>;

const statuses: ReadonlySet<string> = new Set([
  'queued',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'rejected',
  'read',
]);

const phones = (number: string | null | undefined): string[] => {
  const phone = msisdn(number?.replace(/^sip:/u, '').split('@')[0]);
  return phone === undefined ? [] : [`phone:${phone}`];
};

/** On WhatsApp the number is the id too. */
const peopleOf = (payload: Payload, number: string | null | undefined): string[] => {
  const known = phones(number);
  return channelOf(payload) === 'whatsapp'
    ? [...known.map((phone) => phone.replace('phone:+', 'whatsapp:')), ...known]
    : known;
};

const channelOf = ({ Type }: Payload): 'sms' | 'whatsapp' | 'rcs' =>
  Type === 'whatsapp' || Type === 'rcs' ? Type : 'sms';

const attachments = (payload: Payload): NonNullable<DecodedInteraction['attachments']> =>
  Object.entries(payload).flatMap(([name, value]) =>
    /^Media\d{1,2}$/u.test(name) && typeof value === 'string' && value !== ''
      ? [defined({ url: value, contentType: payload.MimeType || undefined, keep: true as const })]
      : [],
  );

/** Whether a request has the content of a message: also an empty text is one. Some callbacks name neither content nor status. */
const hasContent = (payload: Payload): boolean =>
  [payload.Text, payload.Body, payload.ContentType, payload.ButtonText, payload.ButtonPayload].some(
    (one) => typeof one === 'string',
  ) || attachments(payload).length > 0;

/** The standard keywords of opt-out and opt-in, as Plivo reports them. */
const intents: Readonly<Record<string, 'opt-out' | 'opt-in'>> = { optout: 'opt-out', optin: 'opt-in' };

const message = (payload: Payload, id: string): DecodedInteraction => {
  const files = attachments(payload);
  const button = payload.ButtonPayload ?? undefined;
  return defined({
    key: id,
    externalId: id,
    kind:
      entryOf(intents, payload.MessageIntent?.toLowerCase()) ??
      (button === undefined && payload.ContentType !== 'button' ? 'message' : 'postback'),
    channel: channelOf(payload),
    direction: 'inbound' as const,
    identifiers: peopleOf(payload, payload.From),
    text: payload.Text ?? payload.Body ?? payload.ButtonText ?? '',
    refersTo: payload.ContextMessageUUID ?? undefined,
    profile: payload.ProfileName ? { name: { full: payload.ProfileName } } : undefined,
    attachments: files.length > 0 ? files : undefined,
    properties: button === undefined ? undefined : { payload: button },
  });
};

const status = (payload: Payload, id: string, name: string): DecodedInteraction => ({
  key: `${id}:${name}`,
  externalId: id,
  kind: name === 'read' ? 'read' : 'delivery-status',
  channel: channelOf(payload),
  direction: name === 'read' ? 'inbound' : 'outbound',
  identifiers: peopleOf(payload, payload.To),
  refersTo: payload.ParentMessageUUID || id,
  properties: defined({ status: name, errorCode: payload.ErrorCode || undefined }),
});

const call = (payload: Payload, id: string): Draft => {
  const outbound = payload.Direction === 'outbound';
  const recording = payload.RecordUrl || payload.RecordFile || undefined;
  const stage = payload.CallStatus || payload.Event || 'in-progress';
  const act = [payload.Event, payload.CallStatus, payload.Digits, payload.RecordingID].filter(Boolean);
  return defined({
    key: [id, ...act].join(':'),
    externalId: id,
    kind: 'call' as const,
    channel: 'voice' as const,
    direction: outbound ? ('outbound' as const) : ('inbound' as const),
    identifiers: phones(outbound ? payload.To : payload.From),
    vouched: payload.STIRVerification === 'Verified' && payload.STIRAttestation === 'A',
    text: payload.Speech || undefined,
    attachments: recording === undefined ? undefined : [{ url: recording, keep: true as const }],
    properties: defined({
      status: stage,
      digits: payload.Digits || undefined,
      hangupCause: payload.HangupCause || undefined,
    }),
  });
};

const fieldsOf = ({ method, url, headers, body }: Delivery): unknown => {
  if (method === 'GET') return parseQuery(new URL(url).search);
  return headers['content-type']?.startsWith('application/json') === true ? parseJson(body) : parseForm(body);
};

const decode = (delivery: Delivery): Drafts => {
  const payload = Payload.parse(fieldsOf(delivery));
  const [id, name] = [payload.MessageUUID, payload.Status?.toLowerCase()];
  if (id && name && statuses.has(name)) return { interactions: [status(payload, id, name)], ignored: [] };
  if (id && name && name !== 'received') return { interactions: [], ignored: [`message status ${name}`] };
  if (id && payload.From && (name === 'received' || hasContent(payload)))
    return { interactions: [message(payload, id)], ignored: [] };
  const callId = payload.CallUUID || payload.RequestUUID;
  if (callId) return { interactions: [call(payload, callId)], ignored: [] };
  return { interactions: [], ignored: ['callback without content'] };
};

export const plivo = channelMapping({
  id: 'plivo',
  channels: ['sms', 'whatsapp', 'rcs', 'voice'],
  kinds: ['message', 'postback', 'opt-in', 'opt-out', 'delivery-status', 'read', 'call'],
  vouching: [
    calledNumber('To'),
    callerNumber('From of a call', '`STIRVerification` is Verified and `STIRAttestation` is A'),
    sentFrom('From', 'phone'),
    sentFrom('From', 'whatsapp'),
  ],
  decode,
});
