// https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks
// `data.id` identifies an event and survives a retry and the failover address. `cc` lists the other members of a group, who
// did not write the message. Later stages of a call have no direction, and so do not show which number is the customer's:
// they name the leg, and the first stage has the leg's id, so that they refer to it.

import * as z from 'zod';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, entryOf, parseJson, readTime } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { e164 } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { calledNumber, callerNumber, sentFrom } from '../../core/webhooks/vouching.ts';

const Text = VendorId.nullish();

const Recipient = z.looseObject({ phone_number: Text, status: Text });
const Party = z.union([z.string(), Recipient]).nullish();

const File = z
  .looseObject({
    url: Text,
    file_uri: Text,
    content_type: Text,
    mime_type: Text,
    file_name: Text,
    size: z.number().nullish(),
  })
  .nullish();

const Reply = z.looseObject({ id: Text, title: Text }).nullish();

const Body = z
  .looseObject({
    text: z.union([z.string(), z.looseObject({ body: Text })]).nullish(),
    interactive: z
      .looseObject({
        button_reply: Reply,
        list_reply: Reply,
        nfm_reply: z.looseObject({ body: Text }).nullish(),
      })
      .nullish(),
    button: z.looseObject({ text: Text, payload: Text }).nullish(),
    suggestion_response: z.looseObject({ text: Text, postback_data: Text }).nullish(),
    user_file: z.looseObject({ payload: File }).nullish(),
    location: JsonObject.nullish(),
  })
  .nullish();

/** A recording has an address in one format or in several; the others are null. */
const Urls = z.record(z.string(), z.string().nullish()).nullish();

const Payload = z.looseObject({
  id: Text,
  type: Text,
  direction: Text,
  from: Party,
  to: z.union([z.string(), z.array(Party), Recipient]).nullish(),
  text: Text,
  subject: Text,
  media: z.array(File).nullish(),
  body: Body,
  autoresponse_type: Text,
  received_at: Text,
  errors: z.array(z.looseObject({ code: Text, title: Text, detail: Text })).nullish(),
  call_session_id: Text,
  call_leg_id: Text,
  hangup_cause: Text,
  shaken_stir_attestation: Text,
  shaken_stir_validated: z.boolean().nullish(),
  digit: Text,
  digits: Text,
  result: Text,
  recording_urls: Urls,
  public_recording_urls: Urls,
  transcription_text: Text,
  transcription_data: z
    .looseObject({
      transcript: Text,
      confidence: z.number().nullish(),
      is_final: z.boolean().nullish(),
      transcription_track: Text,
    })
    .nullish(),
});
type Payload = z.infer<typeof Payload>;

const Named = z.looseObject({ data: z.looseObject({ event_type: z.string() }) });
const Webhook = z.looseObject({
  data: z.looseObject({
    id: z.string(),
    event_type: z.string(),
    occurred_at: Text,
    payload: z.unknown().optional(),
  }),
});
type Event = z.infer<typeof Webhook>['data'];

const phones = (party: z.infer<typeof Party>): string[] => {
  const phone = e164((typeof party === 'string' ? party : party?.phone_number) ?? '');
  return phone === undefined ? [] : [`phone:${phone}`];
};

/** On WhatsApp the number is the id too. */
const peopleOf = (payload: Payload, party: z.infer<typeof Party>): string[] => {
  const known = phones(party);
  return channelOf(payload) === 'whatsapp'
    ? [...known.map((phone) => phone.replace('phone:+', 'whatsapp:')), ...known]
    : known;
};

const channelOf = ({ type }: Payload): 'sms' | 'rcs' | 'whatsapp' => {
  const name = type?.toLowerCase();
  return name === 'rcs' || name === 'whatsapp' ? name : 'sms';
};

const fileOf = (file: z.infer<typeof File>): NonNullable<DecodedInteraction['attachments']> => {
  const url = file?.url ?? file?.file_uri;
  if (!url) return [];
  return [
    defined({
      url,
      keep: true as const,
      name: file?.file_name ?? undefined,
      contentType: file?.content_type ?? file?.mime_type ?? undefined,
      size: Number.isSafeInteger(file?.size) && Number(file?.size) >= 0 ? Number(file?.size) : undefined,
    }),
  ];
};

const consent: Readonly<Record<string, 'opt-out' | 'opt-in'>> = {
  opt_out: 'opt-out',
  stop: 'opt-out',
  opt_in: 'opt-in',
  start: 'opt-in',
};

const message = (event: Event, payload: Payload): DecodedInteraction => {
  const { body } = payload;
  const choice = body?.interactive?.button_reply ?? body?.interactive?.list_reply;
  const answer =
    body?.suggestion_response ??
    (body?.button && { text: body.button.text, postback_data: body.button.payload }) ??
    (choice && { text: choice.title, postback_data: choice.id });
  const files = [...(payload.media ?? []), body?.user_file?.payload].flatMap(fileOf);
  const inner = typeof body?.text === 'string' ? body.text : body?.text?.body;
  return defined({
    key: event.id,
    externalId: payload.id ?? undefined,
    kind: entryOf(consent, payload.autoresponse_type?.toLowerCase()) ?? (answer ? 'postback' : 'message'),
    channel: channelOf(payload),
    direction: 'inbound' as const,
    identifiers: peopleOf(payload, payload.from),
    occurredAt: readTime(payload.received_at ?? event.occurred_at ?? undefined),
    text: payload.text ?? inner ?? answer?.text ?? '',
    subject: payload.subject || undefined,
    attachments: files.length > 0 ? files : undefined,
    properties:
      answer?.postback_data || body?.location
        ? defined({ payload: answer?.postback_data ?? undefined, location: body?.location ?? undefined })
        : undefined,
  });
};

const recipients = ({ to }: Payload): readonly z.infer<typeof Party>[] => (Array.isArray(to) ? to : [to]);

const statuses = (event: Event, payload: Payload): DecodedInteraction[] => {
  const listed = recipients(payload);
  const [error] = payload.errors ?? [];
  return listed.map((to, position) => {
    const name =
      (typeof to === 'object' && to?.status) || event.event_type.slice(event.event_type.indexOf('.') + 1);
    const read = name === 'read' || name === 'seen';
    return defined({
      key: listed.length > 1 ? `${event.id}:${position}` : event.id,
      externalId: payload.id ?? undefined,
      kind: read ? ('read' as const) : ('delivery-status' as const),
      channel: channelOf(payload),
      direction: read ? ('inbound' as const) : ('outbound' as const),
      identifiers: peopleOf(payload, to),
      refersTo: payload.id ?? undefined,
      occurredAt: readTime(event.occurred_at ?? undefined),
      properties: defined({
        status: name,
        errorCode: error?.code ?? undefined,
        error: error?.detail ?? error?.title ?? undefined,
      }),
    });
  });
};

const stages: Readonly<Record<string, string>> = {
  'call.initiated': 'ringing',
  'call.answered': 'answered',
  'call.bridged': 'bridged',
  'call.hangup': 'ended',
  'call.recording.saved': 'recorded',
  'call.recording.transcription.saved': 'transcribed',
  'call.transcription': 'transcribed',
  'call.dtmf.received': 'digits',
  'call.gather.ended': 'digits',
  'call.machine.detection.ended': 'machine-detection',
  'call.machine.premium.detection.ended': 'machine-detection',
};

const call = (event: Event, payload: Payload, stage: string): Draft => {
  const [to] = recipients(payload);
  const spoken = payload.transcription_data;
  // A sentence of a transcription names whose words it has, instead of the direction of the call.
  const direction = payload.direction ?? spoken?.transcription_track;
  const inbound = direction === 'incoming' || direction === 'inbound';
  const known = Boolean(direction);
  const recordings = [payload.recording_urls, payload.public_recording_urls]
    .map((urls) => Object.values(urls ?? {}).flatMap((url) => url || []))
    .find((urls) => urls.length > 0);
  const leg = payload.call_leg_id ?? undefined;
  const isFirst = event.event_type === 'call.initiated' && leg !== undefined;
  return defined({
    key: isFirst ? leg : event.id,
    refersTo: isFirst ? undefined : leg,
    externalId: payload.call_session_id ?? payload.call_leg_id ?? undefined,
    conversationId: payload.call_session_id ?? undefined,
    kind: 'call' as const,
    channel: 'voice' as const,
    direction: known ? (inbound ? ('inbound' as const) : ('outbound' as const)) : ('system' as const),
    identifiers: known ? phones(inbound ? payload.from : to) : [],
    text: spoken?.transcript ?? payload.transcription_text ?? undefined,
    vouched: payload.shaken_stir_validated === true && payload.shaken_stir_attestation === 'A',
    occurredAt: readTime(event.occurred_at ?? undefined),
    attachments: recordings?.map((url) => ({ url, keep: true as const })),
    properties: defined({
      status: stage,
      hangupCause: payload.hangup_cause ?? undefined,
      digits: payload.digits ?? payload.digit ?? undefined,
      result: payload.result ?? undefined,
      confidence: spoken?.confidence ?? undefined,
    }),
  });
};

const decode = (delivery: Delivery): Drafts => {
  const json = parseJson(delivery.body);
  const name = Named.parse(json).data.event_type;
  const none: Drafts = { interactions: [], ignored: [name] };
  const stage = entryOf(stages, name);
  const isMessage = /^message\.(?:received|queued|sent|sending|delivered|read|failed|finalized)$/u.test(name);
  // Events of other types have other members.
  if (stage === undefined && !isMessage) return none;
  const event = Webhook.parse(json).data;
  if (stage !== undefined) {
    const payload = Payload.parse(event.payload);
    // What a caller is still saying; the words are sent again when the sentence has ended.
    if (payload.transcription_data?.is_final === false) return none;
    return { interactions: [call(event, payload, stage)], ignored: [] };
  }
  if (name === 'message.received') {
    const payload = Payload.parse(event.payload);
    return payload.direction === 'outbound' ? none : { interactions: [message(event, payload)], ignored: [] };
  }
  return { interactions: statuses(event, Payload.parse(event.payload)), ignored: [] };
};

export const telnyx = channelMapping({
  id: 'telnyx',
  channels: ['sms', 'rcs', 'whatsapp', 'voice'],
  kinds: ['message', 'postback', 'opt-in', 'opt-out', 'delivery-status', 'read', 'call'],
  vouching: [
    calledNumber('to'),
    callerNumber('from of a call', '`shaken_stir_validated` is true and `shaken_stir_attestation` is A'),
    sentFrom('from.phone_number', 'phone'),
    sentFrom('from.phone_number', 'whatsapp'),
  ],
  decode,
});
