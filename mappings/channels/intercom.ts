// https://developers.intercom.com/docs/references/webhooks/webhook-models
// The notification's id survives a redelivery. `external_id` (formerly `user_id`) is the business's own id of the person.

import * as z from 'zod';
import { textOfHtml } from '../../core/formats/html.ts';
import { defined, instantOf, parsePayload } from '../../core/formats/payload.ts';
import { VendorId } from '../../core/formats/vendor-id.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const UNVERIFIED =
  'the page names its visitor to the Messenger, and a webhook does not say whether identity verification is enforced. `proof: { intercom: proven }` if it is';
const Person = z.looseObject({
  type: Text,
  id: VendorId.nullish(),
  user_id: VendorId.nullish(),
  external_id: VendorId.nullish(),
  email: Text,
  phone: Text,
  name: Text,
});
type Person = z.infer<typeof Person>;
const File = z.looseObject({
  name: Text,
  url: Text,
  content_type: Text,
  filesize: z.int().nonnegative().nullish(),
});
const Said = z.looseObject({
  id: VendorId,
  body: Text,
  subject: Text,
  part_type: Text,
  created_at: z.number().nullish(),
  author: Person.nullish(),
  attachments: z.array(File).nullish(),
});
const Item = Person.extend({
  user: Person.nullish(),
  contact: Person.nullish(),
  contacts: z.looseObject({ contacts: z.array(Person).optional() }).nullish(),
  conversation_message: Said.nullish(),
  source: Said.nullish(),
  conversation_parts: z.looseObject({ conversation_parts: z.array(Said).optional() }).nullish(),
  /** The contact that a merge has ended. */
  merged_from: Person.nullish(),
  conversation_rating: z.looseObject({ rating: z.number().nullish(), remark: Text }).nullish(),
});
type Item = z.infer<typeof Item>;
const Notification = z.looseObject({
  topic: z.string(),
  id: Text,
  created_at: z.number().optional(),
  data: z.looseObject({ item: z.unknown().optional() }),
});

const identifiersOf = ({ id, user_id, external_id, email, phone }: Person): string[] => [
  ...(id ? [`intercom:${id}`] : []),
  ...((external_id ?? user_id) ? [`user-id:${external_id ?? user_id}`] : []),
  ...(email ? [`email:${email}`] : []),
  ...phoneIdentifiers(phone),
];

const people: ReadonlySet<string> = new Set(['contact', 'user', 'lead']);
const isPerson = (one: Person): boolean => people.has(one.type ?? '');

/** The person who began a conversation may be an agent. */
const customerOf = (item: Item): Person => {
  if (isPerson(item)) return item;
  const author = item.source?.author;
  const starter = author && isPerson(author) ? author : undefined;
  return item.user ?? item.contact ?? item.contacts?.contacts?.[0] ?? starter ?? {};
};

/** The author, of several people in a conversation. */
const writtenBy = (
  item: Item,
  said: z.infer<typeof Said> | null | undefined,
): Partial<DecodedInteraction> => {
  const author = said?.author;
  if (!author || !isPerson(author)) return {};
  const known = [item.user, item.contact, ...(item.contacts?.contacts ?? [])].find(
    (one) => one?.id !== undefined && one?.id === author.id,
  );
  return { identifiers: [...new Set([...identifiersOf(known ?? {}), ...identifiersOf(author)])] };
};

const spoken = (
  item: Item,
  said: z.infer<typeof Said> | null | undefined,
): Partial<DecodedInteraction> | undefined => {
  const act = message(item, said);
  return act && { ...act, ...writtenBy(item, said) };
};

const filesOf = ({ attachments }: z.infer<typeof Said>): NonNullable<DecodedInteraction['attachments']> =>
  (attachments ?? []).map(({ name, url, content_type, filesize }) => ({
    ...defined({
      name: name ?? undefined,
      contentType: content_type ?? undefined,
      size: filesize ?? undefined,
      url: url ?? undefined,
    }),
    ...(url && { keep: true as const }),
  }));

const message = (
  item: Item,
  said: z.infer<typeof Said> | undefined | null,
): Partial<DecodedInteraction> | undefined => {
  if (said === undefined || said === null) return undefined;
  const attachments = filesOf(said);
  return {
    kind: 'message',
    externalId: said.id,
    text: textOfHtml(said.body ?? ''),
    ...(said.subject && { subject: textOfHtml(said.subject) }),
    ...defined({ conversationId: item.id ?? undefined, occurredAt: instantOf(said.created_at) }),
    ...(attachments.length > 0 && { attachments }),
  };
};

/** The newest part with a text; an assignment or a closing is a part too. */
const newestPart = ({ conversation_parts }: Item): z.infer<typeof Said> | undefined =>
  conversation_parts?.conversation_parts?.findLast(({ part_type, body }) => part_type === 'comment' || body);

const first = (item: Item): z.infer<typeof Said> | null | undefined =>
  item.conversation_message ?? item.source;

const echo = (act: Partial<DecodedInteraction> | undefined): Partial<DecodedInteraction> | undefined =>
  act && { ...act, kind: 'echo', direction: 'outbound' };

const automated = (act: Partial<DecodedInteraction> | undefined): Partial<DecodedInteraction> | undefined =>
  act && { ...act, properties: { ...act.properties, automated: true } };

const contactUpdate = (): Partial<DecodedInteraction> => ({ kind: 'contact-update' });

/** The other contact is gone: its id is the same person's from now on. */
const merged = ({ merged_from: other }: Item): Partial<DecodedInteraction> => ({
  kind: 'contact-update',
  ...(other?.id && { becomes: [`intercom:${other.id}`] }),
});

const acts: Readonly<Record<string, (item: Item) => Partial<DecodedInteraction> | undefined>> = {
  'conversation.user.created': (item) => spoken(item, first(item)),
  'conversation.user.replied': (item) => spoken(item, newestPart(item)),
  'conversation.admin.replied': (item) => echo(message(item, newestPart(item))),
  // The operator is Intercom's bot: its messages are not an answer by a person.
  'conversation.operator.replied': (item) => automated(echo(message(item, newestPart(item)))),
  'conversation.admin.single.created': (item) => echo(message(item, first(item))),
  'conversation.admin.closed': (item) => ({
    kind: 'system',
    direction: 'system',
    ...defined({ conversationId: item.id ?? undefined }),
    properties: { status: 'closed' },
  }),
  'conversation.rating.added': (item) => ({
    kind: 'form',
    ...defined({ conversationId: item.id ?? undefined, text: item.conversation_rating?.remark ?? undefined }),
    properties: { rating: item.conversation_rating?.rating ?? null },
  }),
  // The person declines Intercom's e-mail only; answers to a conversation are still sent.
  'contact.unsubscribed': () => ({ kind: 'opt-out', properties: { scope: 'marketing', medium: 'email' } }),
  'user.unsubscribed': () => ({ kind: 'opt-out', properties: { scope: 'marketing', medium: 'email' } }),
  'contact.subscribed': () => ({ kind: 'opt-in', properties: { medium: 'email' } }),
  'contact.email.updated': contactUpdate,
  'contact.merged': merged,
  'contact.user.updated': contactUpdate,
  'contact.lead.updated': contactUpdate,
  'contact.user.created': contactUpdate,
  'contact.lead.created': contactUpdate,
  'contact.lead.signed_up': contactUpdate,
  'user.created': contactUpdate,
  'user.email.updated': contactUpdate,
};

const decode = ({ body }: Delivery): Drafts => {
  const { topic, id, created_at, data } = Notification.parse(parsePayload(body));
  if (!id || !Object.hasOwn(acts, topic)) return { interactions: [], ignored: [topic] };
  const item = Item.parse(data.item);
  const act = acts[topic]?.(item);
  if (!act) return { interactions: [], ignored: [topic] };
  const person = customerOf(item);
  return {
    ignored: [],
    interactions: [
      {
        key: id,
        kind: 'unknown',
        channel: 'chat',
        direction: 'inbound',
        identifiers: identifiersOf(person),
        ...defined({ occurredAt: instantOf(created_at) }),
        ...(person.name && { profile: { name: { full: person.name } } }),
        ...act,
      },
    ],
  };
};

export const intercom = channelMapping({
  id: 'intercom',
  channels: ['chat'],
  kinds: ['message', 'echo', 'form', 'opt-in', 'opt-out', 'contact-update', 'system'],
  vouching: [
    typed('id of the contact', 'intercom', UNVERIFIED),
    typed('external_id, user_id', 'user-id', UNVERIFIED),
    typed('email', 'email', UNVERIFIED),
    typed('phone', 'phone', UNVERIFIED),
  ],
  decode,
});
