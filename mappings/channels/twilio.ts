// https://www.twilio.com/docs/messaging/guides/webhook-request
// MessageSid survives a redelivery and is the id in status callbacks, which may name statuses that are not documented.
// Messages have no time: the time of receipt is used. The callbacks of a recording and of a transcription name their call and
// no person. +266696687 ("anonymous" on a keypad) is a withheld number.

import * as z from 'zod';
import { defined, entryOf, jsonWithin, memberOf, parseForm, readTime } from '../../core/formats/payload.ts';
import { e164 } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { calledNumber, callerNumber, platformUser, sentFrom } from '../../core/webhooks/vouching.ts';

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
  MessageType: z.string().optional(),
  ButtonPayload: z.string().optional(),
  ButtonText: z.string().optional(),
  ListTitle: z.string().optional(),
  NumMedia: z.string().optional(),
  Latitude: z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/u)
    .optional()
    .catch(undefined),
  Longitude: z
    .string()
    .regex(/^-?\d+(?:\.\d+)?$/u)
    .optional()
    .catch(undefined),
  Address: z.string().optional(),
  OriginalRepliedMessageSid: z.string().optional(),
  ListId: z.string().optional(),
  ParentCallSid: z.string().optional(),
  RecordingSid: z.string().optional(),
  RecordingStatus: z.string().optional(),
  RecordingUrl: z.string().optional(),
  RecordingDuration: z.string().optional(),
  TranscriptionSid: z.string().optional(),
  TranscriptionText: z.string().optional(),
  TranscriptionEvent: z.string().optional(),
  TranscriptionData: z.string().optional(),
  SequenceId: z.string().optional(),
  Track: z.string().optional(),
  Final: z.string().optional(),
  SpeechResult: z.string().optional(),
  StableSpeechResult: z.string().optional(),
  UnstableSpeechResult: z.string().optional(),
  Digits: z.string().optional(),
  Timestamp: z.string().optional(),
  StirVerstat: z.string().optional(),
});
type Payload = z.infer<typeof Payload>;

const media = (payload: Payload): DecodedInteraction['attachments'] => {
  const count = Math.min(Number(payload.NumMedia ?? 0) || 0, 10);
  return Array.from({ length: count }, (_, at) => {
    const [url, contentType] = [payload[`MediaUrl${at}`], payload[`MediaContentType${at}`]];
    return {
      ...(typeof url === 'string' && { url, keep: true as const }),
      ...(typeof contentType === 'string' && { contentType }),
    };
  });
};

const WITHHELD = '+266696687';

/** The person of an address; undefined for a short code, a client name or a withheld number. */
const identifiersOf = (address: string | undefined, payload: Payload): string[] => {
  const [user, page] = [address, address === payload.From ? payload.To : payload.From].map(
    (one) => /^messenger:(\w+)$/u.exec(one ?? '')?.[1],
  );
  if (user !== undefined) return page === undefined ? [] : [`messenger:${page}:${user}`];
  const number = e164((address ?? '').replace(/^(?:whatsapp|rcs|sip):/u, ''));
  const scoped = payload.ExternalUserId === undefined ? [] : [`whatsapp-user:${payload.ExternalUserId}`];
  if (number === undefined || number === WITHHELD) return scoped;
  return address?.startsWith('whatsapp:') === true
    ? [`whatsapp:${number.slice(1)}`, `phone:${number}`, ...scoped]
    : [`phone:${number}`];
};

const schemes = ['whatsapp', 'rcs', 'messenger'] as const;

const channelOf = ({ From, To }: Payload): 'sms' | (typeof schemes)[number] =>
  schemes.find((scheme) => [From, To].some((one) => one?.startsWith(`${scheme}:`))) ?? 'sms';

const optOut: Readonly<Record<string, 'opt-out' | 'opt-in'>> = { STOP: 'opt-out', START: 'opt-in' };
/** Statuses of a message to the business; every other one reports on a message of the business. */
const inbound: ReadonlySet<string> = new Set(['received', 'receiving']);

/** Whether a request without a status has the content of a message: also an empty text is one. */
const hasContent = ({ Body, NumMedia, ButtonText, ButtonPayload, Latitude }: Payload): boolean =>
  [Body, NumMedia, ButtonText, ButtonPayload, Latitude].some((one) => one !== undefined);

/** A button or list choice; WhatsApp names a quick reply without a payload by its text alone. */
const isChoice = ({ ButtonPayload, ButtonText, ListId, ListTitle, MessageType }: Payload): boolean =>
  [ButtonPayload, ButtonText, ListId, ListTitle].some((one) => one !== undefined) ||
  MessageType === 'button' ||
  MessageType === 'interactive';

const message = (payload: Payload, id: string): DecodedInteraction => {
  const referral = Object.entries(payload).filter(
    ([name, value]) => name.startsWith('Referral') && typeof value === 'string',
  );
  const attachments = media(payload);
  const choice = payload.ButtonPayload ?? payload.ListId;
  const kind = entryOf(optOut, payload.OptOutType) ?? (isChoice(payload) ? 'postback' : 'message');
  const { Latitude, Longitude, Address } = payload;
  return {
    key: id,
    externalId: id,
    kind,
    channel: channelOf(payload),
    direction: 'inbound',
    identifiers: identifiersOf(payload.From, payload),
    text: payload.Body || (payload.ButtonText ?? payload.ListTitle ?? ''),
    ...(payload.OriginalRepliedMessageSid !== undefined && { refersTo: payload.OriginalRepliedMessageSid }),
    ...(attachments && attachments.length > 0 && { attachments }),
    ...(payload.ProfileName !== undefined && { profile: { name: { full: payload.ProfileName } } }),
    ...((referral.length > 0 || choice !== undefined || Latitude !== undefined) && {
      properties: {
        ...Object.fromEntries(referral.map(([name, value]) => [name, String(value)])),
        ...(choice !== undefined && { payload: choice }),
        ...(Latitude !== undefined && {
          location: defined({ latitude: Number(Latitude), longitude: Number(Longitude), address: Address }),
        }),
      },
    }),
  };
};

const status = (payload: Payload, id: string, name: string): DecodedInteraction => ({
  key: `${id}:${name}`,
  externalId: id,
  kind: name === 'read' ? 'read' : 'delivery-status',
  channel: channelOf(payload),
  direction: name === 'read' ? 'inbound' : 'outbound',
  identifiers: identifiersOf(payload.To, payload),
  refersTo: id,
  properties: { status: name, ...(payload.ErrorCode !== undefined && { errorCode: payload.ErrorCode }) },
});

/** The caller's carrier signed that the number is the caller's. A call that was diverted on its way has another value. */
const isAttested = ({ StirVerstat }: Payload): boolean => StirVerstat === 'TN-Validation-Passed-A';

/** The other leg of a forwarded call: the person who answers it may be an agent. */
const isOtherLeg = ({ Direction, ParentCallSid }: Payload): boolean =>
  Direction === 'outbound-dial' && ParentCallSid !== undefined;

/** The result of a call: a recording, or its transcript. */
const recordOf = (payload: Payload, id: string): Draft => {
  const { RecordingSid, RecordingStatus, RecordingUrl, TranscriptionSid, Direction } = payload;
  const inbound = Direction === undefined || Direction === 'inbound';
  return {
    key: [id, RecordingSid, RecordingStatus, TranscriptionSid].filter(Boolean).join(':'),
    externalId: id,
    kind: 'call',
    channel: 'voice',
    direction: inbound ? 'inbound' : 'outbound',
    identifiers: isOtherLeg(payload)
      ? []
      : identifiersOf(inbound ? (payload.From ?? payload.Caller) : payload.To, payload),
    vouched: isAttested(payload),
    refersTo: payload.ParentCallSid ?? id,
    ...defined({ text: payload.TranscriptionText }),
    // The address has no content before the recording is complete.
    ...(RecordingUrl !== undefined && {
      attachments: [
        { url: RecordingUrl, ...(payload.RecordingStatus === 'completed' && { keep: true as const }) },
      ],
    }),
    properties: defined({
      status: TranscriptionSid === undefined ? 'recorded' : 'transcribed',
      duration: payload.RecordingDuration,
    }),
  };
};

/**
 * A sentence of a transcription during the call. All sentences share the id of the transcription, so the key has the number
 * of the sentence. Undefined for the beginning and end of a transcription, and for words that may still change.
 */
const sentenceOf = (payload: Payload, id: string): Draft | undefined => {
  const { TranscriptionEvent, TranscriptionSid, TranscriptionData, SequenceId, Track, Final } = payload;
  if (TranscriptionEvent !== 'transcription-content' || Final === 'false') return undefined;
  const data = jsonWithin(TranscriptionData ?? '');
  const text = memberOf(data, 'transcript');
  const confidence = memberOf(data, 'confidence');
  const direction = Track === 'outbound_track' ? 'outbound' : 'inbound';
  return {
    key: [id, TranscriptionSid, SequenceId ?? payload.Timestamp].filter(Boolean).join(':'),
    externalId: id,
    kind: 'call',
    channel: 'voice',
    direction,
    identifiers: identifiersOf(direction === 'inbound' ? payload.From : payload.To, payload),
    refersTo: id,
    ...defined({
      text: typeof text === 'string' ? text : undefined,
      occurredAt: readTime(payload.Timestamp),
    }),
    properties: defined({
      status: 'transcribed',
      confidence: typeof confidence === 'number' ? confidence : undefined,
    }),
  };
};

const call = (payload: Payload, id: string): Draft => {
  const { Digits, SpeechResult, ParentCallSid } = payload;
  const outbound = payload.Direction?.startsWith('outbound') === true;
  const stage = payload.CallStatus ?? (Digits === undefined ? 'in-progress' : `digits-${Digits}`);
  // The first request of a call has the call's id as key, so that later requests refer to it.
  const isFirst = !outbound && stage === 'ringing';
  const answer = payload.CallStatus === undefined ? SpeechResult : (Digits ?? SpeechResult);
  return {
    key: isFirst ? id : [id, stage, ...(answer === undefined ? [] : [answer])].join(':'),
    externalId: id,
    kind: 'call',
    channel: 'voice',
    direction: outbound ? 'outbound' : 'inbound',
    identifiers: isOtherLeg(payload)
      ? []
      : identifiersOf(outbound ? payload.To : (payload.From ?? payload.Caller), payload),
    vouched: isAttested(payload),
    ...defined({
      text: SpeechResult,
      refersTo: isFirst ? undefined : (ParentCallSid ?? id),
      occurredAt: readTime(payload.Timestamp),
    }),
    properties: defined({ status: stage, digits: Digits }),
  };
};

const ofMessage = (payload: Payload, id: string): Draft | undefined => {
  const name = payload.MessageStatus ?? payload.SmsStatus;
  if (name !== undefined && !inbound.has(name)) return status(payload, id, name);
  return payload.From !== undefined && (name !== undefined || hasContent(payload))
    ? message(payload, id)
    : undefined;
};

const ofCall = (payload: Payload, id: string): Draft | undefined => {
  if (payload.TranscriptionEvent !== undefined) return sentenceOf(payload, id);
  // What a caller is still saying; the words are sent again when the sentence has ended.
  if ((payload.StableSpeechResult ?? payload.UnstableSpeechResult) !== undefined) return undefined;
  const after = payload.RecordingSid ?? payload.RecordingUrl ?? payload.TranscriptionSid;
  return (after === undefined ? call : recordOf)(payload, id);
};

const decode = (delivery: Delivery): Drafts => {
  const form =
    delivery.method === 'GET'
      ? Object.fromEntries(new URL(delivery.url).searchParams)
      : parseForm(delivery.body);
  const payload = Payload.parse(form);
  const id = payload.MessageSid ?? payload.SmsSid;
  const draft =
    (id && ofMessage(payload, id)) || (payload.CallSid ? ofCall(payload, payload.CallSid) : undefined);
  return draft
    ? { interactions: [draft], ignored: [] }
    : { interactions: [], ignored: [payload.TranscriptionEvent ?? 'callback without content'] };
};

export const twilio = channelMapping({
  id: 'twilio',
  channels: ['sms', 'whatsapp', 'rcs', 'messenger', 'voice'],
  kinds: ['message', 'postback', 'opt-in', 'opt-out', 'delivery-status', 'read', 'call'],
  vouching: [
    calledNumber('To'),
    callerNumber('From, Caller', '`StirVerstat` is TN-Validation-Passed-A'),
    sentFrom('From', 'phone'),
    sentFrom('From (whatsapp:)', 'whatsapp'),
    platformUser('ExternalUserId', 'whatsapp-user'),
    platformUser('From (messenger:)', 'messenger'),
  ],
  decode,
});
