// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
// A change event may concern several records: each is an interaction, identified by transaction, sequence and record. Each
// notification of an outbound message has an id that survives the retries.

import * as z from 'zod';
import { type CrmChange, valueDigest } from '../../core/crm/change.ts';
import { HUB_CLIENT } from '../../core/crm/connector.ts';
import { JsonObject } from '../../core/formats/json.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { parseXml } from '../../core/formats/xml.ts';
import { e164, normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, membersOf } from '../../core/webhooks/members.ts';
import type { Vouching } from '../../core/webhooks/vouching.ts';

const Fields = JsonObject;
type Fields = z.infer<typeof Fields>;

const Text = z.string().nullish();

const Header = z.looseObject({
  entityName: z.string(),
  recordIds: z.array(z.string()),
  changeType: z.string(),
  changeOrigin: Text,
  transactionKey: z.string(),
  sequenceNumber: z.union([z.number(), z.string()]),
  commitTimestamp: z.union([z.number(), z.string()]).nullish(),
  nulledFields: z.array(z.string()).nullish(),
  changedFields: z.array(z.string()).nullish(),
});

const Envelope = z.looseObject({
  id: z.string(),
  'detail-type': z.string(),
  time: Text,
  detail: z.union([
    z.looseObject({
      payload: Fields,
      event: z
        .looseObject({ EventUuid: Text, replayId: z.union([z.number(), z.string()]).nullish() })
        .nullish(),
    }),
    // AppFlow sends the fields without an envelope.
    Fields.refine((fields) => !('payload' in fields)).transform((payload) => ({ payload, event: undefined })),
  ]),
});

const people: ReadonlySet<string> = new Set(['Contact', 'Lead']);

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** The person of a record: the record itself, or the contact to which it refers. */
const identifiersOf = (entity: string, id: string, fields: Fields): string[] => {
  const isPerson = people.has(entity);
  const linked = [fields['ContactId'], fields['WhoId'], fields['PersonContactId'], fields['Contact__c']]
    .map(textOf)
    .find((one) => one !== '');
  const record = isPerson ? id : linked;
  const emails = [fields['Email'], fields['PersonEmail'], fields['SuppliedEmail'], fields['Email__c']];
  const phones = isPerson ? [fields['MobilePhone'], fields['Phone']] : [fields['PersonMobilePhone']];
  const email = entity === 'User' ? undefined : emails.map(textOf).find((one) => one !== '');
  const normal = email === undefined ? undefined : normaliseIdentifier(`email:${email}`);
  return [
    ...(record === undefined ? [] : [`salesforce:${record}`]),
    ...(normal === undefined ? [] : [normal]),
    ...new Set(
      phones.flatMap((one) => {
        const phone = e164(textOf(one));
        return phone === undefined ? [] : [`phone:${phone}`];
      }),
    ),
  ];
};

const Name = z.union([
  z.string().transform((full) => ({ full })),
  z.looseObject({ FirstName: Text, LastName: Text }).transform(({ FirstName, LastName }) => ({
    ...(FirstName && { first: FirstName }),
    ...(LastName && { last: LastName }),
  })),
]);

const nameOf = (fields: Fields): NonNullable<DecodedInteraction['profile']>['name'] => {
  const read = Name.safeParse(fields['Name'] ?? fields).data;
  return read !== undefined && Object.keys(read).length > 0 ? read : undefined;
};

interface Change {
  /** Set where Salesforce says that the hub itself made the change. */
  readonly own?: true;
  readonly key: string;
  readonly entity: string;
  readonly id: string;
  readonly act: string;
  readonly at: string | undefined;
  readonly fields: Fields;
  readonly details?: Fields;
}

/** Record ids of leads begin so. */
const LEAD = '00Q';

/** Whether staff or an import wrote a record. Web-to-case finds the contact of a case by what the visitor supplied. */
const isByStaff = (entity: string, fields: Fields): boolean =>
  entity !== 'Lead' &&
  !entity.endsWith('__e') &&
  !textOf(fields['WhoId']).startsWith(LEAD) &&
  !Object.keys(fields).some((name) => name.startsWith('Supplied'));

const acts: Readonly<Record<string, CrmChange['act']>> = {
  create: 'created',
  update: 'changed',
  delete: 'deleted',
  undelete: 'restored',
  sent: 'changed',
};

/** A change event nests the parts of names and addresses, which are fields of their own everywhere else. */
const fieldOf = (compound: string, part: string): string =>
  compound === 'Name' ? part : `${compound.slice(0, -'Address'.length)}${part}`;

const flat = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const parts = name === 'Name' || name.endsWith('Address') ? Fields.safeParse(value).data : undefined;
      return parts ? Object.entries(parts).map(([part, one]) => [fieldOf(name, part), one]) : [[name, value]];
    }),
  );

const Paths = z.array(z.string());

/** The fields that a change emptied: a part of a compound field as `Name.FirstName`. */
const emptied = (details: Fields | undefined): string[] =>
  (Paths.safeParse(details?.['nulled']).data ?? []).map((path) => {
    const [name = '', part] = path.split('.');
    return part === undefined ? name : fieldOf(name, part);
  });

/** The change of a person. A gap event says that a record changed, and nothing of what. */
const changeOf = ({ entity, id, act, at, fields, details, own }: Change): CrmChange | undefined => {
  const known = acts[act.replace(/^gap_/u, '')];
  if (known === undefined) return undefined;
  const values = [...Object.entries(flat(fields)), ...emptied(details).map((name) => [name, null] as const)];
  return {
    ...{ object: entity, id, act: known, ...(at !== undefined && { at }), ...(own && { own }), merged: [] },
    fields: act.startsWith('gap_')
      ? {}
      : Object.fromEntries(values.map(([name, value]) => [name, valueDigest(value)])),
  };
};

/** Objects that belong to contacts: a change of one names its contact only if that has changed. */
const ofContacts: ReadonlySet<string> = new Set(['Case', 'Task', 'Event']);

const isWithoutContact = ({ entity, act }: Change, identifiers: readonly string[]): boolean =>
  ofContacts.has(entity) && identifiers.length === 0 && act === 'update';

const ofChange = (reported: Change): Draft => {
  const { key, entity, id, act, at, fields, details } = reported;
  const isPerson = people.has(entity);
  const name = isPerson ? nameOf(fields) : undefined;
  const identifiers = identifiersOf(entity, id, fields);
  return defined({
    key,
    kind: isPerson ? ('contact-update' as const) : ('crm-record' as const),
    channel: 'crm' as const,
    direction: 'system' as const,
    identifiers,
    vouched: isByStaff(entity, fields),
    externalId: id,
    occurredAt: at,
    profile: name === undefined ? undefined : { name },
    change: isPerson || isWithoutContact(reported, identifiers) ? changeOf(reported) : undefined,
    properties: { record: entity, act, set: fields, ...details },
  });
};

const changes = (payload: Fields): Drafts => {
  const header = Header.parse(payload['ChangeEventHeader']);
  const { ChangeEventHeader: _header, ...fields } = payload;
  // After too many changes at once Salesforce lists none of them.
  if (header.changeType === 'GAP_OVERFLOW') return { interactions: [], ignored: ['GAP_OVERFLOW'] };
  const [, client] = /client=([^;]+)/u.exec(header.changeOrigin ?? '') ?? [];
  // The hub's own writes to Salesforce arrive as changes too. Of people they tell when the records changed.
  const isOwn = client === HUB_CLIENT;
  if (isOwn && !people.has(header.entityName)) return { interactions: [], ignored: ['own-change'] };
  const interactions = header.recordIds.map((id) =>
    ofChange({
      key: `${header.transactionKey}:${header.sequenceNumber}:${id}`,
      entity: header.entityName,
      id,
      ...(isOwn && { own: true as const }),
      act: header.changeType.toLowerCase(),
      at: readTime(header.commitTimestamp ?? undefined),
      fields,
      details: { nulled: header.nulledFields ?? [], ...(client !== undefined && { client }) },
    }),
  );
  return { interactions, ignored: [] };
};

const ofEvent = (body: Uint8Array): Drafts => {
  const envelope = Envelope.parse(parseJson(body));
  const { payload, event } = envelope.detail;
  if (payload['ChangeEventHeader'] !== undefined) return changes(payload);
  const type = envelope['detail-type'];
  if (!type.endsWith('__e')) return { interactions: [], ignored: [type] };
  const id = event?.EventUuid ?? envelope.id;
  const at = readTime(payload['CreatedDate']) ?? readTime(envelope.time ?? undefined);
  return {
    interactions: [ofChange({ key: id, entity: type, id, act: 'published', at, fields: payload })],
    ignored: [],
  };
};

const Notification = z.looseObject({
  Id: z.string(),
  sObject: z.looseObject({ '@type': z.string(), Id: z.union([z.string(), z.array(z.string())]) }),
});

const Message = z.looseObject({
  Envelope: z.looseObject({
    Body: z.looseObject({
      notifications: z.looseObject({ Notification: z.unknown() }),
    }),
  }),
});

const ofMessage = (delivery: Delivery): Drafts => {
  const { Notification: listed } = Message.parse(parseXml(delivery.body)).Envelope.Body.notifications;
  return decodeMembers(delivery, membersOf([listed].flat(), 'notifications'), (one) => {
    const { Id: key, sObject } = Notification.parse(one);
    const { '@type': type, Id, ...rest } = sObject;
    const entity = type.slice(type.indexOf(':') + 1);
    const fields = Object.fromEntries(
      Object.entries(rest).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    );
    const change = ofChange({
      key,
      entity,
      id: [Id].flat()[0] ?? key,
      act: 'sent',
      at: readTime(fields['LastModifiedDate'] ?? fields['SystemModstamp']),
      fields,
    });
    return { interactions: [change] };
  });
};

const decode = (delivery: Delivery): Drafts =>
  delivery.method === 'EVENT' ? ofEvent(delivery.body) : ofMessage(delivery);

export const salesforce = channelMapping({
  id: 'salesforce',
  channels: ['crm'],
  kinds: ['contact-update', 'crm-record'],
  vouching: [
    ...[
      ['record id, ContactId, WhoId', 'salesforce'],
      ['Email, PersonEmail, SuppliedEmail, Email__c', 'email'],
      ['Phone, MobilePhone', 'phone'],
    ].map(
      ([field = '', type = '']): Vouching => ({
        ...{ field, type },
        proof: {
          provenIf: 'no Lead, nothing that a visitor supplied to a case (`Supplied…`) and no platform event',
        },
        why: 'staff and imports make contacts; web-to-lead, web-to-case and events of the org have what visitors type',
      }),
    ),
  ],
  decode,
});
