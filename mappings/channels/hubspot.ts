// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
// A notification names a record and at most one property of it. HubSpot does not guarantee that eventId alone is unique;
// with the subscription and the time it is. Types are `contact.creation` or, for generic subscriptions, `object.creation`
// with the kind of record in objectTypeId.

import * as z from 'zod';
import { type CrmChange, valueDigest } from '../../core/crm/change.ts';
import { defined, entryOf, parseJson, readTime, urlPart } from '../../core/formats/payload.ts';
import { e164, normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Content, Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';
import { sentFrom, typed, type Vouching } from '../../core/webhooks/vouching.ts';

const Id = z.union([z.number(), z.string()]).transform(String).nullish();

const Event = z.looseObject({
  eventId: Id,
  subscriptionId: Id,
  portalId: Id,
  occurredAt: z.union([z.number(), z.string()]).nullish(),
  subscriptionType: z.string(),
  objectId: Id,
  objectTypeId: Id,
  propertyName: z.string().nullish(),
  propertyValue: z.union([z.string(), z.number(), z.boolean()]).transform(String).nullish(),
  changeSource: z.string().nullish(),
  changeFlag: z.string().nullish(),
  primaryObjectId: Id,
  mergedObjectIds: z.array(z.union([z.number(), z.string()]).transform(String)).nullish(),
  newObjectId: Id,
  fromObjectId: Id,
  toObjectId: Id,
  fromObjectTypeId: Id,
  toObjectTypeId: Id,
  associationType: z.string().nullish(),
  associationRemoved: z.boolean().nullish(),
  messageId: Id,
  messageType: z.string().nullish(),
});
type Event = z.infer<typeof Event>;

const CONTACT = '0-1';
const THREADS = 'https://api.hubapi.com/conversations/v3/conversations/threads';

const types: Readonly<Record<string, string>> = {
  [CONTACT]: 'contact',
  '0-2': 'company',
  '0-3': 'deal',
  '0-5': 'ticket',
  '0-7': 'product',
  '0-8': 'line_item',
};

const acts: ReadonlySet<string> = new Set([
  'creation',
  'deletion',
  'propertyChange',
  'merge',
  'restore',
  'associationChange',
  'privacyDeletion',
]);

/** Sources of changes that staff or an import made. Other sources, among them connected apps, may write what a visitor typed. */
const staffSources: ReadonlySet<string> = new Set([
  'BATCH_UPDATE',
  'CRM_UI',
  'CRM_UI_BULK_ACTION',
  'IMPORT',
  'MERGE_CONTACTS',
  'MERGE_OBJECTS',
  'MOBILE_ANDROID',
  'MOBILE_IOS',
]);

const record = (id: string | null | undefined): string[] => (id ? [`hubspot:${id}`] : []);

/** The contact that an association joins or leaves; of two contacts neither is the other. */
const associated = (event: Event): string[] => {
  const [from, to] = (event.associationType ?? '').split('_TO_');
  if (event.fromObjectTypeId === CONTACT || from === 'CONTACT') return record(event.fromObjectId);
  return event.toObjectTypeId === CONTACT || to === 'CONTACT' ? record(event.toObjectId) : [];
};

/** The identity that a changed property adds to the contact. */
const reached = ({ propertyName, propertyValue }: Event): string[] => {
  const value = propertyValue ?? '';
  const email = propertyName === 'email' ? normaliseIdentifier(`email:${value}`) : undefined;
  const phone = propertyName === 'phone' || propertyName === 'mobilephone' ? e164(value) : undefined;
  return [...(email === undefined ? [] : [email]), ...(phone === undefined ? [] : [`phone:${phone}`])];
};

const MOST_MERGED = 10;

/** The other ids of a merge: the winner may get a new one. */
const mergedWith = ({ primaryObjectId, mergedObjectIds }: Event, id: string | null | undefined): string[] =>
  [...new Set([primaryObjectId, ...(mergedObjectIds ?? [])].flatMap(record))]
    .filter((one) => one !== `hubspot:${id}`)
    .slice(0, MOST_MERGED);

const contactActs: Readonly<Record<string, CrmChange['act']>> = {
  creation: 'created',
  propertyChange: 'changed',
  deletion: 'deleted',
  privacyDeletion: 'erased',
  merge: 'merged',
  restore: 'restored',
};

/** The objects of which the sync with HubSpot follows changes; a ticket names its contact only where it is read. */
const followed: Readonly<Record<string, string>> = { contact: 'contacts', ticket: 'tickets' };

/**
 * The change of a record. `changeSource: INTEGRATION` is every connected app: HubSpot does not say here which one, so
 * nothing is known to be the hub's own.
 */
const changeOf = (
  event: Event,
  type: string,
  act: string,
  id: string | null | undefined,
): CrmChange | undefined => {
  const [known, object] = [contactActs[act], entryOf(followed, type)];
  if (known === undefined || object === undefined || !id) return undefined;
  const at = readTime(event.occurredAt ?? undefined);
  const { propertyName: name, propertyValue, primaryObjectId, mergedObjectIds } = event;
  const former = act === 'merge' ? [primaryObjectId, ...(mergedObjectIds ?? [])] : [];
  return {
    ...{ object, id, act: known, ...(at !== undefined && { at }) },
    fields: act === 'propertyChange' && name ? { [name]: valueDigest(propertyValue) } : {},
    merged: [...new Set(former.flatMap((one) => one ?? []))].filter((one) => one !== id),
  };
};

const ofRecord = (event: Event, type: string, act: string): Draft | undefined => {
  if (!acts.has(act)) return undefined;
  const joins = act === 'associationChange';
  const isContact = type === 'contact';
  const id = (act === 'merge' ? event.newObjectId : undefined) ?? event.objectId ?? event.primaryObjectId;
  const subject = joins ? (event.fromObjectId ?? id) : id;
  return defined({
    key: keyOf(event, subject),
    kind:
      act === 'privacyDeletion'
        ? ('privacy-erasure' as const)
        : isContact && !joins
          ? ('contact-update' as const)
          : ('crm-record' as const),
    channel: 'crm' as const,
    direction: 'system' as const,
    identifiers: joins ? associated(event) : isContact ? [...record(id), ...reached(event)] : [],
    ...(isContact && act === 'merge' && { becomes: mergedWith(event, id) }),
    // Only staff merge contacts.
    vouched: act === 'merge' || staffSources.has(event.changeSource ?? ''),
    externalId: subject ?? undefined,
    occurredAt: readTime(event.occurredAt ?? undefined),
    change: joins ? undefined : changeOf(event, type, act, id),
    properties: defined({
      record: type,
      act,
      property: event.propertyName ?? undefined,
      value: event.propertyValue ?? undefined,
      source: event.changeSource ?? undefined,
      merged: event.mergedObjectIds ?? undefined,
      association: event.associationType ?? undefined,
      associated: joins ? (event.toObjectId ?? undefined) : undefined,
      removed: event.associationRemoved ?? undefined,
    }),
  });
};

const keyOf = (event: Event, subject: string | null | undefined): string =>
  [event.eventId ?? `${event.subscriptionType}:${subject}`, event.subscriptionId, event.occurredAt]
    .map((part) => part ?? '')
    .join(':');

/** HubSpot sends only the thread and the id of a message in the inbox: its text and its author are fetched. */
const ofConversation = (event: Event, act: string): DecodedInteraction | undefined => {
  if (!acts.has(act) && act !== 'newMessage') return undefined;
  const isMessage = act === 'newMessage';
  const said = isMessage && event.messageType !== 'COMMENT';
  const [thread, message] = [event.objectId, event.messageId];
  return defined({
    key: keyOf(event, event.objectId),
    kind: said
      ? ('message' as const)
      : act === 'privacyDeletion'
        ? ('privacy-erasure' as const)
        : ('crm-record' as const),
    channel: 'chat' as const,
    direction: said ? ('inbound' as const) : ('system' as const),
    identifiers: [],
    externalId: (isMessage ? event.messageId : event.objectId) ?? undefined,
    conversationId: event.objectId ?? undefined,
    occurredAt: readTime(event.occurredAt ?? undefined),
    properties: defined({
      act,
      property: event.propertyName ?? undefined,
      value: event.propertyValue ?? undefined,
    }),
    fetch:
      said && thread && message
        ? { url: `${THREADS}/${urlPart(thread)}/messages/${urlPart(message)}` }
        : undefined,
  });
};

const Text = z.string().nullish();
const Actor = z.looseObject({
  actorId: Text,
  name: Text,
  deliveryIdentifier: z.looseObject({ type: Text, value: Text }).nullish(),
});
const Said = z.looseObject({
  direction: Text,
  text: Text,
  subject: Text,
  senders: z.array(Actor).nullish(),
  recipients: z.array(Actor).nullish(),
  attachments: z.array(z.looseObject({ name: Text, url: Text })).nullish(),
});

/** An actor V-… is a contact; agents and bots have other letters. */
const identifiersOf = ({ actorId, deliveryIdentifier }: z.infer<typeof Actor>): string[] => {
  const { type, value } = deliveryIdentifier ?? {};
  const email = type === 'HS_EMAIL_ADDRESS' ? normaliseIdentifier(`email:${value ?? ''}`) : undefined;
  const phone = type === 'HS_PHONE_NUMBER' ? e164(value ?? '') : undefined;
  return [
    ...record(/^V-(\d+)$/u.exec(actorId ?? '')?.[1]),
    ...(email === undefined ? [] : [email]),
    ...(phone === undefined ? [] : [`phone:${phone}`]),
  ];
};

/** The text of a message; with several recipients it belongs to none of them. */
const complete = (interaction: DecodedInteraction, { bytes }: Content): DecodedInteraction => {
  const { direction, text, subject, senders, recipients, attachments } = Said.parse(parseJson(bytes));
  const outbound = direction === 'OUTGOING';
  const [party, ...others] = (outbound ? recipients : senders) ?? [];
  const files = (attachments ?? []).flatMap(({ name, url }) =>
    url ? [defined({ url, name: name ?? undefined, keep: true as const })] : [],
  );
  return {
    ...interaction,
    direction: outbound ? 'outbound' : 'inbound',
    identifiers: party === undefined || others.length > 0 ? [] : identifiersOf(party),
    ...defined({ text: text ?? undefined, subject: subject ?? undefined }),
    ...(files.length > 0 && { attachments: files }),
    ...(!outbound && others.length === 0 && party?.name && { profile: { name: { full: party.name } } }),
  };
};

const decode = (delivery: Delivery): Drafts => {
  const read = delivery.body.byteLength === 0 ? undefined : parseJson(delivery.body);
  // The webhooks of workflows and the requests of cards are signed alike, and contain no event.
  if (!Array.isArray(read)) return { interactions: [], ignored: ['request without events'] };
  return decodeMembers(delivery, membersOf(read), (one) => {
    const event = Event.parse(one);
    const [named = '', act = ''] = event.subscriptionType.split('.');
    const type = named === 'object' ? (types[event.objectTypeId ?? ''] ?? event.objectTypeId ?? '') : named;
    const interaction = named === 'conversation' ? ofConversation(event, act) : ofRecord(event, type, act);
    return interaction
      ? { interactions: [interaction] }
      : { interactions: [], ignored: [event.subscriptionType] };
  });
};

export const hubspot = channelMapping({
  id: 'hubspot',
  channels: ['crm', 'chat'],
  kinds: ['contact-update', 'crm-record', 'privacy-erasure', 'message'],
  vouching: [
    typed('V-… actor', 'hubspot', 'HubSpot finds the contact by the address that a visitor or a mail names', {
      channels: ['chat'],
    }),
    {
      field: 'deliveryIdentifier of a recipient',
      type: 'email',
      on: { channels: ['chat'], direction: 'outbound' },
      proof: 'proven',
      why: 'staff wrote to this address',
    },
    typed(
      'deliveryIdentifier of a sender',
      'email',
      'HubSpot reports no verdict about the author of a mail',
      { channels: ['chat'] },
    ),
    sentFrom('deliveryIdentifier', 'phone', { channels: ['chat'] }),
    ...[
      ['objectId of a contact', 'hubspot'],
      ['property email', 'email'],
      ['property phone, mobilephone', 'phone'],
    ].map(
      ([field = '', type = '']): Vouching => ({
        ...{ field, type },
        proof: { provenIf: '`changeSource` is one of staff or of an import' },
        why: 'forms, chats and connected apps write what visitors type, and find a contact by it',
      }),
    ),
  ],
  decode,
  complete,
});
