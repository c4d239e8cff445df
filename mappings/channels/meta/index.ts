// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
// One POST may concern many people: it is decoded member by member. Meta sends one object each for pages, Instagram accounts
// and WhatsApp accounts; other objects of an app may come to the same address.

import * as z from 'zod';
import { entryOf, parsePayload } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Delivery } from '../../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../../core/webhooks/channel-mapping.ts';
import { decodeMembers, type Member, membersOf } from '../../../core/webhooks/members.ts';
import { platformUser, sentFrom, typed } from '../../../core/webhooks/vouching.ts';
import { publicActOf } from './feed.ts';
import { completeLead, leadOf } from './leads.ts';
import { Id, type Medium, Messaging, messagingOf } from './messaging.ts';
import { whatsappMembers } from './whatsapp.ts';

const List = z.array(z.unknown()).default([]);
const Named = z.looseObject({ object: z.string() });
const Payload = z.looseObject({ entry: List });
const Entry = z.looseObject({
  id: Id,
  time: z.union([z.string(), z.number()]).optional(),
  messaging: List,
  standby: List,
  changes: List,
});
type Entry = z.infer<typeof Entry>;
const Change = z.looseObject({ field: z.string(), value: z.unknown().optional() });

const media: Readonly<Record<string, Medium>> = { page: 'messenger', instagram: 'instagram' };
const WHATSAPP = 'whatsapp_business_account';

/** The other fields concern templates, numbers and accounts. */
const whatsappFields: ReadonlySet<string> = new Set([
  'messages',
  'smb_message_echoes',
  'message_echoes',
  'calls',
  'user_preferences',
]);

const publicFields: ReadonlySet<string> = new Set([
  'feed',
  'comments',
  'live_comments',
  'ratings',
  'mention',
]);

/** A member of a delivery, and how it is decoded. */
interface Item extends Member {
  /** The vendor's name of the event. */
  readonly name: string;
  readonly decode: () => readonly (DecodedInteraction | undefined)[];
}

const unreadable = (member: Member, name: string, error: z.ZodError): Item => ({
  ...{ ...member, name },
  decode: () => {
    throw error;
  },
});

const ofChange = (
  medium: Medium,
  { id, time }: Entry,
  { field, value }: z.infer<typeof Change>,
): ReturnType<Item['decode']> => {
  if (publicFields.has(field)) return [publicActOf(medium, id, value, time)];
  if (field === 'leadgen') return [leadOf(value)];
  // Instagram's own login sends as `changes` what Messenger sends as `messaging`.
  return /^messag/u.test(field) ? messagingOf(medium, id, Messaging.parse(value)) : [];
};

/** `medium`: undefined for WhatsApp, whose changes hold lists of their own. */
const itemsOfChange = (medium: Medium | undefined, entry: Entry, member: Member): Item[] => {
  const { data: change, error } = Change.safeParse(member.value);
  if (change === undefined) return [unreadable(member, 'change', error)];
  const { field: name, value } = change;
  if (medium !== undefined) return [{ ...member, name, decode: () => ofChange(medium, entry, change) }];
  const members = whatsappFields.has(name) ? whatsappMembers(value, `${member.path}.value`) : [];
  return members.length === 0
    ? [{ ...member, name, decode: () => [] }]
    : members.map((one) => ({ ...one, name }));
};

const itemsOfEntry = (medium: Medium | undefined, member: Member): Item[] => {
  const { data: entry, error } = Entry.safeParse(member.value);
  if (entry === undefined) return [unreadable(member, 'entry', error)];
  const { path } = member;
  const events = [
    ...membersOf(entry.messaging, `${path}.messaging`),
    ...membersOf(entry.standby, `${path}.standby`),
  ];
  return [
    ...events.flatMap((event): Item[] =>
      medium === undefined
        ? []
        : [
            {
              ...{ ...event, name: 'messaging' },
              decode: () => messagingOf(medium, entry.id, Messaging.parse(event.value)),
            },
          ],
    ),
    ...membersOf(entry.changes, `${path}.changes`).flatMap((change) => itemsOfChange(medium, entry, change)),
  ];
};

const decode = (delivery: Delivery): Drafts => {
  const json = parsePayload(delivery.body);
  const { object } = Named.parse(json);
  if (object !== WHATSAPP && entryOf(media, object) === undefined)
    return { interactions: [], ignored: [object] };
  const { entry } = Payload.parse(json);
  const items = membersOf(entry, 'entry').flatMap((member) => itemsOfEntry(entryOf(media, object), member));
  return decodeMembers(delivery, items, (_, place) => {
    const item = items[place];
    const known = (item?.decode() ?? []).filter((one) => one !== undefined);
    return { interactions: known, ignored: known.length > 0 || item === undefined ? [] : [item.name] };
  });
};

export const meta = channelMapping({
  id: 'meta',
  channels: ['messenger', 'instagram', 'whatsapp', 'voice', 'form'],
  kinds: [
    'message',
    'edit',
    'delete',
    'echo',
    'reaction',
    'postback',
    'comment',
    'referral',
    'call',
    'delivery-status',
    'read',
    'opt-in',
    'opt-out',
    'contact-update',
    'form',
    'order',
    'system',
  ],
  vouching: [
    platformUser('sender.id; from.id', 'messenger'),
    platformUser('sender.id; from.id', 'instagram'),
    sentFrom('from, wa_id', 'whatsapp'),
    typed('field_data (phone_number, work_phone_number)', 'phone', 'the fields of a lead ad are typed', {
      channels: ['form'],
    }),
    sentFrom('from, wa_id', 'phone'),
    platformUser('from_user_id, user_id', 'whatsapp-user'),
    platformUser('from_parent_user_id, parent_user_id', 'whatsapp-parent-user'),
    typed('field_data (email, work_email)', 'email', 'the fields of a lead ad are typed'),
  ],
  decode,
  complete: completeLead,
});
